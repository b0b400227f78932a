#include "schema/attributes_column.h"

#include <charconv>

#include <arrow/type.h>

#include "base/base64.h"
#include "schema/any_value_text.h"
#include "schema/double_text.h"

namespace otlp_arrow {
namespace {

using wire::Cursor;
using wire::Tag;

constexpr uint8_t kKeyTag = Tag(1, wire::kLen);
constexpr uint8_t kValueTag = Tag(2, wire::kLen);
constexpr uint8_t kStringTag = Tag(1, wire::kLen);
constexpr uint8_t kBoolTag = Tag(2, wire::kVarint);
constexpr uint8_t kIntTag = Tag(3, wire::kVarint);
constexpr uint8_t kDoubleTag = Tag(4, wire::kFixed64);
constexpr size_t kLongestInt = 20;

std::shared_ptr<arrow::DataType> DictionaryText() { return arrow::dictionary(arrow::int32(), arrow::utf8()); }

const std::shared_ptr<arrow::DataType>& AttributeMapType() {
  static const auto type = arrow::map(DictionaryText(), arrow::utf8());
  return type;
}
const std::shared_ptr<arrow::DataType>& RepeatedMapType() {
  static const auto type = arrow::map(DictionaryText(), DictionaryText());
  return type;
}

std::string_view View(const uint8_t* begin, const uint8_t* end) {
  return {reinterpret_cast<const char*>(begin), static_cast<size_t>(end - begin)};
}

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

std::shared_ptr<arrow::ArrayData> FinishMap(ListOffsets* lists, const std::shared_ptr<arrow::DataType>& type,
                                            std::shared_ptr<arrow::ArrayData> keys, std::shared_ptr<arrow::ArrayData> values) {
  const int64_t entries = keys->length;
  auto entry = FinishStruct(type->field(0)->type(), entries, {std::move(keys), std::move(values)});
  return lists->Finish(type, std::move(entry));
}

}  // namespace

// --- KeyValue messages -----------------------------------------------------------------------------------------------

void ReadKeyValue(Cursor entry, KeyValueParts* parts) {
  parts->key = {};
  parts->value = {};
  parts->has_value = false;
  uint32_t tag;
  Cursor body(nullptr, nullptr);
  while (!entry.done() && wire::ReadTag(&entry, &tag)) {
    if (tag == kKeyTag) {
      if (!wire::ReadLen(&entry, &body)) return;
      parts->key = body.rest();
    } else if (tag == kValueTag) {
      if (!wire::ReadLen(&entry, &body)) return;
      if (parts->has_value) {
        std::string joined(parts->value);
        joined.append(body.rest());
        parts->joined = std::move(joined);
        parts->value = parts->joined;
      } else {
        parts->value = body.rest();
        parts->has_value = true;
      }
    } else if (!wire::SkipValue(&entry, tag)) {
      return;
    }
  }
}

std::string ExactAttributes(const std::vector<std::string_view>& entries) {
  std::string list;
  for (std::string_view entry : entries) {
    list.push_back(static_cast<char>(Tag(1, wire::kLen)));
    AppendVarint(entry.size(), &list);
    list.append(entry);
  }
  std::string text(1, kExactPrefix);
  AppendBase64(list, &text);
  return text;
}

// --- Promoted columns ------------------------------------------------------------------------------------------------

PromotedColumns::PromotedColumns(std::vector<PromotedAttribute> promoted) : columns_(promoted.size()) {
  for (size_t i = 0; i < promoted.size(); ++i) columns_[i].attribute = std::move(promoted[i]);
}

int PromotedColumns::ColumnOf(std::string_view key) const {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].attribute.key == key) return static_cast<int>(i);
  }
  return -1;
}

void PromotedColumns::SetText(int column, int64_t row, std::string_view text) {
  Column& c = columns_[static_cast<size_t>(column)];
  if (c.attribute.type != PromotedAttribute::Type::kString) return;
  c.text.PadTo(row);
  c.text.Append(text);
}

