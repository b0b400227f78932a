// Typed access to the columns of a record batch, for the encoders. Text is read from dictionaries and from plain utf8,
// large_utf8 and utf8_view alike; a column that is not there reads as null on every row. Rows count from the batch's
// first one, whatever the offset of the arrays. Errors: kExport for a column of another type, naming it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/util/bit_util.h>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Which rows of a column are null.
class Validity {
 public:
  Validity() = default;
  explicit Validity(const arrow::Array& array);
  bool IsNull(int64_t row) const {
    return all_null_ || (bits_ && !arrow::bit_util::GetBit(bits_, offset_ + row));
  }
  // True where no row is null.
  bool none_null() const { return !all_null_ && !bits_; }

 private:
  const uint8_t* bits_ = nullptr;
  int64_t offset_ = 0;
  bool all_null_ = true;
};

// The readers are cheap to copy and keep their arrays alive. Each has
//   Status Bind(path, array): `path` names the column in messages; a null array is a column that is not there.

class TextReader {
 public:
  Status Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array);

  bool IsNull(int64_t row) const {
    return validity_.IsNull(row) || (indices_ && dictionary_validity_.IsNull(indices_[row]));
  }
  // Empty where null. Valid while the array lives.
  std::string_view operator[](int64_t row) const {
    if (validity_.IsNull(row)) return {};
    if (!indices_) return Plain(row);
    return dictionary_validity_.IsNull(indices_[row]) ? std::string_view() : Plain(indices_[row]);
  }
  // Where values come from a dictionary, its indices are compared: equal texts there under two indices are "not same".
  bool Same(int64_t a, int64_t b) const { return SameRange(a, b, 1); }
  // Are the `n` rows from `a` on the same as those from `b` on.
  bool SameRange(int64_t a, int64_t b, int64_t n) const;

 private:
  enum class Layout : uint8_t { kNone, kOffsets32, kOffsets64, kView };

  Status BindPlain(const std::string& path, const arrow::Array& array);
  Status BindDictionary(const std::string& path, const arrow::DictionaryArray& array);
  std::string_view Plain(int64_t i) const {
    switch (layout_) {
      case Layout::kOffsets32: return Slice(static_cast<const int32_t*>(values_), i);
      case Layout::kOffsets64: return Slice(static_cast<const int64_t*>(values_), i);
      case Layout::kView: return static_cast<const arrow::StringViewArray*>(values_)->GetView(i);
      case Layout::kNone: break;
    }
    return {};
  }
  template <class Offset>
  std::string_view Slice(const Offset* offsets, int64_t i) const {
    return {bytes_ + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }

  std::shared_ptr<const arrow::Array> owner_;
  std::shared_ptr<const arrow::Array> dictionary_;
  std::shared_ptr<const std::vector<int32_t>> converted_;  // indices that came in another width
  Validity validity_;
  Validity dictionary_validity_;
  const int32_t* indices_ = nullptr;  // null: the column itself holds the text
  const void* values_ = nullptr;      // the offsets, or the array of views
  const char* bytes_ = nullptr;
  Layout layout_ = Layout::kNone;
};

// Numbers of exactly one Arrow type (timestamps have a reader of their own).
template <class ArrowType>
class NumberReader {
 public:
  using Value = typename ArrowType::c_type;
  Status Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array);
  bool IsNull(int64_t row) const { return validity_.IsNull(row); }
  // Zero where null.
  Value operator[](int64_t row) const { return validity_.IsNull(row) ? Value{} : values_[row]; }
  // The values as they lie in memory; null where the column is not there.
  const Value* raw_values() const { return values_; }
  bool Same(int64_t a, int64_t b) const { return IsNull(a) == IsNull(b) && (*this)[a] == (*this)[b]; }

 private:
  std::shared_ptr<const arrow::Array> owner_;
  Validity validity_;
  const Value* values_ = nullptr;
};

