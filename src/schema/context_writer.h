// The columns that say where a row comes from, back into Resource and InstrumentationScope messages.
#pragma once

#include <cstdint>

#include "otlp_arrow/status.h"
#include "otlp_arrow/wire_writer.h"
#include "schema/attribute_writer.h"
#include "schema/column_reader.h"

namespace otlp_arrow {

// list<struct<schema_url, type, id_keys, description_keys>> of Resource.entity_refs.
class EntityRefWriter {
 public:
  Status Bind(const Columns& columns);
  bool IsEmpty(int64_t row) const { return refs_[row].size() == 0; }
  void Write(int64_t row, wire::Writer* out) const;
  bool Same(int64_t a, int64_t b) const;

 private:
  ListReader refs_;
  TextReader schema_url_;
  TextReader type_;
  ListReader id_keys_;
  TextReader id_key_;
  ListReader description_keys_;
  TextReader description_key_;
};

// Resource…{resource = 1, …, schema_url = 3}.
class ResourceWriter {
 public:
  Status Bind(const Columns& columns);
  bool Same(int64_t a, int64_t b) const;
  // What comes before the container's items, and what comes after them.
  Status WriteHead(int64_t row, wire::Writer* out) const;
  void WriteTail(int64_t row, wire::Writer* out) const;

 private:
  bool Present(int64_t row) const;

  AttributeWriter attributes_;
  NumberReader<arrow::UInt32Type> dropped_attributes_count_;
  EntityRefWriter entity_refs_;
  TextReader schema_url_;
};

// Scope…{scope = 1, …, schema_url = 3}.
class ScopeWriter {
 public:
  Status Bind(const Columns& columns);
  bool Same(int64_t a, int64_t b) const;
  Status WriteHead(int64_t row, wire::Writer* out) const;
  void WriteTail(int64_t row, wire::Writer* out) const;

 private:
  bool Present(int64_t row) const;

  TextReader name_;
  TextReader version_;
  AttributeWriter attributes_;
  NumberReader<arrow::UInt32Type> dropped_attributes_count_;
  TextReader schema_url_;
};

}  // namespace otlp_arrow
