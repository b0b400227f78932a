// What the conversions of the three signals share: going through the items, and exceptions that name the item.
#pragma once

#include <functional>
#include <string>

#include "python_object.h"

namespace otlp_arrow::python {

// Raises OtlpExportError; an exception that is set becomes its __cause__.
[[noreturn]] void RaiseExportError(const std::string& message);

// Calls `convert` for each item of an iterable. A Fault or an exception from one becomes an OtlpExportError that begins
// with "<what> 3 of 7". `taken` says what an argument must be: "an iterable of spans".
void ForEachItem(PyObject* items, const char* what, const char* taken, const std::function<void(PyObject*)>& convert);

// Number of items where the object has a length, else 0.
size_t ExpectedItems(PyObject* items);

// A guess of a request's size by what earlier ones took.
class SizeGuess {
 public:
  size_t For(size_t items) const { return items * bytes_per_item_ + kOverhead; }
  void Learn(size_t items, size_t bytes) {
    if (items >= kTelling) bytes_per_item_ = bytes / items + bytes / items / 8 + 1;
  }

 private:
  static constexpr size_t kOverhead = 512;
  static constexpr size_t kTelling = 8;  // smaller requests say little
  size_t bytes_per_item_ = 400;
};

}  // namespace otlp_arrow::python
