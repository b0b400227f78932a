#include "schema/context_writer.h"

namespace otlp_arrow {
namespace {

// Of ResourceSpans, ScopeSpans and their like.
constexpr uint32_t kContextField = 1;
constexpr uint32_t kSchemaUrlField = 3;

// Are two ranges of texts equal; SameRange may say no to texts that are.
bool SameTexts(const ListReader& lists, const TextReader& texts, int64_t a, int64_t b) {
  const RowRange left = lists[a];
  const RowRange right = lists[b];
  return left.size() == right.size() && texts.SameRange(left.begin, right.begin, left.size());
}

void WriteTexts(const ListReader& lists, const TextReader& texts, int64_t row, uint32_t field, wire::Writer* out) {
  const RowRange range = lists[row];
  for (int64_t i = range.begin; i < range.end; ++i) out->Bytes(field, texts[i]);
}

}  // namespace

Status EntityRefWriter::Bind(const Columns& columns) {
  OTLP_RETURN_NOT_OK(columns.Bind("resource_entity_refs", &refs_));
  OTLP_ASSIGN_OR_RETURN(const Columns fields, Columns::OfElements(refs_));
  OTLP_RETURN_NOT_OK(BindAll(fields, Column("schema_url", &schema_url_), Column("type", &type_), Column("id_keys", &id_keys_),
                             Column("description_keys", &description_keys_)));
  OTLP_RETURN_NOT_OK(id_key_.Bind(id_keys_.path(), id_keys_.elements()));
  return description_key_.Bind(description_keys_.path(), description_keys_.elements());
}

void EntityRefWriter::Write(int64_t row, wire::Writer* out) const {
  constexpr uint32_t kEntityRefsField = 3;
  enum Field : uint32_t { kSchemaUrl = 1, kType = 2, kIdKeys = 3, kDescriptionKeys = 4 };
  const RowRange range = refs_[row];
  for (int64_t i = range.begin; i < range.end; ++i) {
    const auto ref = out->Begin(kEntityRefsField);
    out->NonEmpty(kSchemaUrl, schema_url_[i]);
    out->NonEmpty(kType, type_[i]);
    WriteTexts(id_keys_, id_key_, i, kIdKeys, out);
    WriteTexts(description_keys_, description_key_, i, kDescriptionKeys, out);
    out->End(ref);
  }
}

bool EntityRefWriter::Same(int64_t a, int64_t b) const {
  const RowRange left = refs_[a];
  const RowRange right = refs_[b];
  if (left.size() != right.size()) return false;
  for (int64_t i = left.begin, j = right.begin; i < left.end; ++i, ++j) {
    if (!schema_url_.Same(i, j) || !type_.Same(i, j) || !SameTexts(id_keys_, id_key_, i, j) ||
        !SameTexts(description_keys_, description_key_, i, j)) {
      return false;
    }
  }
  return true;
}

Status ResourceWriter::Bind(const Columns& columns) {
  OTLP_RETURN_NOT_OK(attributes_.Bind(columns, "resource_attributes"));
  OTLP_RETURN_NOT_OK(entity_refs_.Bind(columns));
  return BindAll(columns, Column("resource_dropped_attributes_count", &dropped_attributes_count_),
                 Column("resource_schema_url", &schema_url_));
}

bool ResourceWriter::Same(int64_t a, int64_t b) const {
  return attributes_.Same(a, b) && dropped_attributes_count_.Same(a, b) && schema_url_.Same(a, b) && entity_refs_.Same(a, b);
}

bool ResourceWriter::Present(int64_t row) const {
  return !attributes_.IsNull(row) || dropped_attributes_count_[row] != 0 || !entity_refs_.IsEmpty(row);
}

Status ResourceWriter::WriteHead(int64_t row, wire::Writer* out) const {
  enum Field : uint32_t { kAttributes = 1, kDroppedAttributesCount = 2 };
  if (!Present(row)) return {};
  const auto resource = out->Begin(kContextField, 2);
  OTLP_RETURN_NOT_OK(attributes_.Write(row, kAttributes, out));
  out->NonZeroVarint(kDroppedAttributesCount, dropped_attributes_count_[row]);
  entity_refs_.Write(row, out);
  out->End(resource);
  return {};
}

void ResourceWriter::WriteTail(int64_t row, wire::Writer* out) const { out->NonEmpty(kSchemaUrlField, schema_url_[row]); }

Status ScopeWriter::Bind(const Columns& columns) {
  OTLP_RETURN_NOT_OK(attributes_.Bind(columns, "scope_attributes"));
  return BindAll(columns, Column("scope_name", &name_), Column("scope_version", &version_),
                 Column("scope_dropped_attributes_count", &dropped_attributes_count_), Column("scope_schema_url", &schema_url_));
}

bool ScopeWriter::Same(int64_t a, int64_t b) const {
  return name_.Same(a, b) && version_.Same(a, b) && schema_url_.Same(a, b) && attributes_.Same(a, b) &&
         dropped_attributes_count_.Same(a, b);
}

bool ScopeWriter::Present(int64_t row) const {
  return !attributes_.IsNull(row) || !name_.IsNull(row) || !version_.IsNull(row) || dropped_attributes_count_[row] != 0;
}

Status ScopeWriter::WriteHead(int64_t row, wire::Writer* out) const {
  enum Field : uint32_t { kName = 1, kVersion = 2, kAttributes = 3, kDroppedAttributesCount = 4 };
  if (!Present(row)) return {};
  const auto scope = out->Begin(kContextField);
  out->NonEmpty(kName, name_[row]);
  out->NonEmpty(kVersion, version_[row]);
  OTLP_RETURN_NOT_OK(attributes_.Write(row, kAttributes, out));
  out->NonZeroVarint(kDroppedAttributesCount, dropped_attributes_count_[row]);
  out->End(scope);
  return {};
}

void ScopeWriter::WriteTail(int64_t row, wire::Writer* out) const { out->NonEmpty(kSchemaUrlField, schema_url_[row]); }

}  // namespace otlp_arrow