void PromotedColumns::SetInt(int column, int64_t row, int64_t value) {
  Column& c = columns_[static_cast<size_t>(column)];
  if (c.attribute.type == PromotedAttribute::Type::kInt64) c.ints.Set(row, value);
}

void PromotedColumns::SetDouble(int column, int64_t row, double value) {
  Column& c = columns_[static_cast<size_t>(column)];
  if (c.attribute.type == PromotedAttribute::Type::kDouble) c.doubles.Set(row, value);
}

void PromotedColumns::SetBool(int column, int64_t row, bool value) {
  Column& c = columns_[static_cast<size_t>(column)];
  if (c.attribute.type == PromotedAttribute::Type::kBool) c.bools.Set(row, value ? 1 : 0);
}

void PromotedColumns::Finish(int64_t rows, std::vector<std::shared_ptr<arrow::ArrayData>>* arrays) {
  for (Column& c : columns_) {
    switch (c.attribute.type) {
      case PromotedAttribute::Type::kString:
        c.text.PadTo(rows);
        arrays->push_back(c.text.Finish());
        break;
      case PromotedAttribute::Type::kInt64: arrays->push_back(c.ints.Finish(arrow::int64(), rows)); break;
      case PromotedAttribute::Type::kDouble: arrays->push_back(c.doubles.Finish(arrow::float64(), rows)); break;
      case PromotedAttribute::Type::kBool: arrays->push_back(PackBools(c.bools.Finish(arrow::uint8(), rows), &c.bits)); break;
    }
  }
}

void PromotedColumns::Clear() {
  for (Column& c : columns_) {
    c.text.Clear();
    c.ints.Clear();
    c.doubles.Clear();
    c.bools.Clear();
  }
}

void PromotedColumns::AddDictionaries(std::vector<TextDictionary*>* dictionaries) {
  for (Column& c : columns_) {
    if (c.attribute.type == PromotedAttribute::Type::kString) dictionaries->push_back(&c.text.dictionary());
  }
}

// --- AttributesColumn ------------------------------------------------------------------------------------------------

void AttributesColumn::Append(Cursor entry) {
  const size_t at = row_entries_++;
  if (at >= position_count_) [[unlikely]] GrowRow();
  Position& position = positions_[at];
  position.entry = entry.p;
  position.entry_size = entry.left();
  // The common case: the key that stood here on the last row, and one plain scalar of less than 126 bytes.
  const size_t prefix = position.prefix_size;
  if (prefix != 0 && entry.left() >= prefix + 3) [[likely]] {
    const uint8_t* value = entry.p + prefix;  // its length byte
    if (value[0] < 0x80 && value + 1 + value[0] == entry.end && wire::SameBytes(entry.p, position.prefix, prefix) &&
        AppendScalar(position.key, value + 1, entry.end)) {
      return;
    }
  }
  AppendSlowly(entry, &position);
}

void AttributesColumn::GrowRow() {
  positions_.resize(positions_.empty() ? 16 : positions_.size() * 2);
  position_count_ = positions_.size();
  letters_.EnsureRoom(position_count_);
}

