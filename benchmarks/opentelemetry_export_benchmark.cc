// What does a span with eight attributes cost a program that is instrumented with opentelemetry-cpp, in the program's own
// thread and in the exporting ones, with our exporter and with the SDK's OTLP/HTTP exporter?
//
// All go through the SDK's batch processor at its default sizes. Beside them: the SDK alone, with a recordable that keeps
// nothing; its plain SpanData with an exporter that does nothing; our exporter with a library that discards, so that what
// storing costs is seen apart. The OTLP/HTTP exporter sends to discard_server, another process, which is not counted. The
// SDK's OTLP file exporter would be compared too where its library is installed; Debian ships its headers alone.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <opentelemetry/exporters/otlp/otlp_http_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter_options.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/batch_span_processor_factory.h>
#include <opentelemetry/sdk/trace/batch_span_processor_options.h>
#include <opentelemetry/sdk/trace/exporter.h>
#include <opentelemetry/sdk/trace/span_data.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>

#include "allocation_count.h"
#include "measure.h"
#include "otlp_arrow/opentelemetry_exporters.h"
#include "temporary_directory.h"

namespace {

using namespace otlp_arrow;
namespace api = opentelemetry;
namespace sdk = opentelemetry::sdk;
namespace nostd = opentelemetry::nostd;
using sdk::common::ExportResult;
using sdk::trace::Recordable;
using Batch = nostd::span<std::unique_ptr<Recordable>>;

constexpr int kChunk = 512;  // spans made in a row: a batch, a quarter of the processor's queue

// Counts what passes, so that the producer knows that the queue is empty again.
class CountingExporter final : public sdk::trace::SpanExporter {
 public:
  CountingExporter(std::unique_ptr<sdk::trace::SpanExporter> inner, std::atomic<long>* exported, std::atomic<long>* failed,
                   std::atomic<double>* export_cpu)
      : inner_(std::move(inner)), exported_(*exported), failed_(*failed), export_cpu_(*export_cpu) {}

  std::unique_ptr<Recordable> MakeRecordable() noexcept override { return inner_->MakeRecordable(); }
  ExportResult Export(const Batch& spans) noexcept override {
    const auto count = static_cast<long>(spans.size());
    const double begin = bench::ThreadCpu();
    const ExportResult result = inner_->Export(spans);
    export_cpu_.fetch_add(bench::ThreadCpu() - begin);
    if (result != ExportResult::kSuccess) failed_ += count;
    exported_ += count;
    return result;
  }
  bool ForceFlush(std::chrono::microseconds) noexcept override { return true; }
  bool Shutdown(std::chrono::microseconds timeout) noexcept override { return inner_->Shutdown(timeout); }

 private:
  const std::unique_ptr<sdk::trace::SpanExporter> inner_;
  std::atomic<long>& exported_;
  std::atomic<long>& failed_;
  std::atomic<double>& export_cpu_;
};

// An exporter that makes recordables of a kind and does nothing with them.
template <class Kind>
class NoopExporter final : public sdk::trace::SpanExporter {
 public:
  std::unique_ptr<Recordable> MakeRecordable() noexcept override { return std::make_unique<Kind>(); }
  ExportResult Export(const Batch&) noexcept override { return ExportResult::kSuccess; }
  bool ForceFlush(std::chrono::microseconds) noexcept override { return true; }
  bool Shutdown(std::chrono::microseconds) noexcept override { return true; }
};

class EmptyRecordable final : public Recordable {
 public:
  // Not among the allocations that are counted: it stands for having no recordable.
  static void* operator new(size_t size) { return __libc_malloc(size); }
  static void operator delete(void* block) { std::free(block); }

