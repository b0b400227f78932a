#include "convert_dicts.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace otlp_arrow::python {
namespace {

inline const Name kDatetimeModule{"datetime"}, kDatetime{"datetime"}, kFromIso{"fromisoformat"};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool FromHex(std::string_view hex, char* bytes, size_t size) {
  if (hex.size() != 2 * size) return false;
  for (size_t i = 0; i < size; ++i) {
    const int high = HexDigit(hex[2 * i]), low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<char>(high << 4 | low);
  }
  return true;
}

[[noreturn]] void BadId(PyObject* id, size_t size, const char* name) {
  throw Fault(std::string(name) + " is " + ShortRepr(id) + ", and must be an int, " + std::to_string(size) + " bytes or " +
              std::to_string(2 * size) + " hexadecimal digits");
}

nb::object DatetimeClass() {
  const nb::object module = nb::steal(PyImport_ImportModule(kDatetimeModule.text()));
  if (!module.is_valid()) throw nb::python_error();
  return Attr(module.ptr(), kDatetime);
}

// Whole microseconds since 1970: timestamp() would round them.
uint64_t FromDatetime(const nb::object& datetime, const char* name) {
  const nb::object module = nb::module_::import_("datetime");
  const nb::object utc = module.attr("timezone").attr("utc");
  nb::object moment = datetime;
  if (moment.attr("tzinfo").is_none()) moment = moment.attr("replace")(nb::arg("tzinfo") = utc);
  const nb::object since = moment - module.attr("datetime")(1970, 1, 1, nb::arg("tzinfo") = utc);
  const nb::object micros = since.attr("__floordiv__")(module.attr("timedelta")(nb::arg("microseconds") = 1));
  const nb::object nanos = micros * nb::int_(1000);
  return ToUint64(nanos.ptr(), name);
}

std::string KnownNames(std::initializer_list<const Key*> known) {
  std::string names;
  for (const Key* key : known) names += (names.empty() ? "" : ", ") + std::string(key->name.text());
  return names;
}

}  // namespace

DictView::DictView(PyObject* dict, const char* what, std::initializer_list<const Key*> known) : dict_(dict), what_(what) {
  PyObject *name, *value;
  Py_ssize_t position = 0;
  while (PyDict_Next(dict, &position, &name, &value)) {
    const auto is = [name](const Name& one) { return PyUnicode_CompareWithASCIIString(name, one.text()) == 0; };
    const bool found = PyUnicode_Check(name) && std::any_of(known.begin(), known.end(), [&](const Key* key) {
      return is(key->name) || (key->other && is(*key->other));
    });
    if (!found) throw Fault(std::string(what) + " has the key " + ShortRepr(name) + "; keys are " + KnownNames(known));
  }
}

PyObject* DictView::Get(const Key& key) const {
  PyObject* value = Item(dict_, key.name);
  PyObject* other = key.other ? Item(dict_, *key.other) : nullptr;
  const bool has_value = value && value != Py_None;
  const bool has_other = other && other != Py_None;
  if (has_value && has_other) {
    throw Fault(std::string(what_) + " has both " + key.name.text() + " and " + key.other->text() + ", which are the same");
  }
  return has_value ? value : has_other ? other : Py_None;
}

void WriteAnyId(wire::Writer* out, uint32_t field, PyObject* id, size_t size, const char* name) {
  if (id == Py_None) return;
  char bytes[16];
  if (PyBytes_Check(id)) {
    if (PyBytes_GET_SIZE(id) == 0) return;
    if (PyBytes_GET_SIZE(id) != static_cast<Py_ssize_t>(size)) BadId(id, size, name);
    std::memcpy(bytes, PyBytes_AS_STRING(id), size);
  } else if (PyUnicode_Check(id)) {
    const Utf8 text(id);
    std::string_view hex = text.view();
    if (hex.empty()) return;
    if (hex.starts_with("0x")) hex.remove_prefix(2);
    if (!FromHex(hex, bytes, size)) BadId(id, size, name);
  } else {
    if (!IsInt(id)) BadId(id, size, name);
    ToBigEndian(id, reinterpret_cast<uint8_t*>(bytes), size, name);
  }
  out->Bytes(field, {bytes, size});
}

uint64_t TimeOf(PyObject* time, const char* name) {
  if (time == Py_None || PyLong_Check(time) || PyIndex_Check(time)) return ToUint64(time, name);
  const nb::object datetime = DatetimeClass();
  nb::object moment = nb::borrow(time);
  if (PyUnicode_Check(time)) {
    moment = nb::steal(PyObject_CallMethodOneArg(datetime.ptr(), kFromIso.get(), time));
    if (!moment.is_valid()) SwallowError();
  }
  const int is_datetime = moment.is_valid() ? PyObject_IsInstance(moment.ptr(), datetime.ptr()) : 0;
  if (is_datetime <= 0) {
    throw Fault(std::string(name) + " is " + ShortRepr(time) + " (" + TypeName(time) + "), and must be an int of nanoseconds since 1970, a datetime, an ISO 8601 text or None");
  }
  return FromDatetime(moment, name);
}

std::string LowerWord(PyObject* text, std::initializer_list<std::string_view> prefixes) {
  std::string word(Utf8(text).view());
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (std::string_view prefix : prefixes) {
    if (word.starts_with(prefix)) return word.substr(prefix.size());
  }
  return word;
}

}  // namespace otlp_arrow::python
