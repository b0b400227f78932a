#include "collector/scope_groups.h"

#include <utility>

namespace otlp_arrow {
namespace {

constexpr uint32_t kResourceItems = 1;  // of the request
struct ResourceItemsField {
  enum : uint32_t { kResource = 1, kScopeItems = 2, kSchemaUrl = 3 };
};
struct ScopeItemsField {
  enum : uint32_t { kScope = 1, kSchemaUrl = 3 };
};
struct ResourceField {
  enum : uint32_t { kAttributes = 1, kDropped = 2 };
};
struct ScopeField {
  enum : uint32_t { kName = 1, kVersion = 2, kAttributes = 3, kDropped = 4 };
};

}  // namespace

const ScopeCache::Scope& ScopeCache::FindScope(ring::Ref reference) {
  const auto [place, is_new] = scopes_.try_emplace(reference);
  Scope& scope = place->second;
  if (!is_new || reference == 0) return scope;
  const auto entry = entries_->Find(reference);
  const auto view = entry ? ring::ReadScope(*entry) : std::nullopt;
  if (!view) {
    ++broken_;
    return scope;
  }
  wire::Writer out;
  for (const auto& [field, text_reference] : {std::pair{ScopeField::kName, view->name}, std::pair{ScopeField::kVersion, view->version}}) {
    const auto text = converter_.Text(text_reference);
    if (text) out.NonEmpty(field, *text);
    broken_ += !text;
  }
  broken_ += converter_.Attributes(view->attributes, ScopeField::kAttributes, &out);
  out.NonZeroVarint(ScopeField::kDropped, view->dropped_attributes_count);
  scope.message = out.Take();
  scope.schema_url = view->schema_url;
  scope.resource = view->resource;
  return scope;
}

const ScopeCache::Resource& ScopeCache::FindResource(ring::Ref reference) {
  const auto [place, is_new] = resources_.try_emplace(reference);
  Resource& resource = place->second;
  if (!is_new || reference == 0) return resource;
  const auto entry = entries_->Find(reference);
  const auto view = entry ? ring::ReadResource(*entry) : std::nullopt;
  if (!view) {
    ++broken_;
    return resource;
  }
  wire::Writer out;
  broken_ += converter_.Attributes(view->attributes, ResourceField::kAttributes, &out);
  out.NonZeroVarint(ResourceField::kDropped, view->dropped_attributes_count);
  resource.message = out.Take();
  resource.schema_url = view->schema_url;
  return resource;
}

wire::Writer* ScopeGroups::Of(ring::Ref scope) {
  if (last_ && last_->scope == scope) return &last_->items;
  const auto [place, is_new] = by_scope_.try_emplace(scope);
  if (is_new) {
    place->second = groups_.emplace_back(std::make_unique<Group>()).get();
    place->second->scope = scope;
  }
  last_ = place->second;
  return &last_->items;
}

std::string ScopeGroups::TakeRequest() {
  std::map<ring::Ref, std::vector<Group*>> by_resource;
  for (const auto& group : groups_) {
    if (group->items.size() > 0) by_resource[cache_->FindScope(group->scope).resource].push_back(group.get());
  }
  wire::Writer out;
  for (const auto& [reference, groups] : by_resource) {
    const ScopeCache::Resource& resource = cache_->FindResource(reference);
    const auto items = out.Begin(kResourceItems, 4);
    if (reference != 0) out.Bytes(ResourceItemsField::kResource, resource.message);
    for (Group* group : groups) {
      WriteScope(*group, &out);
      group->items.Clear();
    }
    out.NonEmpty(ResourceItemsField::kSchemaUrl, resource.schema_url);
    out.End(items);
  }
  return out.Take();
}

void ScopeGroups::WriteScope(const Group& group, wire::Writer* out) {
  const ScopeCache::Scope& scope = cache_->FindScope(group.scope);
  const auto items = out->Begin(ResourceItemsField::kScopeItems, 4);
  if (group.scope != 0) out->Bytes(ScopeItemsField::kScope, scope.message);
  out->Raw(group.items.view());
  out->NonEmpty(ScopeItemsField::kSchemaUrl, scope.schema_url);
  out->End(items);
}

}  // namespace otlp_arrow
