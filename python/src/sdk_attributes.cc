#include "sdk_attributes.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "sdk_log.h"

namespace otlp_arrow::python {
namespace {

using ring::Attribute;
using ring::Attributes;
using ring::Value;

// Containers within containers, and elements of one value with all that is nested in it: lists that hold each other
// repeatedly would otherwise have no end.
constexpr int kMaxDepth = 30;
constexpr int64_t kMaxElements = int64_t{1} << 20;

const Name kAbcModule("collections.abc"), kMapping("Mapping"), kSequence("Sequence"), kStr("__str__"), kRepr("__repr__");
const Name kItself("<contains itself>"), kTooDeep("<nested too deep>"), kTooMany("<more elements are left out>");

bool IsInstanceOf(PyObject* value, const Name& abc) {
  static PyObject* module = nullptr;
  if (!module && !(module = PyImport_ImportModule(kAbcModule.text()))) throw nb::python_error();
  const int is = PyObject_IsInstance(value, Attr(module, abc).ptr());
  if (is < 0) SwallowError();
  return is > 0;
}

// What str() says of an object is worth something where its type has a say in it.
bool HasText(PyObject* value) {
  PyTypeObject* type = Py_TYPE(value);
  return type->tp_str != PyBaseObject_Type.tp_str || type->tp_repr != PyBaseObject_Type.tp_repr;
}

nb::object ExactText(PyObject* text) {
  nb::object exact = nb::steal(PyUnicode_FromObject(text));
  if (!exact.is_valid()) throw nb::python_error();
  return exact;
}

class Cleaner {
 public:
  explicit Cleaner(Py_ssize_t max_length) : max_length_(max_length) {}

  nb::object Clean(PyObject* value) {
    if (PyUnicode_Check(value)) return Text(value);
    if (value == Py_None || PyLong_Check(value) || PyFloat_Check(value) || PyBytes_Check(value)) return nb::borrow(value);
    const bool sequence = PyTuple_Check(value) || PyList_Check(value) || (!PyDict_Check(value) && IsInstanceOf(value, kSequence));
    if (!sequence && !PyDict_Check(value) && !IsInstanceOf(value, kMapping)) return Foreign(value);
    for (const Frame* frame = frame_; frame; frame = frame->outer) {
      if (frame->container == value) return nb::borrow(kItself.get());
    }
    const Frame frame{value, frame_, frame_ ? frame_->depth + 1 : 1};
    if (frame.depth > kMaxDepth) return nb::borrow(kTooDeep.get());
    frame_ = &frame;
    nb::object cleaned = sequence ? Sequence(value) : Mapping(value);
    frame_ = frame.outer;
    return cleaned;
  }

 private:
  struct Frame {
    PyObject* container;
    const Frame* outer;
    int depth;
  };

  nb::object Text(PyObject* text) {
    if (max_length_ >= 0 && PyUnicode_GET_LENGTH(text) > max_length_) {
      nb::object cut = nb::steal(PyUnicode_Substring(text, 0, max_length_));
      if (!cut.is_valid()) throw nb::python_error();
      return cut;
    }
    return PyUnicode_CheckExact(text) ? nb::borrow(text) : ExactText(text);
  }

  nb::object Sequence(PyObject* sequence) {
    const nb::object elements = nb::steal(PySequence_Tuple(sequence));
    if (!elements.is_valid()) return Unreadable(sequence);
    const Py_ssize_t size = PyTuple_GET_SIZE(elements.ptr());
    const Py_ssize_t room = std::min<Py_ssize_t>(size, std::max<int64_t>(0, kMaxElements - elements_));
    nb::object cleaned = nb::steal(PyTuple_New(room + (room < size)));
    if (!cleaned.is_valid()) throw nb::python_error();
    elements_ += room;
    for (Py_ssize_t i = 0; i < room; ++i) PyTuple_SET_ITEM(cleaned.ptr(), i, Clean(PyTuple_GET_ITEM(elements.ptr(), i)).release().ptr());
    if (room < size) PyTuple_SET_ITEM(cleaned.ptr(), room, Py_NewRef(kTooMany.get()));
    return cleaned;
  }

