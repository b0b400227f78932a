// The growing columns that the decoders fill. They hand out Arrow arrays that borrow their memory, and keep it for the
// next batch: at a steady rate decoding allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type_fwd.h>

#include "otlp/wire.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace otlp_arrow {

// memcpy for the short runs of attribute texts, without a call below 32 bytes.
inline void CopyShort(char* to, const char* from, size_t n) {
  if (n > 32) {
    std::memcpy(to, from, n);
  } else if (n >= 16) {
    char head[16], tail[16];
    std::memcpy(head, from, 16);
    std::memcpy(tail, from + n - 16, 16);
    std::memcpy(to, head, 16);
    std::memcpy(to + n - 16, tail, 16);
  } else if (n >= 8) {
    uint64_t head, tail;
    std::memcpy(&head, from, 8);
    std::memcpy(&tail, from + n - 8, 8);
    std::memcpy(to, &head, 8);
    std::memcpy(to + n - 8, &tail, 8);
  } else if (n >= 4) {
    uint32_t head, tail;
    std::memcpy(&head, from, 4);
    std::memcpy(&tail, from + n - 4, 4);
    std::memcpy(to, &head, 4);
    std::memcpy(to + n - 4, &tail, 4);
  } else {
    for (size_t i = 0; i < n; ++i) to[i] = from[i];
  }
}

