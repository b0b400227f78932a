#include <nanobind/stl/string.h>

#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings.h"
#include "otlp_arrow/config_builder.h"

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

bool Switch(const char* key, nb::handle value) {
  if (!PyBool_Check(value.ptr())) RaiseType(key, value, "give True or False");
  return value.is(nb::handle(Py_True));
}

// A text that no message may quote.
std::string Secret(const char* key, nb::handle value) {
  if (PyUnicode_Check(value.ptr())) {
    Py_ssize_t size = 0;
    const char* utf8 = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
    if (utf8) return {utf8, static_cast<size_t>(size)};
    PyErr_Clear();
    Raise(Status::Config(std::string(key) + ": the text is not valid Unicode; give a str"));
  }
  Raise(Status::Config(std::string(key) + ": the value is of type " + Py_TYPE(value.ptr())->tp_name + "; give a str"));
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

constexpr Choice<FileFormat> kFormats[] = {{"arrow", FileFormat::kArrow}, {"parquet", FileFormat::kParquet}};
constexpr Choice<std::optional<FileFormat>> kMergedFormats[] = {
    {"same", std::nullopt}, {"arrow", FileFormat::kArrow}, {"parquet", FileFormat::kParquet}};
constexpr Choice<Partitioning> kPartitionings[] = {{"none", Partitioning::kNone}, {"date", Partitioning::kDate}, {"hour", Partitioning::kHour}};
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

std::vector<Signal> Signals(nb::handle value) {
  constexpr char kKey[] = "forwarding.signals", kAllowed[] = "give a list of traces, metrics, logs";
  if (PyUnicode_Check(value.ptr()) || PyBytes_Check(value.ptr()) || !PySequence_Check(value.ptr())) RaiseType(kKey, value, kAllowed);
  std::vector<Signal> signals;
  for (nb::handle entry : value) {
    const std::string name = Text(kKey, entry, kAllowed);
    const auto signal = SignalFromName(name);
    if (!signal) Raise(Status::Config(std::string(kKey) + ": '" + name + "' is unknown; allowed are traces, metrics, logs"));
    signals.push_back(*signal);
  }
  return signals;
}

std::vector<std::pair<std::string, std::string>> Headers(nb::handle value) {
  constexpr char kKey[] = "forwarding.headers", kAllowed[] = "give a mapping of str to str";
  if (!nb::hasattr(value, "items")) {
    Raise(Status::Config(std::string(kKey) + ": a " + Py_TYPE(value.ptr())->tp_name + " is no mapping; " + kAllowed));
  }
  nb::object items = nb::steal(PyMapping_Items(value.ptr()));
  if (!items.is_valid()) throw nb::python_error();
  std::vector<std::pair<std::string, std::string>> headers;
  for (nb::handle item : items) {
    std::string name = Text(kKey, item[0], kAllowed);
    if (!PyUnicode_Check(nb::object(item[1]).ptr())) {
      Raise(Status::Config(std::string(kKey) + ": the value of '" + name + "' is of type " + Py_TYPE(nb::object(item[1]).ptr())->tp_name + "; " + kAllowed));
    }
    std::string text = Secret(kKey, item[1]);
    headers.emplace_back(std::move(name), std::move(text));
  }
  return headers;
}

// The fields of a Python ForwardingConfig, unchecked but for their types.
ForwardingConfig ForwardingFromPython(nb::handle object) {
  ForwardingConfig config;
  const auto number = [&](const char* key, const char* name, auto* field) {
    *field = Number<std::remove_pointer_t<decltype(field)>>(key, object.attr(name));
  };
  const auto text = [&](const char* key, const char* name) { return Text(key, object.attr(name), "give a str"); };
  config.name = text("forwarding.name", "name");
  config.enabled = Switch("forwarding.enabled", object.attr("enabled"));
  config.endpoint = Text("forwarding.endpoint", object.attr("endpoint"), "give a URL, such as http://collector:4317");
  config.protocol = Text("forwarding.protocol", object.attr("protocol"), "give one of grpc, http, flight");
  config.signals = Signals(object.attr("signals"));
  config.compression = Text("forwarding.compression", object.attr("compression"), "give one of none, gzip, zstd, lz4");
  config.headers = Headers(object.attr("headers"));
  config.bearer_token = Secret("forwarding.bearer_token", object.attr("bearer_token"));
  config.username = text("forwarding.username", "username");
  config.password = Secret("forwarding.password", object.attr("password"));
  config.api_key = Secret("forwarding.api_key", object.attr("api_key"));
  config.api_key_header = text("forwarding.api_key_header", "api_key_header");
  config.tls.ca_file = Path("forwarding.tls_ca_file", object.attr("tls_ca_file"));
  config.tls.cert_file = Path("forwarding.tls_cert_file", object.attr("tls_cert_file"));
  config.tls.key_file = Path("forwarding.tls_key_file", object.attr("tls_key_file"));
  config.tls.server_name = text("forwarding.tls_server_name", "tls_server_name");
  number("forwarding.batch_bytes", "batch_bytes", &config.batch_bytes);
  number("forwarding.batch_delay_ms", "batch_delay_ms", &config.batch_delay_ms);
  number("forwarding.max_in_flight", "max_in_flight", &config.max_in_flight);
  number("forwarding.timeout_ms", "timeout_ms", &config.timeout_ms);
  number("forwarding.retry_initial_ms", "retry_initial_ms", &config.retry_initial_ms);
  number("forwarding.retry_max_ms", "retry_max_ms", &config.retry_max_ms);
  number("forwarding.max_retry_secs", "max_retry_secs", &config.max_retry_secs);
  number("forwarding.breaker_failures", "breaker_failures", &config.breaker_failures);
  number("forwarding.breaker_open_ms", "breaker_open_ms", &config.breaker_open_ms);
  return config;
}

// The fields of one destination by their Python names.
nb::dict ForwardingToPython(const ForwardingConfig& config) {
  nb::dict fields, headers;
  nb::list signals;
  for (const Signal signal : config.signals) signals.append(nb::str(SignalName(signal).data(), SignalName(signal).size()));
  for (const auto& [name, value] : config.headers) headers[nb::str(name.c_str())] = value;
  fields["name"] = config.name;
  fields["enabled"] = config.enabled;
  fields["endpoint"] = config.endpoint;
  fields["protocol"] = config.protocol;
  fields["signals"] = nb::tuple(signals);
  fields["compression"] = config.compression;
  fields["headers"] = headers;
  fields["bearer_token"] = config.bearer_token;
  fields["username"] = config.username;
  fields["password"] = config.password;
  fields["api_key"] = config.api_key;
  fields["api_key_header"] = config.api_key_header;
  fields["tls_ca_file"] = config.tls.ca_file;
  fields["tls_cert_file"] = config.tls.cert_file;
  fields["tls_key_file"] = config.tls.key_file;
  fields["tls_server_name"] = config.tls.server_name;
  fields["batch_bytes"] = config.batch_bytes;
  fields["batch_delay_ms"] = config.batch_delay_ms;
  fields["max_in_flight"] = config.max_in_flight;
  fields["timeout_ms"] = config.timeout_ms;
  fields["retry_initial_ms"] = config.retry_initial_ms;
  fields["retry_max_ms"] = config.retry_max_ms;
  fields["max_retry_secs"] = config.max_retry_secs;
  fields["breaker_failures"] = config.breaker_failures;
  fields["breaker_open_ms"] = config.breaker_open_ms;
  return fields;
}

void TakeCompaction(nb::handle object, CompactionConfig* to) {
  const auto number = [&](const char* key, auto* field) { *field = Number<std::remove_pointer_t<decltype(field)>>(key, object.attr(key)); };
  to->enabled = Switch("compaction_enabled", object.attr("compaction_enabled"));
  number("compaction_interval_secs", &to->interval_secs);
  number("compaction_min_age_secs", &to->min_age_secs);
  number("compaction_min_files", &to->min_files);
  number("compaction_target_file_bytes", &to->target_file_bytes);
  number("compaction_window_secs", &to->window_secs);
  to->format = OneOf("compaction_format", object.attr("compaction_format"), kMergedFormats);
  to->partition = OneOf("compaction_partition", object.attr("compaction_partition"), kPartitionings);
}

// Of OTLP_FORWARDING_…, which the builder reads with all the rest.
using Fields = nb::typed<nb::dict, nb::str, nb::any>;
nb::typed<nb::list, Fields> ForwardingFromEnvironment() {
  nb::list destinations;
  for (const auto& config : ValueOrRaise(ConfigBuilder().FromEnvironment().Build()).forwarding) destinations.append(ForwardingToPython(config));
  return nb::typed<nb::list, Fields>(destinations);
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
  config.store = Switch("store", object.attr("store"));
  number("forward_backlog_max_bytes", &config.forward_backlog_max_bytes);
  for (nb::handle destination : nb::object(object.attr("destinations"))) config.forwarding.push_back(ForwardingFromPython(destination));
  config.log_level = Text("log_level", object.attr("log_level"), "give one of trace, debug, info, warn, error, off");
  config.log_format = Text("log_format", object.attr("log_format"), "give one of text, json");
  TakeCompaction(object, &config.compaction);
  number("limits_max_attributes", &config.limits.max_attributes);
  number("limits_max_value_depth", &config.limits.max_value_depth);
  RaiseIfFailed(config.Validate());
  return config;
}

void BindConfig(nb::module_& m) {
  m.def(
      "check_config", [](nb::handle config) { (void)ConfigFromPython(config); }, nb::arg("config"),
      "Raises OtlpConfigError for the first setting that cannot be.");
  m.def(
      "check_forwarding", [](nb::handle config) { RaiseIfFailed(ForwardingFromPython(config).Validate()); }, nb::arg("config"),
      "Raises OtlpConfigError for the first field that cannot be.");
  m.def("forwarding_from_environment", &ForwardingFromEnvironment, "The destinations that OTLP_FORWARDING_... name.");
  m.def("default_promoted_attributes", [] {
    nb::list names;
    for (const std::string& name : Config::DefaultPromotedAttributes()) names.append(nb::str(name.c_str()));
    return nb::typed<nb::list, nb::str>(names);
  });
}

}  // namespace otlp_arrow::python
