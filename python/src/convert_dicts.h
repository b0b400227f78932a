// Dictionaries as spans and log records: keys that have more than one name, ids and times in several forms.
#pragma once

#include <initializer_list>
#include <string>

#include "otlp_arrow/wire_writer.h"
#include "python_object.h"

namespace otlp_arrow::python {

// A key of a dictionary form, and another name that it may have.
struct Key {
  const Name& name;
  const Name* other = nullptr;
};

// A dictionary whose keys are looked up by name. `what` names it in messages: "event".
class DictView {
 public:
  // Fault at a key that is none of `known`.
  DictView(PyObject* dict, const char* what, std::initializer_list<const Key*> known);

  // Borrowed; None where the key is missing. Fault where two names of the key are there.
  PyObject* Get(const Key& key) const;
  bool Has(const Key& key) const { return Get(key) != Py_None; }
  uint32_t Uint32(const Key& key) const { return ToUint32(Get(key), key.name.text()); }
  const char* what() const { return what_; }

 private:
  PyObject* dict_;
  const char* what_;
};

// An id as an int, as bytes of that size, or in hexadecimal with or without "0x". Nothing is written for None and "".
void WriteAnyId(wire::Writer* out, uint32_t field, PyObject* id, size_t size, const char* name);
// Nanoseconds since 1970 out of an int, a datetime (without a zone: UTC) or an ISO 8601 text; 0 for None.
uint64_t TimeOf(PyObject* time, const char* name);
// "SpanKind.SERVER", "SPAN_KIND_SERVER", "server" -> "server". `prefixes` are in lower case.
std::string LowerWord(PyObject* text, std::initializer_list<std::string_view> prefixes);

}  // namespace otlp_arrow::python