  nb::object Mapping(PyObject* mapping) {
    const nb::object items = nb::steal(PyMapping_Items(mapping));
    if (!items.is_valid()) return Unreadable(mapping);
    nb::object cleaned = nb::steal(PyDict_New());
    if (!cleaned.is_valid()) throw nb::python_error();
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.ptr()) && elements_ < kMaxElements; ++i, ++elements_) {
      PyObject* item = PyList_GET_ITEM(items.ptr(), i);
      if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) continue;
      const nb::object key = CleanKey(PyTuple_GET_ITEM(item, 0));
      if (!key.is_valid()) continue;
      if (PyDict_SetItem(cleaned.ptr(), key.ptr(), Clean(PyTuple_GET_ITEM(item, 1)).ptr()) != 0) throw nb::python_error();
    }
    return cleaned;
  }

  nb::object Foreign(PyObject* value) {
    WarnOfMistake("an attribute's value is of the type %s; bool, str, bytes, int, float, None, sequences and mappings of such "
                  "are taken as they are, this one %s", Py_TYPE(value)->tp_name, HasText(value) ? "as its str()" : "is replaced by None");
    if (!HasText(value)) return nb::none();
    const nb::object text = SafeStr(value);
    if (!text.is_valid()) throw nb::python_error();
    return Text(text.ptr());
  }

  nb::object Unreadable(PyObject* container) {
    SwallowError();
    WarnOfMistake("an attribute's value of the type %s cannot be read; it is replaced by None", Py_TYPE(container)->tp_name);
    return nb::none();
  }

  Py_ssize_t max_length_;
  const Frame* frame_ = nullptr;
  int64_t elements_ = 0;
};

bool IsCleanText(PyObject* text, Py_ssize_t max_length) {
  return PyUnicode_CheckExact(text) && (max_length < 0 || PyUnicode_GET_LENGTH(text) <= max_length);
}
bool IsCleanScalar(PyObject* value, Py_ssize_t max_length) {
  return IsCleanText(value, max_length) || PyLong_CheckExact(value) || PyFloat_CheckExact(value) || PyBool_Check(value) || value == Py_None ||
         PyBytes_CheckExact(value);
}

}  // namespace

nb::object CleanValue(PyObject* value, Py_ssize_t max_length) {
  if (IsCleanScalar(value, max_length)) [[likely]] return nb::borrow(value);
  return Cleaner(max_length).Clean(value);
}

nb::object CleanKey(PyObject* key) {
  if (PyUnicode_Check(key)) {
    if (PyUnicode_GET_LENGTH(key) > 0) return PyUnicode_CheckExact(key) ? nb::borrow(key) : ExactText(key);
    WarnOfMistake("an attribute's key is empty: it is left out");
    return {};
  }
  WarnOfMistake("an attribute's key is of the type %s, and must be a str: %s", Py_TYPE(key)->tp_name, HasText(key) ? "its str() is taken" : "it is left out");
  const int is_true = PyObject_IsTrue(key);
  if (is_true < 0) SwallowError();
  if (is_true <= 0 || !HasText(key)) return {};
  nb::object text = SafeStr(key);
  return text.is_valid() && PyUnicode_GET_LENGTH(text.ptr()) > 0 ? ExactText(text.ptr()) : nb::object();
}

CleanItems::CleanItems(PyObject* mapping, Py_ssize_t max_length) : max_length_(max_length) {
  if (!mapping || mapping == Py_None) return;
  if (PyMapping_Check(mapping) && !PyUnicode_Check(mapping) && !PyBytes_Check(mapping)) items_ = nb::steal(PyMapping_Items(mapping));
  if (items_.is_valid()) return;
  SwallowError();
  WarnOfMistake("attributes are of the type %s, and must be a mapping: they are left out", Py_TYPE(mapping)->tp_name);
}

bool CleanItems::Next(nb::object* key, nb::object* value, uint32_t* dropped) {
  while (items_.is_valid() && at_ < PyList_GET_SIZE(items_.ptr())) {
    PyObject* item = PyList_GET_ITEM(items_.ptr(), at_++);
    if (PyTuple_Check(item) && PyTuple_GET_SIZE(item) == 2) {
      *key = CleanKey(PyTuple_GET_ITEM(item, 0));
      if (key->is_valid()) {
        *value = CleanValue(PyTuple_GET_ITEM(item, 1), max_length_);
        return true;
      }
    }
    ++*dropped;
  }
  return false;
}

