#include "schema/context_columns.h"

#include <arrow/type.h>

namespace otlp_arrow {
namespace {

using wire::Cursor;
using wire::Tag;

constexpr std::string_view kServiceName = "service.name";

// The text of an AnyValue that is a plain string, else nothing.
std::string_view StringOf(std::string_view any_value) {
  Cursor c(any_value);
  uint32_t tag;
  Cursor text(nullptr, nullptr);
  if (wire::ReadTag(&c, &tag) && tag == Tag(1, wire::kLen) && wire::ReadLen(&c, &text) && c.done()) return text.rest();
  return {};
}

std::shared_ptr<arrow::ArrayData> FixedArray(const std::shared_ptr<arrow::DataType>& type, const PodVector<uint32_t>& values) {
  return arrow::ArrayData::Make(type, static_cast<int64_t>(values.size()), {nullptr, values.Borrow()}, 0);
}

EntityRef ReadEntityRef(Cursor message) {
  EntityRef ref;
  uint32_t tag;
  Cursor text(nullptr, nullptr);
  while (!message.done() && wire::ReadTag(&message, &tag)) {
    if (tag < Tag(1, wire::kLen) || tag > Tag(4, wire::kLen) || (tag & 7) != wire::kLen) {
      if (!wire::SkipValue(&message, tag)) break;
      continue;
    }
    if (!wire::ReadLen(&message, &text)) break;
    switch (tag >> 3) {
      case 1: ref.schema_url = text.rest(); break;
      case 2: ref.type = text.rest(); break;
      case 3: ref.id_keys.emplace_back(text.rest()); break;
      case 4: ref.description_keys.emplace_back(text.rest()); break;
    }
  }
  return ref;
}

}  // namespace

// --- EntityRefsColumn ------------------------------------------------------------------------------------------------

void EntityRefsColumn::Repeat(const std::vector<EntityRef>& refs, int64_t n) {
  if (refs.empty()) return lists_.EndRun(n, 0, false);
  for (int64_t i = 0; i < n; ++i) {
    for (const EntityRef& ref : refs) {
      schema_url_.AppendNullIfEmpty(ref.schema_url);
      type_.AppendNullIfEmpty(ref.type);
      for (const auto& key : ref.id_keys) id_keys_.Append(key);
      id_lists_.EndRow(id_keys_.size());
      for (const auto& key : ref.description_keys) description_keys_.Append(key);
      description_lists_.EndRow(description_keys_.size());
      ++count_;
    }
    lists_.EndRow(count_);
  }
}

std::shared_ptr<arrow::ArrayData> EntityRefsColumn::Finish() {
  static const auto keys = arrow::list(arrow::utf8());
  static const auto ref = arrow::struct_({arrow::field("schema_url", arrow::utf8()), arrow::field("type", arrow::utf8()),
                                          arrow::field("id_keys", keys), arrow::field("description_keys", keys)});
  static const auto type = arrow::list(ref);
  return lists_.Finish(type, FinishStruct(ref, count_, {schema_url_.Finish(), type_.Finish(), id_lists_.Finish(keys, id_keys_.Finish()),
                                                        description_lists_.Finish(keys, description_keys_.Finish())}));
}

void EntityRefsColumn::Clear() {
  lists_.Clear();
  count_ = 0;
  schema_url_.Clear();
  type_.Clear();
  id_lists_.Clear();
  description_lists_.Clear();
  id_keys_.Clear();
  description_keys_.Clear();
}

// --- ContextColumns --------------------------------------------------------------------------------------------------

template <class T>
T* ContextColumns::Recent<T>::Find(std::string_view message) {
  for (const auto& entry : known) {
    if (entry->message == message) return entry.get();
  }
  return nullptr;
}

template <class T>
T* ContextColumns::Recent<T>::Add(std::string_view message) {
  if (known.size() < kMost) known.push_back(nullptr);
  auto& place = known[next];
  next = (next + 1) % kMost;
  place = std::make_unique<T>();
  place->message = message;
  return place.get();
}

void ContextColumns::NoteHead(Cursor container, Head* head) {
  head->messages.clear();
  head->schema_url = {};
  head->read = false;
  uint32_t tag;
  Cursor body(nullptr, nullptr);
  while (!container.done() && wire::ReadTag(&container, &tag)) {
    if (tag == Tag(1, wire::kLen)) {
      if (!wire::ReadLen(&container, &body)) break;
      head->messages.push_back(body.rest());
    } else if (tag == Tag(3, wire::kLen)) {
      if (!wire::ReadLen(&container, &body)) break;
      head->schema_url = body.rest();
    } else if (!wire::SkipValue(&container, tag)) {
      break;
    }
  }
}

void ContextColumns::BeginResource(Cursor container) { NoteHead(container, &resource_head_); }
void ContextColumns::BeginScope(Cursor container) { NoteHead(container, &scope_head_); }

void ContextColumns::BeginScope(const std::vector<std::string_view>& scopes, std::string_view schema_url) {
  scope_head_.messages.assign(scopes.begin(), scopes.end());
  scope_head_.schema_url = schema_url;
  scope_head_.read = false;
}

namespace {

// Messages given more than once merge, which is what reading them one behind the other does.
std::string_view Joined(const std::vector<std::string_view>& messages, std::string* joined) {
  if (messages.size() == 1) return messages[0];
  for (std::string_view m : messages) joined->append(m);
  return *joined;
}

}  // namespace

void ContextColumns::LoadResource() {
  resource_head_.read = true;
  resource_schema_url_index_ = resource_schema_url_.InternOrNull(resource_head_.schema_url);
  resource_ = &no_resource_;
  if (resource_head_.messages.empty()) return;
  std::string joined;
  const std::string_view message = Joined(resource_head_.messages, &joined);
  Resource* known = resources_.Find(message);
  if (!known) {
    known = resources_.Add(message);
    ReadResource(Cursor(known->message), known);
  }
  resource_ = known;
}

void ContextColumns::LoadScope() {
  scope_head_.read = true;
  scope_schema_url_index_ = scope_schema_url_.InternOrNull(scope_head_.schema_url);
  scope_ = &no_scope_;
  if (scope_head_.messages.empty()) return;
  std::string joined;
  const std::string_view message = Joined(scope_head_.messages, &joined);
  Scope* known = scopes_.Find(message);
  if (!known) {
    known = scopes_.Add(message);
    ReadScope(Cursor(known->message), known);
  }
  scope_ = known;
}

void ContextColumns::ReadResource(Cursor message, Resource* resource) {
  std::vector<std::string_view> attributes;
  uint32_t tag;
  Cursor body(nullptr, nullptr);
  KeyValueParts parts;
  bool ok = true;
  while (ok && !message.done() && wire::ReadTag(&message, &tag)) {
    switch (tag) {
      case Tag(1, wire::kLen):
        if (!(ok = wire::ReadLen(&message, &body))) break;
        attributes.push_back(body.rest());
        ReadKeyValue(body, &parts);
        if (parts.key == kServiceName && resource->service_name == kNullIndex) {
          resource->service_name = service_name_.InternOrNull(StringOf(parts.value));
        }
        break;
      case Tag(2, wire::kVarint): {
        uint64_t value = 0;
        ok = wire::ReadVarint(&message, &value);
        resource->dropped = static_cast<uint32_t>(value);
        break;
      }
      case Tag(3, wire::kLen):
        if ((ok = wire::ReadLen(&message, &body))) resource->entity_refs.push_back(ReadEntityRef(body));
        break;
      default: ok = wire::SkipValue(&message, tag);
    }
  }
  resource_attributes_.Make(true, attributes, &resource->attributes);
}

void ContextColumns::ReadScope(Cursor message, Scope* scope) {
  std::vector<std::string_view> attributes;
  std::string_view name, version;
  uint32_t tag;
  Cursor body(nullptr, nullptr);
  bool ok = true;
  while (ok && !message.done() && wire::ReadTag(&message, &tag)) {
    switch (tag) {
      case Tag(1, wire::kLen):
        if ((ok = wire::ReadLen(&message, &body))) name = body.rest();
        break;
      case Tag(2, wire::kLen):
        if ((ok = wire::ReadLen(&message, &body))) version = body.rest();
        break;
      case Tag(3, wire::kLen):
        if ((ok = wire::ReadLen(&message, &body))) attributes.push_back(body.rest());
        break;
      case Tag(4, wire::kVarint): {
        uint64_t value = 0;
        ok = wire::ReadVarint(&message, &value);
        scope->dropped = static_cast<uint32_t>(value);
        break;
      }
      default: ok = wire::SkipValue(&message, tag);
    }
  }
  scope->name = scope_name_.InternOrNull(name);
  scope->version = scope_version_.InternOrNull(version);
  scope_attributes_.Make(true, attributes, &scope->attributes);
}

void ContextColumns::FillTo(int64_t rows) {
  const int64_t n = rows - filled_;
  if (n <= 0) return;
  filled_ = rows;
  if (!resource_head_.read) LoadResource();
  if (!scope_head_.read) LoadScope();
  service_name_.AppendRun(n, resource_->service_name);
  resource_attributes_.Repeat(resource_->attributes, n);
  resource_dropped_.PushN(static_cast<size_t>(n), resource_->dropped);
  resource_schema_url_.AppendRun(n, resource_schema_url_index_);
  entity_refs_.Repeat(resource_->entity_refs, n);
  scope_name_.AppendRun(n, scope_->name);
  scope_version_.AppendRun(n, scope_->version);
  scope_attributes_.Repeat(scope_->attributes, n);
  scope_dropped_.PushN(static_cast<size_t>(n), scope_->dropped);
  scope_schema_url_.AppendRun(n, scope_schema_url_index_);
}

void ContextColumns::Finish(std::vector<std::shared_ptr<arrow::ArrayData>>* arrays) {
  std::shared_ptr<arrow::ArrayData> map, types;
  resource_attributes_.Finish(&map, &types);
  arrays->insert(arrays->end(), {map, types, FixedArray(arrow::uint32(), resource_dropped_), resource_schema_url_.Finish(),
                                 entity_refs_.Finish(), scope_name_.Finish(), scope_version_.Finish()});
  scope_attributes_.Finish(&map, &types);
  arrays->insert(arrays->end(), {map, types, FixedArray(arrow::uint32(), scope_dropped_), scope_schema_url_.Finish()});
}

void ContextColumns::Clear() {
  filled_ = 0;
  service_name_.Clear();
  resource_attributes_.Clear();
  resource_dropped_.Clear();
  resource_schema_url_.Clear();
  entity_refs_.Clear();
  scope_name_.Clear();
  scope_version_.Clear();
  scope_attributes_.Clear();
  scope_dropped_.Clear();
  scope_schema_url_.Clear();
}

void ContextColumns::AddDictionaries(std::vector<TextDictionary*>* dictionaries) {
  for (DictionaryColumn* c : {&service_name_, &resource_schema_url_, &scope_name_, &scope_version_, &scope_schema_url_}) {
    dictionaries->push_back(&c->dictionary());
  }
  resource_attributes_.AddDictionaries(dictionaries);
  scope_attributes_.AddDictionaries(dictionaries);
}

void ContextColumns::ForgetIndices() {
  resources_.Clear();
  scopes_.Clear();
  resource_ = &no_resource_;
  scope_ = &no_scope_;
  resource_schema_url_index_ = scope_schema_url_index_ = kNullIndex;
  resource_head_ = {};
  scope_head_ = {};
}

}  // namespace otlp_arrow