// Appends an AnyValue that consists of just one scalar; false (and nothing done) for any other.
[[gnu::always_inline]] inline bool AttributesColumn::AppendScalar(int32_t key, const uint8_t* value, const uint8_t* end) {
  if (end - value < 2) return false;
  const int promoted = key_states_[static_cast<size_t>(key)].promoted;
  const int64_t row = lists_.rows();
  switch (value[0]) {
    case kStringTag: {
      if (value[1] >= 0x80 || value + 2 + value[1] != end) return false;
      if (!ClaimKey(key)) return true;
      const std::string_view text = View(value + 2, end);
      values_.Append(text);
      PushEntry(key, ValueType::kString);
      if (promoted >= 0) promoted_->SetText(promoted, row, text);
      return true;
    }
    case kIntTag: {
      Cursor c(value + 1, end);
      uint64_t bits = 0;
      if (!wire::ReadVarint(&c, &bits) || !c.done()) return false;
      if (!ClaimKey(key)) return true;
      const auto number = static_cast<int64_t>(bits);
      char* out = values_.Room(kLongestInt);
      values_.EndValue(static_cast<size_t>(std::to_chars(out, out + kLongestInt, number).ptr - out));
      PushEntry(key, ValueType::kInt);
      if (promoted >= 0) promoted_->SetInt(promoted, row, number);
      return true;
    }
    case kDoubleTag: {
      if (end - value != 9) return false;
      uint64_t bits;
      std::memcpy(&bits, value + 1, 8);
      const double number = wire::ToDouble(bits);
      if (!ClaimKey(key)) return true;
      if (const size_t size = WriteDoubleText(number, values_.Room(kLongestDouble))) [[likely]] {
        values_.EndValue(size);
      } else {
        std::string text;  // NaN or an infinity
        exact_ |= !AppendDoubleText(number, &text);
        values_.Append(text);
      }
      PushEntry(key, ValueType::kDouble);
      if (promoted >= 0) promoted_->SetDouble(promoted, row, number);
      return true;
    }
    case kBoolTag: {
      if (end - value != 2 || value[1] >= 0x80) return false;
      if (!ClaimKey(key)) return true;
      const bool flag = value[1] != 0;
      values_.Append(flag ? std::string_view("true") : std::string_view("false"));
      PushEntry(key, ValueType::kBool);
      if (promoted >= 0) promoted_->SetBool(promoted, row, flag);
      return true;
    }
    default: return false;
  }
}

void AttributesColumn::AppendSlowly(const Cursor& entry, Position* position) {
  KeyValueParts parts;
  ReadKeyValue(entry, &parts);
  const int32_t key = KeyIndex(parts.key);
  Learn(entry, parts.key, key, position);
  const auto* value = reinterpret_cast<const uint8_t*>(parts.value.data());
  if (parts.has_value && AppendScalar(key, value, value + parts.value.size())) return;
  if (!ClaimKey(key)) return;
  if (!parts.has_value) {
    values_.AppendNull();
    PushEntry(key, ValueType::kAbsent);
    return;
  }
  std::string text;
  ValueType type = ValueType::kEmpty;
  if (!AppendValueText(parts.value, &text, &type)) exact_ = true;
  if (type == ValueType::kEmpty) {
    values_.AppendNull();
  } else {
    values_.Append(text);
  }
  PushEntry(key, type);
  const int promoted = key_states_[static_cast<size_t>(key)].promoted;
  if (promoted >= 0 && type == ValueType::kString) promoted_->SetText(promoted, lists_.rows(), text);
}

void AttributesColumn::Learn(const Cursor& entry, std::string_view key_text, int32_t key, Position* position) {
  position->prefix_size = 0;
  const size_t prefix = key_text.size() + 3;
  if (prefix > sizeof(position->prefix) || entry.left() < prefix) return;
  // Only where the message starts the usual way: key, then value.
  if (entry.p[0] != kKeyTag || entry.p[1] != key_text.size() || entry.p[prefix - 1] != kValueTag) return;
  if (reinterpret_cast<const uint8_t*>(key_text.data()) != entry.p + 2) return;
  std::memcpy(position->prefix, entry.p, prefix);
  position->prefix_size = static_cast<uint32_t>(prefix);
  position->key = key;
}

int32_t AttributesColumn::KeyIndex(std::string_view key) {
  const int32_t index = keys_.Intern(key);
  while (static_cast<int32_t>(key_states_.size()) <= index) {
    KeyState state;
    state.promoted = promoted_ ? promoted_->ColumnOf(key) : -1;
    key_states_.Push(state);
  }
  return index;
}

std::string AttributesColumn::ExactList() const {
  std::vector<std::string_view> entries;
  for (size_t i = 0; i < row_entries_; ++i) entries.push_back(View(positions_[i].entry, positions_[i].entry + positions_[i].entry_size));
  return ExactAttributes(entries);
}