// A vector of plain values that does not initialise what it grows by.
template <class T>
class PodVector {
 public:
  PodVector() = default;
  PodVector(const PodVector&) = delete;
  PodVector& operator=(const PodVector&) = delete;
  PodVector(PodVector&& o) noexcept : data_(o.data_), size_(o.size_), capacity_(o.capacity_) { o.data_ = nullptr, o.size_ = o.capacity_ = 0; }
  ~PodVector() { std::free(data_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }
  T* end() { return data_ + size_; }

  // Room for n more, so that n unchecked pushes may follow.
  void EnsureRoom(size_t n) {
    if (size_ + n > capacity_) [[unlikely]] Grow(n);
  }
  void PushUnchecked(T value) { data_[size_++] = value; }
  void Push(T value) {
    EnsureRoom(1);
    PushUnchecked(value);
  }
  void PushN(size_t n, T value) {
    EnsureRoom(n);
    for (T* p = data_ + size_; p < data_ + size_ + n; ++p) *p = value;
    size_ += n;
  }
  void Append(const T* values, size_t n) {
    EnsureRoom(n);
    if (n) std::memcpy(data_ + size_, values, n * sizeof(T));
    size_ += n;
  }
  // `times` copies of a short sequence, one behind the other.
  void AppendRepeated(const T* values, size_t n, size_t times) {
    const size_t total = n * times;
    if (total == 0) return;
    EnsureRoom(total);
    T* to = data_ + size_;
    std::memcpy(to, values, n * sizeof(T));
    for (size_t done = n; done < total;) {  // doubling
      const size_t step = done < total - done ? done : total - done;
      std::memcpy(to + done, to, step * sizeof(T));
      done += step;
    }
    size_ += total;
  }
  void SetSize(size_t n) { size_ = n; }
  void Clear() { size_ = 0; }

  // A buffer over the current content; valid until the next change.
  std::shared_ptr<arrow::Buffer> Borrow() const {
    static const uint8_t kNothing[8] = {};
    const auto* bytes = size_ ? reinterpret_cast<const uint8_t*>(data_) : kNothing;
    return std::make_shared<arrow::Buffer>(bytes, static_cast<int64_t>(size_ * sizeof(T)));
  }

 private:
  [[gnu::noinline]] void Grow(size_t n) {
    size_t wanted = capacity_ * 2 > 64 ? capacity_ * 2 : 64;
    if (wanted < size_ + n) wanted = size_ + n;
    void* grown = std::realloc(static_cast<void*>(data_), wanted * sizeof(T));
    if (!grown) throw std::bad_alloc();
    data_ = static_cast<T*>(grown);
    capacity_ = wanted;
  }

  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// Which rows of a column are null, kept as runs of them. Rows are added in order.
class NullRows {
 public:
  void Add(int64_t row) { AddRun(row, 1); }
  void AddRun(int64_t first, int64_t n) {
    if (n <= 0) return;
    count_ += n;
    if (runs_.size() > 0 && runs_.back().first + runs_.back().length == first) {
      runs_.back().length += static_cast<int32_t>(n);
    } else {
      runs_.Push({static_cast<int32_t>(first), static_cast<int32_t>(n)});
    }
  }
  int64_t count() const { return count_; }
  void Clear() {
    runs_.Clear();
    count_ = 0;
  }
  // The validity bitmap of `length` rows, or null where every row is valid.
  std::shared_ptr<arrow::Buffer> Bitmap(int64_t length);

 private:
  struct Run {
    int32_t first, length;
  };
  PodVector<Run> runs_;
  PodVector<uint8_t> bits_;
  int64_t count_ = 0;
};

// Fixed-width values, one pushed per row.
template <class T>
class FixedColumn {
 public:
  void Append(T value) { values_.Push(value); }
  void AppendNull() {
    nulls_.Add(static_cast<int64_t>(values_.size()));
    values_.Push(T{});
  }
  // Zero is how proto3 says "not set".
  void AppendNullIfZero(T value) {
    if (value == T{}) nulls_.Add(static_cast<int64_t>(values_.size()));
    values_.Push(value);
  }
  int64_t size() const { return static_cast<int64_t>(values_.size()); }
  std::shared_ptr<arrow::ArrayData> Finish(const std::shared_ptr<arrow::DataType>& type) {
    return arrow::ArrayData::Make(type, size(), {nulls_.Bitmap(size()), values_.Borrow()}, nulls_.count());
  }
  void Clear() {
    values_.Clear();
    nulls_.Clear();
  }

 private:
  PodVector<T> values_;
  NullRows nulls_;
};

// Values that are zero on nearly every row: only the others are written.
template <class T>
class ZeroedColumn {
 public:
  void Set(int64_t row, T value) {
    Pad(row);
    values_.Push(value);
  }
  std::shared_ptr<arrow::ArrayData> Finish(const std::shared_ptr<arrow::DataType>& type, int64_t rows) {
    Pad(rows);
    return arrow::ArrayData::Make(type, rows, {nullptr, values_.Borrow()}, 0);
  }
  void Clear() { values_.Clear(); }

 private:
  void Pad(int64_t row) {
    // A field given twice: the last one holds.
    if (static_cast<int64_t>(values_.size()) > row) values_.SetSize(static_cast<size_t>(row));
    if (static_cast<int64_t>(values_.size()) < row) values_.PushN(static_cast<size_t>(row) - values_.size(), T{});
  }
  PodVector<T> values_;
};

// Fixed-width values, null on every row that nothing was set for.
template <class T>
class SparseColumn {
 public:
  void Set(int64_t row, T value) {
    if (static_cast<int64_t>(values_.size()) > row) {
      values_[static_cast<size_t>(row)] = value;
      return;
    }
    Pad(row);
    values_.Push(value);
  }
  void SetRun(int64_t first, int64_t n, T value) {
    Pad(first);
    values_.PushN(static_cast<size_t>(n), value);
  }
  std::shared_ptr<arrow::ArrayData> Finish(const std::shared_ptr<arrow::DataType>& type, int64_t rows) {
    Pad(rows);
    return arrow::ArrayData::Make(type, rows, {nulls_.Bitmap(rows), values_.Borrow()}, nulls_.count());
  }
  void Clear() {
    values_.Clear();
    nulls_.Clear();
  }

 private:
  void Pad(int64_t row) {
    const auto missing = row - static_cast<int64_t>(values_.size());
    if (missing <= 0) return;
    nulls_.AddRun(static_cast<int64_t>(values_.size()), missing);
    values_.PushN(static_cast<size_t>(missing), T{});
  }
  PodVector<T> values_;
  NullRows nulls_;
};

// Variable-length text, one pushed per row.
class TextColumn {
 public:
  TextColumn() { offsets_.Push(0); }
  void Append(std::string_view text) {
    bytes_.EnsureRoom(text.size());
    CopyShort(bytes_.end(), text.data(), text.size());
    EndValue(text.size());
  }
  void AppendNull() {
    nulls_.Add(size());
    EndValue();
  }
  void AppendNullIfEmpty(std::string_view text) {
    if (text.empty()) return AppendNull();
    Append(text);
  }
  // Null up to `rows` rows.
  void PadTo(int64_t rows) {
    if (size() >= rows) return;
    nulls_.AddRun(size(), rows - size());
    offsets_.PushN(static_cast<size_t>(rows - size()), static_cast<int32_t>(bytes_.size()));
  }
  // For values made in place: write at most `n` bytes behind the returned pointer, then say how many.
  char* Room(size_t n) {
    bytes_.EnsureRoom(n);
    return bytes_.end();
  }
  void EndValue(size_t written) {
    bytes_.SetSize(bytes_.size() + written);
    EndValue();
  }
  int64_t size() const { return static_cast<int64_t>(offsets_.size()) - 1; }
  int64_t byte_size() const { return static_cast<int64_t>(bytes_.size()); }
  std::shared_ptr<arrow::ArrayData> Finish();
  void Clear() {
    offsets_.SetSize(1);
    bytes_.Clear();
    nulls_.Clear();
  }

 private:
  void EndValue() { offsets_.Push(static_cast<int32_t>(bytes_.size())); }
  PodVector<int32_t> offsets_;
  PodVector<char> bytes_;
  NullRows nulls_;
};

// Text that most rows lack: null on every row that nothing was set for.
class SparseTextColumn {
 public:
  // Rows must not go backwards; text set again for the last row replaces it.
  void Set(int64_t row, std::string_view text);
  std::shared_ptr<arrow::ArrayData> Finish(int64_t rows);
  void Clear();

 private:
  TextColumn text_;
  std::string pending_;
  int64_t pending_row_ = -1;
  void Settle();
};

// Writes 2 * n lower-case hex digits; n is a multiple of 8.
inline void WriteHex(const uint8_t* bytes, size_t n, char* out) {
#if defined(__SSE2__)
  const __m128i low_nibble = _mm_set1_epi8(0x0f);
  const __m128i nine = _mm_set1_epi8(9);
  const __m128i zero_char = _mm_set1_epi8('0');
  const __m128i to_letter = _mm_set1_epi8('a' - '0' - 10);
  for (size_t i = 0; i < n; i += 8) {
    const __m128i v = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes + i));
    const __m128i high = _mm_and_si128(_mm_srli_epi16(v, 4), low_nibble);
    const __m128i low = _mm_and_si128(v, low_nibble);
    const __m128i nibbles = _mm_unpacklo_epi8(high, low);
    const __m128i letters = _mm_and_si128(_mm_cmpgt_epi8(nibbles, nine), to_letter);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * i), _mm_add_epi8(_mm_add_epi8(nibbles, zero_char), letters));
  }
