#include "convert_values.h"

namespace otlp_arrow::python {
namespace {

// Fields of AnyValue.
enum : uint32_t { kString = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5, kMap = 6, kBytes = 7 };

// Elements of one value, nested ones included: lists that hold each other repeatedly would otherwise have no end.
constexpr int64_t kMaxElements = int64_t{1} << 20;
constexpr std::string_view kLeftOut = "<more elements are left out>";
// A live span's dictionary is read under its lock. Whoever holds it that long is gone (a thread lost in a fork).
constexpr double kLockSeconds = 0.1;

inline const Name kDict{"_dict"}, kDropped{"dropped"}, kImmutable{"_immutable"}, kLock{"_lock"};
inline const Name kAcquire{"acquire"}, kRelease{"release"};
inline const Name kAttributesModule{"opentelemetry.attributes"}, kBoundedAttributes{"BoundedAttributes"};
inline const Name kAbcModule{"collections.abc"}, kSequence{"Sequence"}, kMapping{"Mapping"};

std::string_view BytesOf(PyObject* bytes) {
  return {PyBytes_AS_STRING(bytes), static_cast<size_t>(PyBytes_GET_SIZE(bytes))};
}

// None of these runs Python code when it is written.
bool IsScalar(PyObject* value) {
  return PyUnicode_Check(value) || value == Py_None || PyLong_Check(value) || PyFloat_Check(value) || PyBytes_Check(value);
}
bool IsPlain(PyObject* value) {
  if (IsScalar(value)) return true;
  if (!PyTuple_CheckExact(value)) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); ++i) {
    if (!IsScalar(PyTuple_GET_ITEM(value, i))) return false;
  }
  return true;
}

bool IsInstanceOf(PyObject* value, const Name& abc) {
  static PyObject* module = nullptr;
  if (!module && !(module = PyImport_ImportModule(kAbcModule.text()))) throw nb::python_error();
  const int is = PyObject_IsInstance(value, Attr(module, abc).ptr());
  if (is < 0) SwallowError();
  return is > 0;
}

// One value with all that is nested in it.
class ValueWriter {
 public:
  explicit ValueWriter(wire::Writer* out) : out_(out) {}

  void Value(uint32_t field, PyObject* value) {
    if (PyUnicode_Check(value)) {
      Text(field, value);
    } else {
      const auto any = out_->Begin(field);
      if (value != Py_None) Other(value);
      out_->End(any);
    }
  }

 private:
  // The containers that are being written, for a look whether one holds itself.
  struct Frame {
    PyObject* container;
    const Frame* outer;
    int depth;
  };

  void Text(uint32_t field, PyObject* text) {
    const Utf8 utf8(text);
    const std::string_view view = utf8.view();
    const auto any = out_->Begin(field, wire::VarintSize(view.size() + 2));
    out_->Bytes(kString, view);
    out_->End(any);
  }
  void SayText(std::string_view text) { out_->Bytes(kString, text); }
  void SayMore(uint32_t field) {
    const auto any = out_->Begin(field);
    SayText(kLeftOut);
    out_->End(any);
  }

  void Other(PyObject* value) {
    if (PyUnicode_Check(value)) {
      out_->Bytes(kString, Utf8(value).view());
    } else if (PyBool_Check(value)) {
      out_->Varint(kBool, value == Py_True);
    } else if (PyLong_Check(value)) {
      Integer(value);
    } else if (PyFloat_Check(value)) {
      out_->Double(kDouble, PyFloat_AS_DOUBLE(value));
    } else if (PyBytes_Check(value)) {
      out_->Bytes(kBytes, BytesOf(value));
    } else {
      Container(value);
    }
  }

  void Integer(PyObject* value) {
    int64_t integer = 0;
    if (ToInt64(value, &integer)) {
      out_->Varint(kInt, static_cast<uint64_t>(integer));
    } else {
      out_->Bytes(kString, Utf8(IntegerText(value).ptr()).view());
    }
  }