// timestamp[ns], with a zone or without: the 64 bits of a fixed64 time.
class TimeReader {
 public:
  Status Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array);
  uint64_t operator[](int64_t row) const { return validity_.IsNull(row) ? 0 : static_cast<uint64_t>(values_[row]); }

 private:
  std::shared_ptr<const arrow::Array> owner_;
  Validity validity_;
  const int64_t* values_ = nullptr;
};

class BoolReader {
 public:
  Status Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array);
  bool IsNull(int64_t row) const { return validity_.IsNull(row); }
  // False where null.
  bool operator[](int64_t row) const { return !validity_.IsNull(row) && arrow::bit_util::GetBit(bits_, offset_ + row); }
  bool Same(int64_t a, int64_t b) const { return IsNull(a) == IsNull(b) && (*this)[a] == (*this)[b]; }

 private:
  std::shared_ptr<const arrow::Array> owner_;
  Validity validity_;
  const uint8_t* bits_ = nullptr;
  int64_t offset_ = 0;
};

// Rows of a child column.
struct RowRange {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

// list, large_list and map (whose child is a struct of key and value).
class ListReader {
 public:
  Status Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array);
  bool IsNull(int64_t row) const { return validity_.IsNull(row); }
  // Empty where null.
  RowRange operator[](int64_t row) const {
    if (validity_.IsNull(row)) return {};
    return wide_ ? RowRange{wide_[row], wide_[row + 1]} : RowRange{narrow_[row], narrow_[row + 1]};
  }
  // The column of the elements; null where this one is not there.
  const std::shared_ptr<arrow::Array>& elements() const { return elements_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::shared_ptr<const arrow::Array> owner_;
  std::shared_ptr<arrow::Array> elements_;
  Validity validity_;
  const int32_t* narrow_ = nullptr;
  const int64_t* wide_ = nullptr;
};

// A map from text to text: map, or a list of structs of two fields, as tools without a map type write it.
class MapReader {
 public:
  Status Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array);
  bool IsNull(int64_t row) const { return lists_.IsNull(row); }
  // The entries of a row, as rows of keys() and values().
  RowRange operator[](int64_t row) const { return lists_[row]; }
  const TextReader& keys() const { return keys_; }
  const TextReader& values() const { return values_; }
  // Same entries in the same order.
  bool Same(int64_t a, int64_t b) const;
  const std::string& path() const { return lists_.path(); }

 private:
  ListReader lists_;
  TextReader keys_;
  TextReader values_;
};

// Columns by name: those of a batch, or the fields of a struct column.
class Columns {
 public:
  explicit Columns(const arrow::RecordBatch& batch) : batch_(&batch) {}
  // `array` may be null; then every field is a column that is not there. A null struct has null fields.
  static Result<Columns> OfStruct(const std::string& path, const std::shared_ptr<arrow::Array>& array);
  // The fields of the elements of a list.
  static Result<Columns> OfElements(const ListReader& list) { return OfStruct(list.path(), list.elements()); }

  template <class Reader>
  Status Bind(const std::string& name, Reader* reader) const {
    OTLP_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> array, Find(name));
    return reader->Bind(path_.empty() ? name : path_ + "." + name, array);
  }
  const Validity& validity() const { return validity_; }

 private:
  Columns() = default;
  Result<std::shared_ptr<arrow::Array>> Find(const std::string& name) const;

  const arrow::RecordBatch* batch_ = nullptr;
  std::string path_;
  std::shared_ptr<const arrow::StructArray> struct_;
  Validity validity_;
};

// Binds several columns; stops at the first that has another type.
template <class... Pairs>
Status BindAll(const Columns& columns, Pairs... pairs) {
  Status status;
  (void)((status = columns.Bind(pairs.first, pairs.second), status.ok()) && ...);
  return status;
}
template <class Reader>
std::pair<const char*, Reader*> Column(const char* name, Reader* reader) {
  return {name, reader};
}

}  // namespace otlp_arrow
