// Items of one signal, gathered under their resources and scopes into one OTLP request.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/dictionary_converter.h"
#include "ring/records.h"

namespace otlp_arrow {

// Scopes and resources of a file as OTLP. Their entries never change, so each is converted once. A reference to what is not
// there becomes an unknown scope or resource: the items under it are kept.
class ScopeCache {
 public:
  struct Resource {
    std::string message;  // Resource
    std::string schema_url;
  };
  struct Scope {
    std::string message;  // InstrumentationScope
    std::string schema_url;
    ring::Ref resource = 0;
  };
  explicit ScopeCache(const DictionaryEntries* entries) : entries_(entries), converter_(entries) {}

  const Scope& FindScope(ring::Ref reference);
  const Resource& FindResource(ring::Ref reference);
  // References that led nowhere.
  uint64_t broken() const { return broken_; }

 private:
  const DictionaryEntries* entries_;
  DictionaryConverter converter_;
  std::unordered_map<ring::Ref, Scope> scopes_;
  std::unordered_map<ring::Ref, Resource> resources_;
  uint64_t broken_ = 0;
};

// ResourceSpans, ResourceLogs and ResourceMetrics have the same field numbers, so this serves all signals.
class ScopeGroups {
 public:
  explicit ScopeGroups(ScopeCache* cache) : cache_(cache) {}

  // Where the items of a scope are written, as fields of ScopeSpans and its sisters.
  wire::Writer* Of(ring::Ref scope);
  // The Export…ServiceRequest; empty where nothing was written. The groups are empty afterwards.
  std::string TakeRequest();

 private:
  struct Group {
    ring::Ref scope = 0;
    wire::Writer items;
  };
  void WriteScope(const Group& group, wire::Writer* out);

  ScopeCache* cache_;
  std::vector<std::unique_ptr<Group>> groups_;  // in the order of their first use; the memory is used again
  std::unordered_map<ring::Ref, Group*> by_scope_;
  Group* last_ = nullptr;
};

}  // namespace otlp_arrow