  void Container(PyObject* value) {
    const bool list = PyList_Check(value) || PyTuple_Check(value);
    if (!list && !PyDict_Check(value) && !IsInstanceOf(value, kSequence) && !IsInstanceOf(value, kMapping)) {
      return Foreign(value);
    }
    for (const Frame* frame = frame_; frame; frame = frame->outer) {
      if (frame->container == value) return SayText("<contains itself>");
    }
    const Frame frame{value, frame_, frame_ ? frame_->depth + 1 : 1};
    if (frame.depth > kMaxDepth) return SayText("<nested too deep>");
    frame_ = &frame;
    if (list || (!PyDict_Check(value) && IsInstanceOf(value, kSequence))) {
      Elements(value);
    } else {
      Entries(value);
    }
    frame_ = frame.outer;
  }

  // The copy is ours: elements may run Python code, and that may change `sequence`.
  void Elements(PyObject* sequence) {
    const nb::object elements = nb::steal(PyTuple_CheckExact(sequence) ? Py_NewRef(sequence) : PySequence_Tuple(sequence));
    if (!elements.is_valid()) return Unreadable(sequence);
    const auto array = out_->Begin(kArray);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(elements.ptr()); ++i) {
      if (++elements_ > kMaxElements) {
        SayMore(1);
        break;
      }
      Value(1, PyTuple_GET_ITEM(elements.ptr(), i));
    }
    out_->End(array);
  }

  void Entries(PyObject* mapping) {
    const nb::object entries = nb::steal(PyMapping_Items(mapping));
    if (!entries.is_valid()) return Unreadable(mapping);
    const auto map = out_->Begin(kMap);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(entries.ptr()); ++i) {
      if (++elements_ > kMaxElements) {
        out_->TextAttribute(1, "", kLeftOut);
        break;
      }
      PyObject* entry = PyList_GET_ITEM(entries.ptr(), i);
      if (!PyTuple_Check(entry) || PyTuple_GET_SIZE(entry) != 2) continue;
      const auto key_value = out_->Begin(1);
      out_->NonEmpty(1, Utf8(SafeStr(PyTuple_GET_ITEM(entry, 0)).ptr()).view());
      Value(2, PyTuple_GET_ITEM(entry, 1));
      out_->End(key_value);
    }
    out_->End(map);
  }

  // Numbers of other libraries count as what they are; the rest is text.
  void Foreign(PyObject* value) {
    if (PyIndex_Check(value)) {
      const nb::object integer = nb::steal(PyNumber_Index(value));
      if (integer.is_valid()) return Integer(integer.ptr());
      SwallowError();
    }
    out_->Bytes(kString, Utf8(SafeStr(value).ptr()).view());
  }

  void Unreadable(PyObject* container) {
    const nb::object type = nb::borrow(PyErr_Occurred());
    SwallowError();
    const char* error = type.is_valid() ? reinterpret_cast<PyTypeObject*>(type.ptr())->tp_name : "nothing";
    SayText("<" + TypeName(container) + ": reading raised " + error + ">");
  }

  wire::Writer* out_;
  const Frame* frame_ = nullptr;
  int64_t elements_ = 0;
};

void WriteEntry(wire::Writer* out, uint32_t field, PyObject* key, PyObject* value) {
  const Utf8 name = TextOf(key);
  if (PyUnicode_Check(value)) [[likely]] {
    const Utf8 text(value);
    return out->TextAttribute(field, name.view(), text.view());
  }
  const auto key_value = out->Begin(field);
  out->NonEmpty(1, name.view());
  ValueWriter(out).Value(2, value);
  out->End(key_value);
}

// From the entry `first` on, out of a copy: writing them may run Python code, and that may change the dictionary.
void WriteCopiedEntries(wire::Writer* out, uint32_t field, PyObject* dict, Py_ssize_t first) {
  const nb::object copy = nb::steal(PyDict_Copy(dict));
  if (!copy.is_valid()) throw nb::python_error();
  PyObject *key, *value;
  Py_ssize_t position = 0;
  for (Py_ssize_t i = 0; PyDict_Next(copy.ptr(), &position, &key, &value); ++i) {
    if (i >= first) WriteEntry(out, field, key, value);
  }
}