void AttributesColumn::EndRow() {
  lists_.EndRow(keys_.size());
  if (exact_) [[unlikely]] {
    types_.Append(ExactList());
  } else if (all_text_) {
    types_.AppendNull();
  } else {
    types_.Append({letters_.data(), letters_.size()});
  }
  row_entries_ = 0;
  letters_.Clear();
  all_text_ = true;
  exact_ = false;
  if (++row_number_ == 0) {  // wrapped around: forget who had which row
    for (size_t i = 0; i < key_states_.size(); ++i) key_states_[i].last_row = 0;
    row_number_ = 1;
  }
}

void AttributesColumn::EndNullRow() {
  lists_.EndNullRow(keys_.size());
  types_.AppendNull();
}

void AttributesColumn::Finish(std::shared_ptr<arrow::ArrayData>* map, std::shared_ptr<arrow::ArrayData>* types) {
  *map = FinishMap(&lists_, AttributeMapType(), keys_.Finish(), values_.Finish());
  *types = types_.Finish();
}

void AttributesColumn::Clear() {
  lists_.Clear();
  keys_.Clear();
  values_.Clear();
  types_.Clear();
}

void AttributesColumn::AddDictionaries(std::vector<TextDictionary*>* dictionaries) {
  dictionaries->push_back(&keys_.dictionary());
  dictionaries->push_back(&types_.dictionary());
}

void AttributesColumn::ForgetKeys() {
  for (Position& position : positions_) position.prefix_size = 0;
  key_states_.Clear();
}

// --- RepeatedAttributes ----------------------------------------------------------------------------------------------

void RepeatedAttributes::Make(bool present, const std::vector<std::string_view>& entries, AttributeList* list) {
  *list = {};
  list->present = present;
  std::string letters;
  bool all_text = true;
  bool exact = false;
  KeyValueParts parts;
  std::string text;
  for (std::string_view entry : entries) {
    ReadKeyValue(Cursor(entry), &parts);
    const int32_t key = keys_.Intern(parts.key);
    bool twice = false;
    for (int32_t k : list->keys) twice |= k == key;
    if (twice) {
      exact = true;
      continue;
    }
    ValueType type = ValueType::kAbsent;
    text.clear();
    if (parts.has_value && !AppendValueText(parts.value, &text, &type)) exact = true;
    const bool null = type == ValueType::kAbsent || type == ValueType::kEmpty;
    list->has_null |= null;
    list->keys.push_back(key);
    list->values.push_back(null ? kNullIndex : values_.Intern(text));
    letters.push_back(static_cast<char>(type));
    all_text &= type == ValueType::kString;
  }
  if (exact) {
    list->types = types_.Intern(ExactAttributes(entries));
  } else if (!all_text) {
    list->types = types_.Intern(letters);
  }
}

void RepeatedAttributes::Repeat(const AttributeList& list, int64_t n) {
  lists_.EndRun(n, static_cast<int64_t>(list.keys.size()), !list.present);
  types_.AppendRun(n, list.types);
  keys_.indices().AppendRepeated(list.keys.data(), list.keys.size(), static_cast<size_t>(n));
  if (!list.has_null) {
    values_.indices().AppendRepeated(list.values.data(), list.values.size(), static_cast<size_t>(n));
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int32_t value : list.values) values_.AppendIndex(value);
  }
}

void RepeatedAttributes::Finish(std::shared_ptr<arrow::ArrayData>* map, std::shared_ptr<arrow::ArrayData>* types) {
  *map = FinishMap(&lists_, RepeatedMapType(), keys_.Finish(), values_.Finish());
  *types = types_.Finish();
}

void RepeatedAttributes::Clear() {
  lists_.Clear();
  keys_.Clear();
  values_.Clear();
  types_.Clear();
}

void RepeatedAttributes::AddDictionaries(std::vector<TextDictionary*>* dictionaries) {
  dictionaries->push_back(&keys_.dictionary());
  dictionaries->push_back(&values_.dictionary());
  dictionaries->push_back(&types_.dictionary());
}

}  // namespace otlp_arrow
