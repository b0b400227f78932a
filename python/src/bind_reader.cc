// Reading: what is stored, and OTLP requests, as Arrow streams in PyCapsules
// (https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html).
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <arrow/c/abi.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bindings.h"
#include "otlp_arrow/reader.h"
#include "wait.h"

namespace otlp_arrow::python {
namespace {

Signal SignalOf(std::string_view name) {
  const auto signal = SignalFromName(name);
  if (!signal) Raise(Status::Config("signal: '" + std::string(name) + "' is unknown; allowed are traces, metrics, logs"));
  return *signal;
}

// The capsule releases the stream that nobody has taken.
nb::object StreamCapsule(ArrowArrayStream* stream) {
  return nb::steal(PyCapsule_New(stream, "arrow_array_stream", [](PyObject* capsule) {
    auto* held = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, "arrow_array_stream"));
    if (held->release) held->release(held);
    delete held;
  }));
}

nb::object SchemaCapsule(ArrowSchema* schema) {
  return nb::steal(PyCapsule_New(schema, "arrow_schema", [](PyObject* capsule) {
    auto* held = static_cast<ArrowSchema*>(PyCapsule_GetPointer(capsule, "arrow_schema"));
    if (held->release) held->release(held);
    delete held;
  }));
}

// Calls `fill` with an empty stream and without the GIL.
template <class Fill>
nb::object MakeStream(Fill fill) {
  auto stream = std::make_unique<ArrowArrayStream>();
  *stream = {};
  Status status;
  {
    nb::gil_scoped_release release;
    status = fill(stream.get());
  }
  RaiseIfFailed(status);
  return StreamCapsule(stream.release());
}

// A reader and what is to be read: immutable, to be read any number of times.
class Query {
 public:
  Query(std::shared_ptr<StoreReader> reader, std::string_view signal, ReadOptions options)
      : reader_(std::move(reader)), signal_(SignalOf(signal)), options_(std::move(options)) {}

  nb::object Stream() const {
    return MakeStream([this](ArrowArrayStream* stream) { return reader_->Read(signal_, options_, stream); });
  }

  nb::object Schema() const {
    ArrowArrayStream stream{};
    auto schema = std::make_unique<ArrowSchema>();
    *schema = {};
    Status status;
    {
      nb::gil_scoped_release release;
      status = reader_->Read(signal_, options_, &stream);
      if (status.ok() && stream.get_schema(&stream, schema.get()) != 0) status = Status::Io("the schema cannot be exported");
      if (stream.release) stream.release(&stream);
    }
    RaiseIfFailed(status);
    return SchemaCapsule(schema.release());
  }

  std::vector<std::string> ColumnNames() const {
    ArrowArrayStream stream{};
    ArrowSchema schema{};
    nb::gil_scoped_release release;
    std::vector<std::string> names;
    Status status = reader_->Read(signal_, options_, &stream);
    if (status.ok() && stream.get_schema(&stream, &schema) == 0) {
      for (int64_t i = 0; i < schema.n_children; ++i) names.emplace_back(schema.children[i]->name);
    }
    if (schema.release) schema.release(&schema);
    if (stream.release) stream.release(&stream);
    nb::gil_scoped_acquire acquire;
    RaiseIfFailed(status);
    return names;
  }

  int64_t CountRows() const {
    return ValueOrRaise(RunInterruptibly([query = *this] { return query.reader_->CountRows(query.signal_, query.options_); }));
  }

 private:
  std::shared_ptr<StoreReader> reader_;
  Signal signal_;
  ReadOptions options_;
};

Query MakeQuery(const std::shared_ptr<StoreReader>& reader, std::string_view signal, std::optional<int64_t> start,
                std::optional<int64_t> end, std::vector<std::string> services, std::vector<std::string> trace_ids, std::vector<std::string> columns, bool include_journal) {
  ReadOptions options;
  options.start = start;
  options.end = end;
  options.services = std::move(services);
  options.trace_ids = std::move(trace_ids);
  options.columns = std::move(columns);
  options.include_journal = include_journal;
  return Query(reader, signal, std::move(options));
}

nb::object RequestsAsStream(std::string_view signal_name, const nb::list& requests) {
  const Signal signal = SignalOf(signal_name);
  std::vector<std::string> texts;
  for (nb::handle request : requests) {
    const auto bytes = nb::cast<nb::bytes>(request);
    texts.emplace_back(bytes.c_str(), bytes.size());
  }
  return MakeStream([&](ArrowArrayStream* stream) { return ReadRequests(signal, texts, {}, stream); });
}

}  // namespace

void BindReader(nb::module_& m) {
  nb::class_<Query>(m, "Query", "Rows of one table of a directory, read anew each time.")
      .def("stream", &Query::Stream, "An `arrow_array_stream` capsule.")
      .def("schema", &Query::Schema, "An `arrow_schema` capsule.")
      .def("column_names", &Query::ColumnNames)
      .def("count_rows", &Query::CountRows);
  nb::class_<StoreReader>(m, "StoreReader", "The tables of a directory.")
      .def(nb::new_([](const nb::bytes& path) { return ValueOrRaise(StoreReader::Open({path.c_str(), path.size()})); }),
           nb::arg("path"), "`path` as the file system has it: os.fsencode().")
      .def("query", &MakeQuery, nb::arg("signal"), nb::kw_only(), nb::arg("start").none(), nb::arg("end").none(), nb::arg("services"),
           nb::arg("trace_ids"), nb::arg("columns"), nb::arg("include_journal"));
  m.def("requests_as_stream", &RequestsAsStream, nb::arg("signal"), nb::arg("requests"),
        nb::sig("def requests_as_stream(signal: str, requests: list[bytes]) -> object"),
        "OTLP requests of a signal as an `arrow_array_stream` capsule.");
}

}  // namespace otlp_arrow::python