void WriteDict(wire::Writer* out, uint32_t field, PyObject* dict) {
  PyObject *key, *value;
  Py_ssize_t position = 0;
  for (Py_ssize_t i = 0; PyDict_Next(dict, &position, &key, &value); ++i) {
    if (!PyUnicode_Check(key) || !IsPlain(value)) [[unlikely]] return WriteCopiedEntries(out, field, dict, i);
    const nb::object keep = nb::borrow(value);
    WriteEntry(out, field, key, value);
  }
}

void WriteMapping(wire::Writer* out, uint32_t field, PyObject* mapping, const char* name) {
  const bool text = PyUnicode_Check(mapping) || PyBytes_Check(mapping);
  const nb::object items = text ? nb::object() : nb::steal(PyMapping_Check(mapping) ? PyMapping_Items(mapping) : nullptr);
  if (!items.is_valid()) {
    SwallowError();
    throw Fault(std::string(name) + " is " + ShortRepr(mapping) + " (" + TypeName(mapping) + "), and must be a mapping or None");
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.ptr()); ++i) {
    PyObject* entry = PyList_GET_ITEM(items.ptr(), i);
    if (!PyTuple_Check(entry) || PyTuple_GET_SIZE(entry) != 2) throw Fault(std::string(name) + " has items() that are no pairs");
    WriteEntry(out, field, PyTuple_GET_ITEM(entry, 0), PyTuple_GET_ITEM(entry, 1));
  }
}

// True for the SDK's own class; a class of somebody's that derives from it may keep its entries elsewhere.
bool IsBoundedAttributes(PyObject* object) {
  static PyTypeObject* type = nullptr;
  if (Py_TYPE(object) == type) return true;
  if (type) return false;
  nb::object loaded = LoadedAttr(kAttributesModule, kBoundedAttributes);
  if (!loaded.is_valid() || !PyType_Check(loaded.ptr())) return false;
  type = reinterpret_cast<PyTypeObject*>(loaded.release().ptr());
  return Py_TYPE(object) == type;
}

// The dictionary of a span that is still open: a replaced entry is out of it for a moment, under the lock.
nb::object CopyUnderLock(PyObject* attributes, const nb::object& dict) {
  const nb::object lock = Attr(attributes, kLock);
  const nb::object locked = nb::steal(PyObject_CallMethod(lock.ptr(), kAcquire.text(), "Od", Py_True, kLockSeconds));
  if (!locked.is_valid()) throw nb::python_error();
  nb::object copy = nb::steal(PyDict_Copy(dict.ptr()));
  if (locked.ptr() == Py_True) {
    const nb::object released = nb::steal(PyObject_CallMethodNoArgs(lock.ptr(), kRelease.get()));
    if (!released.is_valid()) throw nb::python_error();
  }
  if (!copy.is_valid()) throw nb::python_error();
  return copy;
}

}  // namespace

void WriteAnyValue(wire::Writer* out, uint32_t field, PyObject* value) { ValueWriter(out).Value(field, value); }

void WriteAttributes(wire::Writer* out, uint32_t field, PyObject* attributes, const char* name) {
  if (IsBoundedAttributes(attributes)) {
    const nb::object dict = Attr(attributes, kDict);
    if (!PyDict_CheckExact(dict.ptr())) return WriteMapping(out, field, dict.ptr(), name);
    if (Attr(attributes, kImmutable).ptr() == Py_True) return WriteDict(out, field, dict.ptr());
    return WriteDict(out, field, CopyUnderLock(attributes, dict).ptr());
  }
  if (attributes == Py_None) return;
  if (PyDict_CheckExact(attributes)) return WriteDict(out, field, attributes);
  WriteMapping(out, field, attributes, name);
}

uint32_t DroppedAttributes(PyObject* attributes) {
  if (!IsBoundedAttributes(attributes)) return 0;
  return ToUint32(Attr(attributes, kDropped).ptr(), "dropped attributes");
}

}  // namespace otlp_arrow::python
