// Attributes of Python as those of a ring: views of the Python objects' own memory, which are good for one call.
#pragma once

#include <array>
#include <cstddef>
#include <memory_resource>
#include <string_view>
#include <vector>

#include "python_object.h"
#include "otlp_arrow/ring/ring_writer.h"
#include "otlp_arrow/ring/values.h"

namespace otlp_arrow::python {

// References of keys by the str object, so that a key that a program uses again costs no look at its text. Of two keys that
// share a place the later one has it. All of it wants the GIL.
class KeyCache {
 public:
  KeyCache() = default;
  ~KeyCache();
  KeyCache(const KeyCache&) = delete;
  KeyCache& operator=(const KeyCache&) = delete;

  // 0 where it is not there.
  ring::Ref Known(PyObject* key) const {
    const Entry& entry = entries_[PlaceOf(key)];
    return entry.key == key ? entry.ref : 0;
  }
  // Raises what interning fails with. `key` is a str.
  ring::Ref RefOf(PyObject* key, ring::RingWriter* writer) {
    const Entry& entry = entries_[PlaceOf(key)];
    return entry.key == key ? entry.ref : Intern(key, writer);
  }

 private:
  struct Entry {
    PyObject* key = nullptr;  // owned, so that no other object takes its address
    ring::Ref ref = 0;
  };
  static constexpr int kBits = 11;
  static size_t PlaceOf(PyObject* key) {
    return static_cast<size_t>((reinterpret_cast<uint64_t>(key) >> 4) * 0x9E3779B97F4A7C15ull >> (64 - kBits));
  }
  ring::Ref Intern(PyObject* key, ring::RingWriter* writer);

  std::array<Entry, size_t{1} << kBits> entries_{};
};

// What one call hands to the ring. What it makes lives as long as itself.
class ValueViews {
 public:
  // `hold`: what the views look at is kept alive here as well, for a call during which other Python code runs.
  ValueViews(const char* function, KeyCache* keys, ring::RingWriter* writer, bool hold)
      : function_(function), keys_(keys), writer_(writer), hold_(hold) {}
  ValueViews(const ValueViews&) = delete;
  ValueViews& operator=(const ValueViews&) = delete;

  // Of a mapping or None. TypeError and ValueError name `name`, the key and the value.
  ring::Attributes AttributesOf(const char* name, PyObject* mapping);
  // A value that is no attribute, e.g. a body.
  ring::Value ValueOf(const char* name, PyObject* value);

 private:
  // Where a value stands, for messages and for a look whether a container holds itself.
  struct Place {
    const char* name;
    PyObject* key;        // null: none
    const Place* outer;   // the container around
    PyObject* container;  // null at a value that is none
    int depth;
  };

  ring::Attributes FromDict(PyObject* dict, const Place& place);
  ring::Attributes FromItems(PyObject* mapping, const Place& place);
  bool Plain(PyObject* value, ring::Value* out);
  ring::Value Any(PyObject* value, const Place& place);
  ring::Value Array(PyObject* sequence, const Place& place);
  ring::Value Foreign(PyObject* value, const Place& place);
  std::string_view Text(PyObject* text);
  ring::Ref KeyOf(PyObject* key, const Place& place);
  PyObject* Keep(nb::object object);
  template <class T>
  T* Make(size_t count) {
    return static_cast<T*>(memory_.allocate(count * sizeof(T), alignof(T)));
  }
  [[noreturn]] void Wrong(PyObject* type, const Place& place, PyObject* value, const char* wanted) const;

  const char* function_;
  KeyCache* keys_;
  ring::RingWriter* writer_;
  bool hold_;
  std::vector<nb::object> kept_;
  alignas(std::max_align_t) std::byte first_[2048];
  std::pmr::monotonic_buffer_resource memory_{first_, sizeof(first_)};
};

}  // namespace otlp_arrow::python
