// The columns that say where an item comes from: resource and scope, the same over a run of rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "otlp/wire.h"
#include "schema/attributes_column.h"
#include "schema/columns.h"

namespace otlp_arrow {

// One entry of Resource.entity_refs.
struct EntityRef {
  std::string schema_url, type;
  std::vector<std::string> id_keys, description_keys;
};

// list<struct<schema_url, type, id_keys, description_keys>>
class EntityRefsColumn {
 public:
  void Repeat(const std::vector<EntityRef>& refs, int64_t n);
  std::shared_ptr<arrow::ArrayData> Finish();
  void Clear();

 private:
  ListOffsets lists_;
  int64_t count_ = 0;
  TextColumn schema_url_, type_;
  ListOffsets id_lists_, description_lists_;
  TextColumn id_keys_, description_keys_;
};

class ContextColumns {
 public:
  // Notes the resource and schema_url of a Resource… container, wherever in it they stand. The container's bytes stay
  // where they are until the next Begin….
  void BeginResource(wire::Cursor container);
  // The same for a Scope… container, whose parts the caller may have met already: `scopes` are its scope messages
  // (more than one merge).
  void BeginScope(wire::Cursor container);
  void BeginScope(const std::vector<std::string_view>& scopes, std::string_view schema_url);

  // Repeats the current context up to `rows` rows; what no row needs is never read. To be called before the context
  // changes and before Finish.
  void FillTo(int64_t rows);

  std::shared_ptr<arrow::ArrayData> FinishServiceName() { return service_name_.Finish(); }
  // The columns from resource_attributes to scope_schema_url, in the schema's order.
  void Finish(std::vector<std::shared_ptr<arrow::ArrayData>>* arrays);
  void Clear();
  void AddDictionaries(std::vector<TextDictionary*>* dictionaries);
  // After the dictionaries were cleared; the next thing to come is BeginResource.
  void ForgetIndices();

 private:
  // A resource or scope message as read: a request brings the same few again and again.
  struct Resource {
    std::string message;
    AttributeList attributes;
    std::vector<EntityRef> entity_refs;
    uint32_t dropped = 0;
    int32_t service_name = kNullIndex;
  };
  struct Scope {
    std::string message;
    AttributeList attributes;
    uint32_t dropped = 0;
    int32_t name = kNullIndex, version = kNullIndex;
  };
  template <class T>
  struct Recent {
    static constexpr size_t kMost = 16;
    std::vector<std::unique_ptr<T>> known;
    size_t next = 0;
    T* Find(std::string_view message);
    T* Add(std::string_view message);
    void Clear() { known.clear(), next = 0; }
  };

  // What a container says of its items, as it stands in the request.
  struct Head {
    std::vector<std::string_view> messages;
    std::string_view schema_url;
    bool read = true;
  };
  static void NoteHead(wire::Cursor container, Head* head);
  void LoadResource();
  void LoadScope();
  void ReadResource(wire::Cursor message, Resource* resource);
  void ReadScope(wire::Cursor message, Scope* scope);

  int64_t filled_ = 0;
  Recent<Resource> resources_;
  Recent<Scope> scopes_;
  Resource no_resource_;
  Scope no_scope_;
  const Resource* resource_ = &no_resource_;
  const Scope* scope_ = &no_scope_;
  int32_t resource_schema_url_index_ = kNullIndex, scope_schema_url_index_ = kNullIndex;
  Head resource_head_, scope_head_;

  DictionaryColumn service_name_;
  RepeatedAttributes resource_attributes_;
  PodVector<uint32_t> resource_dropped_;
  DictionaryColumn resource_schema_url_;
  EntityRefsColumn entity_refs_;
  DictionaryColumn scope_name_, scope_version_;
  RepeatedAttributes scope_attributes_;
  PodVector<uint32_t> scope_dropped_;
  DictionaryColumn scope_schema_url_;
};

}  // namespace otlp_arrow