bool PutAttribute(PyObject* into, PyObject* clean_key, PyObject* clean_value, const AttributeLimits& limits, uint32_t* dropped) {
  if (limits.max_count >= 0 && PyDict_GET_SIZE(into) >= limits.max_count) {
    const int known = PyDict_Contains(into, clean_key);
    if (known < 0) throw nb::python_error();
    if (!known) {
      ++*dropped;
      return false;
    }
  }
  if (PyDict_SetItem(into, clean_key, clean_value) != 0) throw nb::python_error();
  return true;
}

bool IsClean(PyObject* mapping, const AttributeLimits& limits) {
  if (!PyDict_CheckExact(mapping) || (limits.max_count >= 0 && PyDict_GET_SIZE(mapping) > limits.max_count)) return false;
  PyObject *key, *value;
  Py_ssize_t position = 0;
  while (PyDict_Next(mapping, &position, &key, &value)) {
    if (!PyUnicode_CheckExact(key) || PyUnicode_GET_LENGTH(key) == 0 || !IsCleanScalar(value, limits.max_length)) return false;
  }
  return true;
}

nb::object CleanAttributes(PyObject* mapping, const AttributeLimits& limits, uint32_t* dropped) {
  const bool clean = mapping && IsClean(mapping, limits);
  nb::object cleaned = nb::steal(clean ? PyDict_Copy(mapping) : PyDict_New());
  if (!cleaned.is_valid()) throw nb::python_error();
  if (!clean) MergeAttributes(cleaned.ptr(), mapping, limits, dropped, [](PyObject*, PyObject*) {});
  return cleaned;
}

// --- AttributeViews ---

Attributes AttributeViews::Of(PyObject* dict) {
  if (!dict) return {};
  const auto size = static_cast<size_t>(PyDict_GET_SIZE(dict));
  if (size == 0) return {};
  auto* attributes = Make<Attribute>(size);
  size_t count = 0;
  PyObject *key, *value;
  Py_ssize_t position = 0;
  while (count < size && PyDict_Next(dict, &position, &key, &value)) {
    const ring::Ref ref = KeyOf(key);
    if (ref == 0) [[unlikely]] continue;
    new (&attributes[count++]) Attribute{ref, ValueOf(value)};
  }
  return {attributes, count};
}

ring::Ref AttributeViews::NewKey(PyObject* key) noexcept {
  try {
    return keys_->RefOf(key, writer_);
  } catch (const std::exception&) {  // the dictionary is full, or there is no memory
    return 0;
  }
}

Value AttributeViews::ValueOf(PyObject* value) {
  if (PyUnicode_Check(value)) return Value(TextOf(value));
  if (PyBool_Check(value)) return Value(value == Py_True);
  if (PyLong_Check(value)) {
    int64_t integer = 0;
    if (ToInt64(value, &integer)) [[likely]] return Value(integer);
    return Value(Copy(Utf8(IntegerText(value).ptr()).view()));
  }
  if (PyFloat_Check(value)) return Value(PyFloat_AS_DOUBLE(value));
  return OtherValue(value);
}

Value AttributeViews::OtherValue(PyObject* value) {
  if (PyBytes_Check(value)) return Value::Bytes({PyBytes_AS_STRING(value), static_cast<size_t>(PyBytes_GET_SIZE(value))});
  if (PyDict_Check(value)) return Value::Map(Of(value));
  if (!PyTuple_Check(value)) return Value();
  const auto size = static_cast<size_t>(PyTuple_GET_SIZE(value));
  auto* elements = Make<Value>(size);
  for (size_t i = 0; i < size; ++i) new (&elements[i]) Value(ValueOf(PyTuple_GET_ITEM(value, static_cast<Py_ssize_t>(i))));
  return Value(std::span<const Value>(elements, size));
}

void* AttributeViews::MakeElsewhere(size_t size) {
  auto* memory = static_cast<std::byte*>(::operator new(kAlignment + size));  // aligned for everything
  more_ = new (memory) Block{more_};
  return memory + kAlignment;
}

void AttributeViews::FreeMore() {
  while (more_) ::operator delete(std::exchange(more_, more_->next));
}

std::string_view AttributeViews::OtherText(PyObject* text) {
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(text, &size);  // kept by the str itself
  if (utf8) return {utf8, static_cast<size_t>(size)};
  SwallowError();
  return Copy(Utf8(text).view());
}

std::string_view AttributeViews::Copy(std::string_view text) {
  char* copy = Make<char>(text.size() + 1);
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

}  // namespace otlp_arrow::python
