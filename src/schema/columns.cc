#include "schema/columns.h"

#include <arrow/type.h>

#define XXH_INLINE_ALL  // short texts hash without a call
#include <xxhash.h>

namespace otlp_arrow {
namespace {

const std::shared_ptr<arrow::DataType>& TextType() {
  static const auto type = arrow::utf8();
  return type;
}

const std::shared_ptr<arrow::DataType>& DictionaryTextType() {
  static const auto type = arrow::dictionary(arrow::int32(), arrow::utf8());
  return type;
}

void ClearBits(uint8_t* bits, uint32_t first, uint32_t n) {
  const uint32_t end = first + n;
  for (; first < end && first % 8 != 0; ++first) bits[first / 8] = static_cast<uint8_t>(bits[first / 8] & ~(1u << (first % 8)));
  const uint32_t whole = (end - first) / 8;
  std::memset(bits + first / 8, 0, whole);
  for (first += whole * 8; first < end; ++first) bits[first / 8] = static_cast<uint8_t>(bits[first / 8] & ~(1u << (first % 8)));
}

}  // namespace

std::shared_ptr<arrow::Buffer> NullRows::Bitmap(int64_t length) {
  if (count_ == 0) return nullptr;
  const size_t bytes = static_cast<size_t>((length + 7) / 8);
  bits_.Clear();
  bits_.PushN(bytes, 0xff);
  for (size_t i = 0; i < runs_.size(); ++i) ClearBits(bits_.data(), static_cast<uint32_t>(runs_[i].first), static_cast<uint32_t>(runs_[i].length));
  return bits_.Borrow();
}

std::shared_ptr<arrow::ArrayData> TextColumn::Finish() {
  return arrow::ArrayData::Make(TextType(), size(), {nulls_.Bitmap(size()), offsets_.Borrow(), bytes_.Borrow()}, nulls_.count());
}

void SparseTextColumn::Settle() {
  if (pending_row_ < 0) return;
  text_.PadTo(pending_row_);
  text_.Append(pending_);
  pending_row_ = -1;
}

void SparseTextColumn::Set(int64_t row, std::string_view text) {
  if (row != pending_row_) Settle();
  pending_.assign(text);
  pending_row_ = row;
}

std::shared_ptr<arrow::ArrayData> SparseTextColumn::Finish(int64_t rows) {
  Settle();
  text_.PadTo(rows);
  return text_.Finish();
}

void SparseTextColumn::Clear() {
  text_.Clear();
  pending_row_ = -1;
}

const std::shared_ptr<arrow::DataType>& TimeType() {
  static const auto type = arrow::timestamp(arrow::TimeUnit::NANO);
  return type;
}

int32_t TextDictionary::Find(std::string_view text) {
  if (slots_.empty()) Rehash();
  const auto hash = static_cast<uint32_t>(XXH3_64bits(text.data(), text.size()));
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  for (; slots_[at].index >= 0; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && Is(slots_[at].index, text)) return slots_[at].index;
  }
  const int32_t index = size();
  bytes_.Append(text.data(), text.size());
  offsets_.Push(static_cast<int32_t>(bytes_.size()));
  slots_[at] = {hash, index};
  if (static_cast<size_t>(size()) * 2 > slots_.size()) Rehash();
  return index;
}

void TextDictionary::Rehash() {
  std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2, Slot{0, -1});
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.index < 0) continue;
    size_t at = slot.hash & mask;
    while (slots_[at].index >= 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

void TextDictionary::Clear() {
  offsets_.SetSize(1);
  bytes_.Clear();
  slots_.clear();
  recent_.fill({});
}

std::shared_ptr<arrow::ArrayData> TextDictionary::Borrow() const {
  return arrow::ArrayData::Make(TextType(), size(), {nullptr, offsets_.Borrow(), bytes_.Borrow()}, 0);
}

std::shared_ptr<arrow::ArrayData> DictionaryColumn::Finish() {
  // Null rows carry index 0; some readers check even those against the dictionary, so it is not left empty.
  if (nulls_.count() > 0 && dictionary_.size() == 0) (void)dictionary_.Intern("");
  auto data = arrow::ArrayData::Make(DictionaryTextType(), size(), {nulls_.Bitmap(size()), indices_.Borrow()}, nulls_.count());
  data->dictionary = dictionary_.Borrow();
  return data;
}

void ListOffsets::EndRun(int64_t n, int64_t each, bool null_rows) {
  if (null_rows) nulls_.AddRun(rows(), n);
  offsets_.EnsureRoom(static_cast<size_t>(n));
  int32_t at = offsets_.back();
  for (int64_t i = 0; i < n; ++i) offsets_.PushUnchecked(at += static_cast<int32_t>(each));
}

std::shared_ptr<arrow::ArrayData> ListOffsets::Finish(const std::shared_ptr<arrow::DataType>& type, std::shared_ptr<arrow::ArrayData> child) {
  return arrow::ArrayData::Make(type, rows(), {nulls_.Bitmap(rows()), offsets_.Borrow()}, {std::move(child)}, nulls_.count());
}

std::shared_ptr<arrow::ArrayData> PackBools(const std::shared_ptr<arrow::ArrayData>& bytes, PodVector<uint8_t>* bits) {
  const auto rows = static_cast<size_t>(bytes->length);
  const uint8_t* values = bytes->buffers[1]->data();
  bits->Clear();
  bits->PushN((rows + 7) / 8, 0);
  for (size_t i = 0; i < rows; ++i) (*bits)[i / 8] = static_cast<uint8_t>((*bits)[i / 8] | (values[i] << (i % 8)));
  return arrow::ArrayData::Make(arrow::boolean(), bytes->length, {bytes->buffers[0], bits->Borrow()}, bytes->null_count.load());
}

std::shared_ptr<arrow::ArrayData> FinishStruct(const std::shared_ptr<arrow::DataType>& type, int64_t rows,
                                               std::vector<std::shared_ptr<arrow::ArrayData>> children) {
  return arrow::ArrayData::Make(type, rows, {nullptr}, std::move(children), 0);
}

}  // namespace otlp_arrow