  void SetIdentity(const api::trace::SpanContext&, api::trace::SpanId) noexcept override {}
  void SetAttribute(nostd::string_view, const api::common::AttributeValue&) noexcept override {}
  void AddEvent(nostd::string_view, api::common::SystemTimestamp, const api::common::KeyValueIterable&) noexcept override {}
  void AddLink(const api::trace::SpanContext&, const api::common::KeyValueIterable&) noexcept override {}
  void SetStatus(api::trace::StatusCode, nostd::string_view) noexcept override {}
  void SetName(nostd::string_view) noexcept override {}
  void SetSpanKind(api::trace::SpanKind) noexcept override {}
  void SetResource(const sdk::resource::Resource&) noexcept override {}
  void SetStartTime(api::common::SystemTimestamp) noexcept override {}
  void SetDuration(std::chrono::nanoseconds) noexcept override {}
  void SetInstrumentationScope(const sdk::instrumentationscope::InstrumentationScope&) noexcept override {}
};

// Takes everything and forgets it.
class DiscardingLibrary final : public OtlpLibrary {
 public:
  Result<ExportOutcome> ExportOtlp(Signal, std::string) override { return ExportOutcome{1, 0, ""}; }
  Result<ExportOutcome> ExportOtlpRef(Signal, std::string_view) override { return ExportOutcome{1, 0, ""}; }
  void StartExportOtlp(Signal, std::string, ExportCallback done) override { done(ExportOutcome{1, 0, ""}); }
  Status Flush(std::chrono::milliseconds) override { return Status::Ok(); }
  Status Shutdown(std::chrono::milliseconds) override { return Status::Ok(); }
  bool is_shut_down() const override { return false; }
  LibraryStats Stats() const override { return {}; }
  const Config& config() const override { return config_; }

 private:
  Config config_;
};

// The server beside this program; its HTTP address, or nothing where it is not built.
class DiscardServer {
 public:
  explicit DiscardServer(const std::string& program) {
    int pipe_ends[2];
    if (pipe(pipe_ends)) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
    std::string address = "127.0.0.1:0", name = program;
    char* arguments[] = {name.data(), address.data(), address.data(), nullptr};
    if (posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environ) != 0) pid_ = 0;
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);
    if (FILE* lines = fdopen(pipe_ends[0], "r")) {
      char line[200], host_port[100];
      while (address_.empty() && std::fgets(line, sizeof(line), lines)) {
        if (std::sscanf(line, " OTLP/HTTP %99s", host_port) == 1) address_ = host_port;
      }
      std::fclose(lines);
    }
  }
  ~DiscardServer() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  const std::string& address() const { return address_; }

 private:
  pid_t pid_ = 0;
  std::string address_;
};

// One way to export, kept over all rounds, and what it has cost so far.
struct Way {
  Way(std::string its_name, std::unique_ptr<sdk::trace::SpanExporter> exporter) : name(std::move(its_name)) {
    sdk::trace::BatchSpanProcessorOptions options;
    options.schedule_delay_millis = std::chrono::milliseconds(1);  // the producer waits for the queue to be empty
    provider = sdk::trace::TracerProviderFactory::Create(
        sdk::trace::BatchSpanProcessorFactory::Create(std::make_unique<CountingExporter>(std::move(exporter), &exported, &failed, &export_cpu), options),
        sdk::resource::Resource::Create({{"service.name", "shop"}, {"service.version", "1.2.3"}, {"host.name", "shop-7"}}));
    tracer = provider->GetTracer("bench", "1.0");
  }

  std::string name;
  std::atomic<long> exported = 0, failed = 0;
  std::atomic<double> export_cpu = 0;  // seconds of the processor's thread in Export
  std::unique_ptr<sdk::trace::TracerProvider> provider;
  nostd::shared_ptr<api::trace::Tracer> tracer;
  std::function<void()> finish = [] {};  // what has to be done before the cost is complete
  std::vector<double> caller, in_export, others;  // CPU nanoseconds per span, by round; `others` has all but the caller's
  double allocations = 0;                // per span
};

void MakeSpan(api::trace::Tracer& tracer, int i) {
  auto span = tracer.StartSpan("GET /api/v1/users/{id}");
  span->SetAttribute("http.request.method", "GET");
  span->SetAttribute("http.response.status_code", int64_t{200});
  span->SetAttribute("http.route", "/api/v1/users/{id}");
  span->SetAttribute("url.full", "https://shop.example.com/api/v1/users/0123456789abcdef?page=42");
  span->SetAttribute("server.address", "shop.example.com");
  span->SetAttribute("server.port", int64_t{443});
  span->SetAttribute("app.cache.hit_ratio", i * 1e-5);
  span->SetAttribute("app.retried", false);
  span->End();
}

