#include <nanobind/stl/string.h>

#include <limits>
#include <string_view>

#include "bindings.h"

namespace otlp_arrow::python {
namespace {

[[noreturn]] void RaiseType(const char* key, nb::handle value, const char* allowed) {
  Raise(Status::Config(std::string(key) + ": " + ShortRepr(value) + " is of type " + Py_TYPE(value.ptr())->tp_name + "; " + allowed));
}

std::string Text(const char* key, nb::handle value, const char* allowed) {
  if (!PyUnicode_Check(value.ptr())) RaiseType(key, value, allowed);
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (!utf8) {
    PyErr_Clear();
    Raise(Status::Config(std::string(key) + ": " + ShortRepr(value) + " is not valid Unicode; " + allowed));
  }
  return {utf8, static_cast<size_t>(size)};
}

// Any name that the file system may have, undecodable bytes (surrogate escapes) included.
std::string Path(const char* key, nb::handle value) {
  constexpr char kAllowed[] = "give a path as str or os.PathLike";
  if (!PyUnicode_Check(value.ptr())) RaiseType(key, value, kAllowed);
  nb::object bytes = nb::steal(PyUnicode_EncodeFSDefault(value.ptr()));
  if (!bytes.is_valid()) {
    PyErr_Clear();
    Raise(Status::Config(std::string(key) + ": " + ShortRepr(value) + " is not a name that the file system can have; " + kAllowed));
  }
  return {PyBytes_AS_STRING(bytes.ptr()), static_cast<size_t>(PyBytes_GET_SIZE(bytes.ptr()))};
}

// Integers of any type but bool; what does not fit in T cannot be in range either.
template <class T>
T Number(const char* key, nb::handle value) {
  constexpr char kAllowed[] = "give an integer";
  if (PyBool_Check(value.ptr()) || !PyIndex_Check(value.ptr())) RaiseType(key, value, kAllowed);
  nb::object integer = nb::steal(PyNumber_Index(value.ptr()));
  if (!integer.is_valid()) throw nb::python_error();
  const unsigned long long number = PyLong_AsUnsignedLongLong(integer.ptr());
  const bool failed = PyErr_Occurred() != nullptr;
  PyErr_Clear();
  if (failed || number > std::numeric_limits<T>::max()) {
    Raise(Status::Config(std::string(key) + ": " + ShortRepr(value) + " is out of range; allowed are at most 0 to " +
                         std::to_string(std::numeric_limits<T>::max())));
  }
  return static_cast<T>(number);
}

template <class T>
struct Choice {
  std::string_view name;
  T value;
};

template <class T, size_t N>
T OneOf(const char* key, nb::handle value, const Choice<T> (&choices)[N]) {
  std::string allowed = "allowed are";
  for (const auto& choice : choices) allowed.append(&choice == choices ? " " : ", ").append(choice.name);
  const std::string text = Text(key, value, allowed.c_str());
  for (const auto& choice : choices) {
    if (choice.name == text) return choice.value;
  }
  Raise(Status::Config(std::string(key) + ": '" + text + "' is unknown; " + allowed));
}

constexpr Choice<FileFormat> kFormats[] = {{"arrow", FileFormat::kArrow}};
constexpr Choice<Compression> kCompressions[] = {{"none", Compression::kNone}, {"lz4", Compression::kLz4}, {"zstd", Compression::kZstd}};
constexpr Choice<Acknowledge> kAcknowledges[] = {
    {"memory", Acknowledge::kMemory}, {"journal", Acknowledge::kJournal}, {"fsync", Acknowledge::kFsync}};

std::vector<std::string> Texts(const char* key, nb::handle value) {
  constexpr char kAllowed[] = "give a list of str, such as ['http.route', 'http.response.status_code:int64']";
  if (PyUnicode_Check(value.ptr()) || PyBytes_Check(value.ptr()) || !PySequence_Check(value.ptr())) RaiseType(key, value, kAllowed);
  std::vector<std::string> texts;
  for (nb::handle entry : value) texts.push_back(Text(key, entry, kAllowed));
  return texts;
}

}  // namespace

Config ConfigFromPython(nb::handle object) {
  Config config;
  auto number = [&](const char* key, auto* field) { *field = Number<std::remove_pointer_t<decltype(field)>>(key, object.attr(key)); };
  config.output_dir = Path("output_dir", object.attr("output_dir"));
  config.format = OneOf("format", object.attr("format"), kFormats);
  config.compression = OneOf("compression", object.attr("compression"), kCompressions);
  config.acknowledge = OneOf("acknowledge", object.attr("acknowledge"), kAcknowledges);
  number("write_interval_secs", &config.write_interval_secs);
  number("max_file_bytes", &config.max_file_bytes);
  number("memory_budget", &config.memory_budget);
  number("admission_timeout_ms", &config.admission_timeout_ms);
  number("journal_max_bytes", &config.journal_max_bytes);
  number("workers", &config.workers);
  number("shutdown_timeout_secs", &config.shutdown_timeout_secs);
  number("trace_cleanup_interval_secs", &config.trace_cleanup_interval_secs);
  number("metric_cleanup_interval_secs", &config.metric_cleanup_interval_secs);
  number("log_cleanup_interval_secs", &config.log_cleanup_interval_secs);
  number("max_total_bytes", &config.max_total_bytes);
  config.promote_attributes = Texts("promote_attributes", object.attr("promote_attributes"));
  config.log_level = Text("log_level", object.attr("log_level"), "give one of trace, debug, info, warn, error, off");
  RaiseIfFailed(config.Validate());
  return config;
}

void BindConfig(nb::module_& m) {
  m.def(
      "check_config", [](nb::handle config) { (void)ConfigFromPython(config); }, nb::arg("config"),
      "Raises OtlpConfigError for the first setting that cannot be.");
  m.def("default_promoted_attributes", [] {
    nb::list names;
    for (const std::string& name : Config::DefaultPromotedAttributes()) names.append(nb::str(name.c_str()));
    return nb::typed<nb::list, nb::str>(names);
  });
}

}  // namespace otlp_arrow::python
