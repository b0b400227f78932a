// Arguments of the functions that record into a ring: they come as CPython's vectorcall hands them over, because they are
// called too often for a general dispatch.
#pragma once

#include <nanobind/nanobind.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "python_object.h"

namespace otlp_arrow::python {

struct Parameter {
  Name name;
  Name alias{nullptr};  // a second spelling, for keywords alone
};

// `positional` of the parameters may be given by place, the others by name alone; the first `required` must be given.
struct Signature {
  const char* function;
  std::span<const Parameter> parameters;
  size_t positional;
  size_t required;

  // Fills `out` with borrowed arguments, null where none was given. Raises TypeError as Python's own functions do.
  void Parse(PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, PyObject** out) const {
    const auto count = static_cast<size_t>(PyVectorcall_NARGS(static_cast<size_t>(nargs)));
    if (kwnames || count < required || count > positional) [[unlikely]] return ParseAll(args, count, kwnames, out);
    size_t i = 0;
    for (; i < count; ++i) out[i] = args[i];
    for (; i < parameters.size(); ++i) out[i] = nullptr;
  }

 private:
  void ParseAll(PyObject* const* args, size_t count, PyObject* kwnames, PyObject** out) const;
  size_t IndexOf(PyObject* keyword) const;
};

// An argument and what a message calls it: "record_span_end: trace_id".
struct Argument {
  const char* function;
  const char* name;
  PyObject* value;  // borrowed

  [[noreturn]] void WrongType(const char* wanted) const;
  [[noreturn]] void WrongValue(const char* wanted) const;
};

inline bool IsNone(PyObject* value) { return !value || value == Py_None; }

// An int from `least` to `most`. TypeError, ValueError.
int64_t IntegerArgument(const Argument& argument, int64_t least, int64_t most, const char* wanted);
// Nanoseconds since 1970.
inline uint64_t TimeArgument(const Argument& argument) {
  return static_cast<uint64_t>(IntegerArgument(argument, 1, INT64_MAX, "nanoseconds since 1970, an int from 1 to 2**63 - 1"));
}
inline uint32_t Uint32Argument(const Argument& argument) {
  if (IsNone(argument.value)) return 0;
  return static_cast<uint32_t>(IntegerArgument(argument, 0, UINT32_MAX, "an int from 0 to 2**32 - 1"));
}
// The argument's UTF-8, which lives as long as it; nothing for None.
Utf8 TextArgument(const Argument& argument);

// `size` bytes out of bytes, another buffer, or a list of integers. TypeError, ValueError.
void BytesOfOther(const Argument& argument, uint8_t* out, size_t size);
inline void BytesArgument(const Argument& argument, uint8_t* out, size_t size) {
  if (PyBytes_CheckExact(argument.value) && static_cast<size_t>(PyBytes_GET_SIZE(argument.value)) == size) [[likely]] {
    std::memcpy(out, PyBytes_AS_STRING(argument.value), size);
  } else {
    BytesOfOther(argument, out, size);
  }
}
// `size` is a multiple of 8.
inline bool IsZero(const uint8_t* bytes, size_t size) {
  uint64_t any = 0;
  for (size_t i = 0; i < size; i += sizeof(any)) {
    uint64_t word;
    std::memcpy(&word, bytes + i, sizeof(word));
    any |= word;
  }
  return any == 0;
}
// As above; an id of zeros is a ValueError.
template <size_t kSize>
std::array<uint8_t, kSize> IdArgument(const Argument& argument) {
  std::array<uint8_t, kSize> id;
  BytesArgument(argument, id.data(), kSize);
  if (IsZero(id.data(), kSize)) argument.WrongValue("not zero in all bytes: that stands for no id");
  return id;
}

// A member of an enumeration: its number, its name in any case, or an object with such a `name`. `names` are in the order
// of their numbers from `first` on.
int32_t EnumArgument(const Argument& argument, std::span<const char* const> names, int32_t first, const char* wanted);

}  // namespace otlp_arrow::python