// CPU seconds that this thread needs to make the spans.
double Produce(Way* way, int spans) {
  double caller = 0;
  for (int made = 0; made < spans; made += kChunk) {
    const long wanted = way->exported + kChunk;
    const double begin = bench::ThreadCpu();
    for (int i = 0; i < kChunk; ++i) MakeSpan(*way->tracer, made + i);
    caller += bench::ThreadCpu() - begin;
    while (way->exported < wanted) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return caller;
}

void RunRound(Way* way, int spans, bool counts) {
  const double process_begin = bench::ProcessCpu(), thread_begin = bench::ThreadCpu();
  const double export_begin = way->export_cpu;
  const double caller = Produce(way, spans);
  way->finish();
  const double others = bench::ProcessCpu() - process_begin - (bench::ThreadCpu() - thread_begin);
  if (!counts) return;
  way->caller.push_back(caller / spans * 1e9);
  way->in_export.push_back((way->export_cpu - export_begin) / spans * 1e9);
  way->others.push_back(others / spans * 1e9);
}

void CountAllocations(Way* way, int spans) {
  bench::allocations = 0;
  bench::counting_allocations = true;
  Produce(way, spans);
  way->finish();
  bench::counting_allocations = false;
  way->allocations = static_cast<double>(bench::allocations) / spans;
}

std::unique_ptr<sdk::trace::SpanExporter> MakeHttpExporter(const std::string& address) {
  api::exporter::otlp::OtlpHttpExporterOptions options;
  options.url = "http://" + address + "/v1/traces";
  options.content_type = api::exporter::otlp::HttpRequestContentType::kBinary;
  return api::exporter::otlp::OtlpHttpExporterFactory::Create(options);
}

void Print(const Way& way, const Way& alone) {
  const double caller = bench::Median(way.caller), others = bench::Median(way.others);
  std::printf("%-36s %8.0f %8.0f %8.0f %8.0f %10.2f %10.2f\n", way.name.c_str(), caller, bench::Median(way.in_export), others, caller + others, way.allocations,
              way.allocations - alone.allocations);
}

double Total(const Way& way) { return bench::Median(way.caller) + bench::Median(way.others); }

}  // namespace

int main(int argc, char** argv) {
  const bool quick = bench::IsQuick(argc, argv);
  const int spans = (quick ? 4 : 100) * kChunk, rounds = quick ? 1 : 7;
  const std::string program = argv[0];
  DiscardServer server(program.substr(0, program.rfind('/') + 1) + "discard_server");

  bench::TemporaryDirectory directory;
  Config config;
  config.output_dir = directory.path();
  config.log_level = "error";
  auto created = OtlpLibrary::Create(config);
  if (!created.ok()) {
    std::fprintf(stderr, "%s\n", created.status().ToString().c_str());
    return 1;
  }
  const std::shared_ptr<OtlpLibrary> library = *std::move(created);

  Way alone("SDK alone (keeps nothing)", std::make_unique<NoopExporter<EmptyRecordable>>());
  Way plain("SDK's SpanData, exports nothing", std::make_unique<NoopExporter<sdk::trace::SpanData>>());
  Way ours("ours, stored in files", MakeSpanExporter(library));
  ours.finish = [&] { (void)library->Flush(); };
  Way ours_discarded("ours, library discards", MakeSpanExporter(std::make_shared<DiscardingLibrary>()));
  std::unique_ptr<Way> http;
  std::vector<Way*> ways = {&alone, &plain, &ours_discarded, &ours};
  if (!server.address().empty()) {
    http = std::make_unique<Way>("SDK's OTLP/HTTP, peer discards", MakeHttpExporter(server.address()));
    ways.push_back(http.get());
  }

  for (int r = 0; r <= rounds; ++r) {
    for (Way* way : ways) RunRound(way, spans, r > 0);
  }
  for (Way* way : ways) CountAllocations(way, spans);

  std::printf("%-36s %35s %21s\n%-36s %8s %8s %8s %8s %10s %10s\n", "", "CPU ns per span", "heap allocations", "", "caller", "Export()", "others", "all", "per span",
              "without SDK");
  for (const Way* way : ways) Print(*way, alone);
  std::printf("\nour caller / caller with SpanData: %.2f\n", bench::Median(ours.caller) / bench::Median(plain.caller));
  if (http) {
    // The processor's own work on its thread is that of the SDK alone.
    const double exporting = bench::Median(ours.caller) + bench::Median(ours.in_export) + bench::Median(alone.others);
    std::printf("ours / OTLP/HTTP, caller and exporter: %.2f until the journal has it, %.2f with a library that discards, %.2f with the workers that store\n",
                exporting / Total(*http), Total(ours_discarded) / Total(*http), Total(ours) / Total(*http));
  } else {
    std::printf("there is no discard_server beside this program: OTLP/HTTP was not measured\n");
  }
  long failed = 0;
  for (const Way* way : ways) failed += way->failed;
  if (failed) std::printf("%ld spans were not exported\n", failed);
  for (Way* way : ways) way->provider->Shutdown();
  return failed ? 1 : 0;
}
