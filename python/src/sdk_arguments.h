// Arguments as CPython's vectorcall hands them over, for functions that are called for each span.
#pragma once

#include <array>
#include <string_view>

#include "python_object.h"

namespace otlp_arrow::python {

// Names of the parameters in their order; the first `kRequired` must be given.
template <size_t kCount>
class ArgumentNames {
 public:
  template <class... Texts>
  constexpr ArgumentNames(const char* function, size_t required, Texts... names) : function_(function), required_(required), names_{Name(names)...} {}

  // Fills `out` with borrowed arguments, null where none was given. False, with a TypeError set, for a wrong call.
  bool Parse(PyObject* const* args, Py_ssize_t count, PyObject* keywords, PyObject** out) const {
    if (static_cast<size_t>(count) > kCount) return Wrong("takes %zu arguments at most", kCount);
    size_t i = 0;
    for (; i < static_cast<size_t>(count); ++i) out[i] = args[i];
    for (; i < kCount; ++i) out[i] = nullptr;
    if (keywords) {
      for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(keywords); ++k) {
        PyObject* keyword = PyTuple_GET_ITEM(keywords, k);
        const size_t at = IndexOf(keyword);
        if (at == kCount) {
          PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument %R", function_, keyword);
          return false;
        }
        if (out[at]) {
          PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument %R", function_, keyword);
          return false;
        }
        out[at] = args[count + k];
      }
    }
    for (i = 0; i < required_; ++i) {
      if (!out[i]) {
        PyErr_Format(PyExc_TypeError, "%s() missing a required argument: '%s'", function_, names_[i].text());
        return false;
      }
    }
    return true;
  }

 private:
  bool Wrong(const char* format, size_t number) const {
    const nb::object text = nb::steal(PyUnicode_FromFormat(format, number));
    if (text.is_valid()) PyErr_Format(PyExc_TypeError, "%s() %U", function_, text.ptr());
    return false;
  }
  size_t IndexOf(PyObject* keyword) const {
    for (size_t i = 0; i < kCount; ++i) {
      if (names_[i].get() == keyword) return i;
    }
    for (size_t i = 0; i < kCount; ++i) {
      if (PyUnicode_Compare(names_[i].get(), keyword) == 0) return i;
    }
    return kCount;
  }

  const char* function_;
  size_t required_;
  std::array<Name, kCount> names_;
};
template <class... Texts>
ArgumentNames(const char*, size_t, Texts...) -> ArgumentNames<sizeof...(Texts)>;

}  // namespace otlp_arrow::python