#else
  static constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < n; ++i) {
    out[2 * i] = kDigits[bytes[i] >> 4];
    out[2 * i + 1] = kDigits[bytes[i] & 15];
  }
#endif
}

// Trace (16 bytes) and span ids (8 bytes) as lower-case hex; an empty id is null.
template <size_t kIdBytes>
class IdColumn {
 public:
  // Ids of another length are never given here: the scan rejects their items.
  void Append(std::string_view id) {
    if (id.size() != kIdBytes) return text_.AppendNull();
    WriteHex(reinterpret_cast<const uint8_t*>(id.data()), kIdBytes, text_.Room(2 * kIdBytes));
    text_.EndValue(2 * kIdBytes);
  }
  int64_t size() const { return text_.size(); }
  std::shared_ptr<arrow::ArrayData> Finish() { return text_.Finish(); }
  void Clear() { text_.Clear(); }

 private:
  TextColumn text_;
};
using TraceIdColumn = IdColumn<16>;
using SpanIdColumn = IdColumn<8>;

// timestamp[ns] without a zone, the type of every time.
const std::shared_ptr<arrow::DataType>& TimeType();

// Distinct texts in order of first use.
class TextDictionary {
 public:
  TextDictionary() { offsets_.Push(0); }
  int32_t Intern(std::string_view text) {
    const size_t n = text.size();
    uint64_t head = 0, tail = 0;
    if (n >= 8) {
      std::memcpy(&head, text.data(), 8);
      std::memcpy(&tail, text.data() + n - 8, 8);
    } else if (n >= 4) {
      uint32_t first, last;
      std::memcpy(&first, text.data(), 4);
      std::memcpy(&last, text.data() + n - 4, 4);
      head = uint64_t{last} << 32 | first;
    } else if (n > 0) {
      const auto byte = [&](size_t i) { return uint64_t{static_cast<uint8_t>(text[i])}; };
      head = byte(0) | byte(n / 2) << 8 | byte(n - 1) << 16;
    }
    // The texts met last, by length and both ends; up to 16 bytes that is the whole text.
    const uint64_t mixed = (head ^ (tail * 0x9e3779b97f4a7c15ull) ^ n) * 0xc2b2ae3d27d4eb4full;
    Recent& recent = recent_[mixed >> (64 - kRecentBits)];
    if (recent.size == n && recent.head == head && recent.tail == tail && recent.index >= 0 && (n <= 16 || Is(recent.index, text))) {
      return recent.index;
    }
    const int32_t index = Find(text);
    recent = {head, tail, n, index};
    return index;
  }
  std::string_view operator[](int32_t index) const {
    const auto i = static_cast<size_t>(index);
    return {bytes_.data() + offsets_[i], static_cast<size_t>(offsets_[i + 1] - offsets_[i])};
  }
  int32_t size() const { return static_cast<int32_t>(offsets_.size()) - 1; }
  int64_t byte_size() const { return static_cast<int64_t>(bytes_.size() + offsets_.size() * 4 + slots_.size() * sizeof(Slot)); }
  std::shared_ptr<arrow::ArrayData> Borrow() const;
  void Clear();

