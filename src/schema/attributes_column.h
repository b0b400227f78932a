// Attribute lists (repeated KeyValue) as map columns with their companion of types; see schemas.h for the mapping.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "otlp/wire.h"
#include "schema/columns.h"
#include "schema/schemas.h"

namespace otlp_arrow {

// The columns of promoted attributes, null on the rows that lack theirs.
class PromotedColumns {
 public:
  explicit PromotedColumns(std::vector<PromotedAttribute> promoted);
  size_t size() const { return columns_.size(); }
  // The number of the column for this key, or -1.
  int ColumnOf(std::string_view key) const;
  // Values of another type than the column's leave the row null.
  void SetText(int column, int64_t row, std::string_view text);
  void SetInt(int column, int64_t row, int64_t value);
  void SetDouble(int column, int64_t row, double value);
  void SetBool(int column, int64_t row, bool value);
  void Finish(int64_t rows, std::vector<std::shared_ptr<arrow::ArrayData>>* arrays);
  void Clear();
  void AddDictionaries(std::vector<TextDictionary*>* dictionaries);

 private:
  struct Column {
    PromotedAttribute attribute;
    DictionaryColumn text;
    SparseColumn<int64_t> ints;
    SparseColumn<double> doubles;
    SparseColumn<uint8_t> bools;
    PodVector<uint8_t> bits;
  };
  std::vector<Column> columns_;
};

// map<dictionary text, text> + types, one row per item, event, link or exemplar.
class AttributesColumn {
 public:
  // `promoted` may be null; it outlives the column.
  explicit AttributesColumn(PromotedColumns* promoted = nullptr) : promoted_(promoted) {}

  // One KeyValue message of the current row. `entry` points into the request, which outlives the row.
  void Append(wire::Cursor entry);
  void EndRow();
  // For rows that have no attribute list at all.
  void EndNullRow();

  int64_t rows() const { return lists_.rows(); }
  int64_t byte_size() const { return values_.byte_size(); }
  void Finish(std::shared_ptr<arrow::ArrayData>* map, std::shared_ptr<arrow::ArrayData>* types);
  void Clear();
  void AddDictionaries(std::vector<TextDictionary*>* dictionaries);
  // After the dictionaries were cleared.
  void ForgetKeys();

 private:
  // One place in a row's list. The key that stood there on the row before is kept as the bytes that start its
  // KeyValue message, up to the length of the value: most rows repeat the keys of the last one.
  struct alignas(32) Position {
    const uint8_t* entry = nullptr;  // the current row's KeyValue message
    size_t entry_size = 0;
    uint32_t prefix_size = 0;  // 0: no key known
    int32_t key = -1;
    char prefix[64];
  };
  struct KeyState {
    uint32_t last_row = 0;  // number of the row that had this key last
    int32_t promoted = -1;
  };

  bool AppendScalar(int32_t key, const uint8_t* value, const uint8_t* end);
  void AppendSlowly(const wire::Cursor& entry, Position* position);
  void Learn(const wire::Cursor& entry, std::string_view key_text, int32_t key, Position* position);
  void GrowRow();
  int32_t KeyIndex(std::string_view key);
  // False where the row has this key already.
  bool ClaimKey(int32_t key) {
    KeyState& state = key_states_[static_cast<size_t>(key)];
    if (state.last_row == row_number_) [[unlikely]] {
      exact_ = true;
      return false;
    }
    state.last_row = row_number_;
    return true;
  }
  void PushEntry(int32_t key, ValueType type) {
    keys_.AppendValid(key);
    letters_.PushUnchecked(static_cast<char>(type));
    all_text_ &= type == ValueType::kString;
  }
  std::string ExactList() const;

  PromotedColumns* promoted_;
  ListOffsets lists_;
  DictionaryColumn keys_;
  TextColumn values_;
  DictionaryColumn types_;

  PodVector<KeyState> key_states_;
  uint32_t row_number_ = 1;

  // The row being filled.
  std::vector<Position> positions_;
  size_t position_count_ = 0;  // positions_.size()
  size_t row_entries_ = 0;
  PodVector<char> letters_;  // has room for as many as there are positions
  bool all_text_ = true;
  bool exact_ = false;
};

// The attributes of a resource, scope or metric, entered in the dictionaries of a RepeatedAttributes.
struct AttributeList {
  bool present = false;  // else the map is null
  bool has_null = false;
  int32_t types = kNullIndex;
  std::vector<int32_t> keys, values;
};

// map<dictionary text, dictionary text> + types for the attributes of resources, scopes and metrics: a list is made
// once, then repeated over runs of rows.
class RepeatedAttributes {
 public:
  // `entries` are KeyValue messages.
  void Make(bool present, const std::vector<std::string_view>& entries, AttributeList* list);
  // The list once for each of n rows.
  void Repeat(const AttributeList& list, int64_t n);

  void Finish(std::shared_ptr<arrow::ArrayData>* map, std::shared_ptr<arrow::ArrayData>* types);
  void Clear();
  // Lists made before the dictionaries were cleared must be made again.
  void AddDictionaries(std::vector<TextDictionary*>* dictionaries);

 private:
  ListOffsets lists_;
  DictionaryColumn keys_;
  DictionaryColumn values_;
  DictionaryColumn types_;
};

// A KeyValue message taken apart. `value` is absent where the message has none; a value given more than once is joined
// in `joined` (protobuf merges by concatenation).
struct KeyValueParts {
  std::string_view key;
  std::string_view value;
  bool has_value = false;
  std::string joined;
};
void ReadKeyValue(wire::Cursor entry, KeyValueParts* parts);

// kExactPrefix and the entries as base64 of a KeyValueList message.
std::string ExactAttributes(const std::vector<std::string_view>& entries);

}  // namespace otlp_arrow
