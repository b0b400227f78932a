#include "request_batch.h"

#include <string>
#include <string_view>

#include "attribute_writer.h"
#include "otlp_fields.h"

namespace otlp_arrow::exporters {
namespace {

constexpr size_t kGuessedContextBytes = 512;  // of a resource or a scope

void WriteText(wire::Writer* out, uint32_t field, std::string_view text) {
  std::string storage;
  out->NonEmpty(field, ValidText(text, &storage));
}

size_t FieldSize(size_t size) { return 1 + wire::VarintSize(size) + size; }

}  // namespace

void WriteResourceFields(wire::Writer* out, const Resource* resource) {
  const auto message = out->Begin(field::kResource);
  if (resource) WriteAttributes(out, field::kResourceAttributes, resource->GetAttributes());
  out->End(message);
  if (resource) WriteText(out, field::kResourceSchemaUrl, resource->GetSchemaURL());
}

void WriteScopeFields(wire::Writer* out, const InstrumentationScope* scope) {
  const auto message = out->Begin(field::kScope);
  if (scope) {
    WriteText(out, field::kScopeName, scope->GetName());
    WriteText(out, field::kScopeVersion, scope->GetVersion());
    WriteAttributes(out, field::kScopeAttributes, scope->GetAttributes());
  }
  out->End(message);
  if (scope) WriteText(out, field::kScopeSchemaUrl, scope->GetSchemaURL());
}

RequestBatch::Group* RequestBatch::FindOrAdd(const EncodedRecord& record) {
  // From the back: records of one scope often come together.
  for (size_t i = groups_.size(); i-- > 0;) {
    Group& group = groups_[i];
    if (group.resource == record.resource && group.scope == record.scope) return &group;
  }
  return &groups_.emplace_back(Group{record.resource, record.scope, nullptr, nullptr, 0, false});
}

void RequestBatch::Add(EncodedRecord* record) {
  Group* group = FindOrAdd(*record);
  record->next = nullptr;
  (group->first ? group->last->next : group->first) = record;
  group->last = record;
  const size_t bytes = FieldSize(record->fields.size());
  group->bytes += bytes;
  bytes_ += bytes;
  ++records_;
}

void RequestBatch::WriteRequest(wire::Writer* out) {
  out->Reserve(bytes_ + kGuessedContextBytes * (1 + groups_.size()));
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (!groups_[i].is_written) WriteResource(out, i);
  }
  groups_.clear();
  records_ = bytes_ = 0;
}

void RequestBatch::WriteResource(wire::Writer* out, size_t first_group) {
  const Resource* resource = groups_[first_group].resource;
  size_t bytes = kGuessedContextBytes;
  for (const Group& group : groups_) {
    if (group.resource == resource) bytes += group.bytes + kGuessedContextBytes;
  }
  const auto message = out->Begin(field::kRequestResourceItems, wire::VarintSize(bytes));
  WriteResourceFields(out, resource);
  for (Group& group : groups_) {
    if (group.resource == resource) WriteScope(out, &group);
  }
  out->End(message);
}

void RequestBatch::WriteScope(wire::Writer* out, Group* group) {
  const auto message = out->Begin(field::kResourceScopeItems, wire::VarintSize(group->bytes + kGuessedContextBytes));
  WriteScopeFields(out, group->scope);
  for (const EncodedRecord* record = group->first; record; record = record->next) {
    out->Bytes(field::kScopeItems, record->fields.view());
  }
  out->End(message);
  group->is_written = true;
}

}  // namespace otlp_arrow::exporters