 private:
  bool Is(int32_t index, std::string_view text) const {
    const std::string_view known = (*this)[index];
    return known.size() == text.size() && wire::SameBytes(known.data(), text.data(), text.size());
  }
  struct Slot {
    uint32_t hash;
    int32_t index;  // -1: free
  };
  static constexpr int kRecentBits = 6;
  struct Recent {
    uint64_t head = 0, tail = 0;
    size_t size = 0;
    int32_t index = -1;
  };
  int32_t Find(std::string_view text);
  void Rehash();

  PodVector<int32_t> offsets_;
  PodVector<char> bytes_;
  std::vector<Slot> slots_;
  std::array<Recent, 1 << kRecentBits> recent_{};
};

// Indices into a dictionary, one pushed per row; kNullIndex for null.
inline constexpr int32_t kNullIndex = -1;
class DictionaryColumn {
 public:
  int32_t Intern(std::string_view text) { return dictionary_.Intern(text); }
  int32_t InternOrNull(std::string_view text) { return text.empty() ? kNullIndex : dictionary_.Intern(text); }
  void AppendIndex(int32_t index) {
    if (index < 0) {
      nulls_.Add(size());
      index = 0;
    }
    indices_.Push(index);
  }
  void AppendValid(int32_t index) { indices_.Push(index); }
  void Append(std::string_view text) { indices_.Push(dictionary_.Intern(text)); }
  void AppendNull() { AppendIndex(kNullIndex); }
  void AppendNullIfEmpty(std::string_view text) { AppendIndex(InternOrNull(text)); }
  void AppendRun(int64_t n, int32_t index) {
    if (index < 0) {
      nulls_.AddRun(size(), n);
      index = 0;
    }
    indices_.PushN(static_cast<size_t>(n), index);
  }
  // Sparse use: rows without a value so far become null.
  void PadTo(int64_t row) {
    if (size() < row) AppendRun(row - size(), kNullIndex);
  }
  int64_t size() const { return static_cast<int64_t>(indices_.size()); }
  PodVector<int32_t>& indices() { return indices_; }
  TextDictionary& dictionary() { return dictionary_; }
  const TextDictionary& dictionary() const { return dictionary_; }
  std::shared_ptr<arrow::ArrayData> Finish();
  void Clear() {
    indices_.Clear();
    nulls_.Clear();
  }

 private:
  PodVector<int32_t> indices_;
  NullRows nulls_;
  TextDictionary dictionary_;
};

// Where each row's list begins in the child columns.
class ListOffsets {
 public:
  ListOffsets() { offsets_.Push(0); }
  void EndRow(int64_t child_size) { offsets_.Push(static_cast<int32_t>(child_size)); }
  void EndNullRow(int64_t child_size) {
    nulls_.Add(rows());
    EndRow(child_size);
  }
  // Null up to `row` rows.
  void PadTo(int64_t row, int64_t child_size) {
    if (rows() >= row) return;
    nulls_.AddRun(rows(), row - rows());
    offsets_.PushN(static_cast<size_t>(row - rows()), static_cast<int32_t>(child_size));
  }
  // n rows that each hold the next `each` children, the children being there already.
  void EndRun(int64_t n, int64_t each, bool null_rows);
  int64_t rows() const { return static_cast<int64_t>(offsets_.size()) - 1; }
  int32_t last() { return offsets_.back(); }
  std::shared_ptr<arrow::ArrayData> Finish(const std::shared_ptr<arrow::DataType>& type, std::shared_ptr<arrow::ArrayData> child);
  void Clear() {
    offsets_.SetSize(1);
    nulls_.Clear();
  }

 private:
  PodVector<int32_t> offsets_;
  NullRows nulls_;
};

// Bytes of 0 and 1 as a boolean array over `bits`.
std::shared_ptr<arrow::ArrayData> PackBools(const std::shared_ptr<arrow::ArrayData>& bytes, PodVector<uint8_t>* bits);

// The arrays of a struct without nulls of its own.
std::shared_ptr<arrow::ArrayData> FinishStruct(const std::shared_ptr<arrow::DataType>& type, int64_t rows,
                                               std::vector<std::shared_ptr<arrow::ArrayData>> children);

}  // namespace otlp_arrow
