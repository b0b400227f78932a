// How many spans a second does `otlp-arrow collect` store while two producer threads write as fast as it lets them, without
// a drop? Compared with what the producers write where nothing reads (each record into a file that is emptied at once).
//
//   collect_benchmark [--quick] [PATH OF otlp-arrow]
//
// Wanted on two cores: 500,000 spans a second, none dropped. A span is a start with two attributes and an end.
#include <sys/resource.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "measure.h"
#include "ring/ring_reader.h"
#include "otlp_arrow/ring/ring_writer.h"
#include "temporary_directory.h"

namespace otlp_arrow::bench {
namespace {

constexpr uint32_t kThreads = 2;

template <class T>
T Must(Result<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  std::exit(1);
}

struct Outcome {
  uint64_t spans = 0;
  uint64_t dropped = 0;
  double seconds = 0;
  double producer_cpu = 0;  // seconds, of all threads
};

uint64_t Now() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

// Both threads write for so long; a full ring makes them wait.
Outcome Produce(ring::RingWriter* writer, double seconds) {
  const ring::Attribute service[] = {{Must(writer->InternString("service.name")), "shop"}};
  const ring::Ref resource = Must(writer->CreateResource({.attributes = service}));
  const ring::Ref scope = Must(writer->CreateScope({.resource = resource, .name = "benchmark"}));
  const ring::Ref route = Must(writer->InternString("http.route"));
  const ring::Ref status = Must(writer->InternString("http.response.status_code"));
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> spans{0}, dropped{0};
  std::vector<double> cpu(kThreads);
  const double begin = WallTime();
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::array<uint8_t, 16> trace_id{};
      std::array<uint8_t, 8> span_id{};
      trace_id[0] = span_id[0] = static_cast<uint8_t>(t + 1);
      uint64_t n = 0, lost = 0;
      for (; !stop.load(std::memory_order_relaxed); ++n) {
        std::memcpy(trace_id.data() + 8, &n, 8);
        std::memcpy(span_id.data() + 1, &n, 7);
        const ring::Attribute attributes[] = {{route, "/cart/{item}"}, {status, int64_t{200}}};
        const auto started = writer->RecordSpanStart({.scope = scope, .trace_id = trace_id, .span_id = span_id, .flags = 1, .name = "GET /cart/{item}",
                                                      .kind = ring::SpanKind::kServer, .start_time_unix_nano = Now(), .attributes = attributes});
        const auto ended = writer->RecordSpanEnd({scope, trace_id, span_id}, Now());
        lost += (started == ring::RecordResult::kDropped) + (ended == ring::RecordResult::kDropped);
      }
      spans += n;
      dropped += lost;
      cpu[t] = ThreadCpu();
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (auto& thread : threads) thread.join();
  Outcome outcome{spans, dropped, WallTime() - begin, 0};
  for (double one : cpu) outcome.producer_cpu += one;
  return outcome;
}

ring::WriterOptions Options() {
  ring::WriterOptions options;
  options.when_full = ring::WhenFull::kBlock;
  options.max_block_ms = 10'000;
  return options;
}

// A reader that looks at nothing and frees everything.
Outcome WithoutCollector(double seconds) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/ring.mmap";
  auto writer = Must(ring::RingWriter::Open(path, Options()));
  auto reader = Must(ring::RingReader::Open(path));
  std::atomic<bool> stop{false};
  std::thread emptying([&] {
    while (!stop) {
      if (Must(reader->Poll(ring::RingKind::kSpans, 16384)).empty()) std::this_thread::yield();
      reader->Advance(ring::RingKind::kSpans, reader->last_read(ring::RingKind::kSpans));
    }
  });
  const Outcome outcome = Produce(writer.get(), seconds);
  stop = true;
  emptying.join();
  return outcome;
}

struct Collected {
  Outcome produced;
  double seconds = 0;  // until everything was stored
  double cpu = 0;      // of the collector
  long max_rss_kib = 0;
  uint64_t file_bytes = 0;
};

Collected WithCollector(const std::string& binary, double seconds) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/ring.mmap";
  const std::string output = directory.path() + "/telemetry";
  auto writer = Must(ring::RingWriter::Open(path, Options()));
  const double begin = WallTime();
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDOUT_FILENO);
    ::execl(binary.c_str(), "otlp-arrow", "collect", "--input", path.c_str(), "--output-dir", output.c_str(), "--trace-cleanup-interval-secs", "0", "--log-level", "warn", nullptr);
    ::_exit(127);
  }
  Collected collected;
  collected.produced = Produce(writer.get(), seconds);
  ::kill(child, SIGTERM);
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  collected.seconds = WallTime() - begin;
  collected.cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
  collected.max_rss_kib = usage.ru_maxrss;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "the collector ended with status %d\n", status);
    std::exit(1);
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(output + "/otlp/traces")) collected.file_bytes += entry.file_size();
  return collected;
}

}  // namespace
}  // namespace otlp_arrow::bench

int main(int argc, char** argv) {
  using namespace otlp_arrow::bench;  // NOLINT
  bool quick = false;
  std::string binary = std::filesystem::path(argv[0]).parent_path().parent_path() / "bin/otlp-arrow";
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) {
      quick = true;
    } else {
      binary = argv[i];
    }
  }
  const int rounds = quick ? 1 : 3;
  const double seconds = quick ? 1 : 5;
  std::printf("%u producer threads, a span = start with 2 attributes + end, %.0f s a round\n", kThreads, seconds);
  std::vector<double> ratios;
  for (int r = 0; r < rounds; ++r) {
    const Outcome alone = WithoutCollector(seconds);
    const Collected with = WithCollector(binary, seconds);
    const double alone_rate = static_cast<double>(alone.spans) / alone.seconds;
    const double rate = static_cast<double>(with.produced.spans) / with.seconds;
    const double millions = static_cast<double>(with.produced.spans) / 1e6;
    ratios.push_back(rate / alone_rate);
    std::printf("emptied unread: %9.0f spans/s, %3.0f ns of CPU a span\n", alone_rate, alone.producer_cpu / static_cast<double>(alone.spans) * 1e9);
    std::printf("stored:         %9.0f spans/s (%.1f M in files after %.2f s), %llu records dropped; CPU a span: producers %3.0f ns, collector %4.0f ns; "
                "collector's peak %ld MiB; %.1f bytes a span on disk\n",
                rate, millions, with.seconds, static_cast<unsigned long long>(with.produced.dropped),
                with.produced.producer_cpu / static_cast<double>(with.produced.spans) * 1e9, with.cpu / static_cast<double>(with.produced.spans) * 1e9,
                with.max_rss_kib / 1024, static_cast<double>(with.file_bytes) / static_cast<double>(with.produced.spans));
  }
  std::printf("ratio stored / emptied unread: %.2f (median of %d)\n", Median(ratios), rounds);
  return 0;
}
