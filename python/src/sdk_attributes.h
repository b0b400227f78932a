// Attributes of a program as the native SDK takes them: any mistake in them costs the attribute, never the call.
// Everything here wants the GIL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "mmap_values.h"
#include "otlp_arrow/ring/ring_writer.h"
#include "otlp_arrow/ring/values.h"
#include "python_object.h"

namespace otlp_arrow::python {

struct AttributeLimits {
  Py_ssize_t max_count = -1;   // -1: any number
  Py_ssize_t max_length = -1;  // characters of a text; -1: any number
};

// A value that stays as it is: str, bool, int, float, bytes, None, and tuples and dictionaries of such. Texts are cut at
// `max_length`, sequences become tuples; what is none of these becomes its str(), with a warning.
nb::object CleanValue(PyObject* value, Py_ssize_t max_length);
// An exact str that is not empty. Not valid, after a warning, for what is no key.
nb::object CleanKey(PyObject* key);

// A dictionary of such values: a copy. `mapping` may be None. Adds to `dropped` what was left out: beyond the limit the
// attributes that come last, and those without a usable key.
nb::object CleanAttributes(PyObject* mapping, const AttributeLimits& limits, uint32_t* dropped);
// The same into a dictionary that has some already. Calls `added(key, value)`, both borrowed, for each.
template <class Added>
void MergeAttributes(PyObject* into, PyObject* mapping, const AttributeLimits& limits, uint32_t* dropped, const Added& added);
// Puts one into `into`; false where the limit leaves no room for it.
bool PutAttribute(PyObject* into, PyObject* clean_key, PyObject* clean_value, const AttributeLimits& limits, uint32_t* dropped);
// True for an exact dict with nothing to clean in it, within the limits.
bool IsClean(PyObject* mapping, const AttributeLimits& limits);

// Clean attributes as a ring takes them: views of the Python objects' own memory, good as long as these and this object
// live. No Python code runs here.
class AttributeViews {
 public:
  AttributeViews(KeyCache* keys, ring::RingWriter* writer) : keys_(keys), writer_(writer) {}
  ~AttributeViews() {
    if (more_) [[unlikely]] FreeMore();
  }
  AttributeViews(const AttributeViews&) = delete;
  AttributeViews& operator=(const AttributeViews&) = delete;

  // Of a clean dictionary or null. Attributes whose keys the ring has no room for are left out.
  ring::Attributes Of(PyObject* dict);
  ring::Attribute Of(PyObject* key, PyObject* value) { return {KeyOf(key), ValueOf(value)}; }
  // Of a value that CleanValue gave.
  ring::Value ValueOf(PyObject* value);
  std::string_view TextOf(PyObject* text) {
    if (PyUnicode_IS_COMPACT_ASCII(text)) [[likely]] {
      return {static_cast<const char*>(PyUnicode_DATA(text)), static_cast<size_t>(PyUnicode_GET_LENGTH(text))};
    }
    return OtherText(text);
  }
  // 0 where the ring has no room for it.
  ring::Ref KeyOf(PyObject* key) noexcept {
    const ring::Ref known = keys_->Known(key);
    return known != 0 ? known : NewKey(key);
  }

 private:
  // Memory beyond that of the object itself.
  struct Block {
    Block* next;
  };

  ring::Ref NewKey(PyObject* key) noexcept;
  ring::Value OtherValue(PyObject* value);
  std::string_view OtherText(PyObject* text);
  std::string_view Copy(std::string_view text);
  template <class T>
  T* Make(size_t count) {
    static_assert(alignof(T) <= kAlignment);
    const size_t size = (count * sizeof(T) + kAlignment - 1) & ~(kAlignment - 1);
    if (size > static_cast<size_t>(first_ + sizeof(first_) - next_)) [[unlikely]] return static_cast<T*>(MakeElsewhere(size));
    return reinterpret_cast<T*>(std::exchange(next_, next_ + size));
  }
  void* MakeElsewhere(size_t size);
  void FreeMore();

  static constexpr size_t kAlignment = alignof(std::max_align_t);
  KeyCache* keys_;
  ring::RingWriter* writer_;
  std::byte* next_ = first_;
  Block* more_ = nullptr;
  alignas(kAlignment) std::byte first_[1024];
};

// --- Implementation ---

// Key and value pairs of any mapping, cleaned.
class CleanItems {
 public:
  // A mapping that cannot be read has no items, after a warning.
  CleanItems(PyObject* mapping, Py_ssize_t max_length);
  // Those of them that have no usable key are counted instead. False at the end.
  bool Next(nb::object* key, nb::object* value, uint32_t* dropped);

 private:
  nb::object items_;  // a list of pairs
  Py_ssize_t at_ = 0;
  Py_ssize_t max_length_;
};

template <class Added>
void MergeAttributes(PyObject* into, PyObject* mapping, const AttributeLimits& limits, uint32_t* dropped, const Added& added) {
  CleanItems items(mapping, limits.max_length);
  nb::object key, value;
  while (items.Next(&key, &value, dropped)) {
    if (PutAttribute(into, key.ptr(), value.ptr(), limits, dropped)) added(key.ptr(), value.ptr());
  }
}

}  // namespace otlp_arrow::python
