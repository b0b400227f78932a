// A program that records into an OTLP-MMAP file, for tests/e2e/test_collect.py. Beside the file it keeps, in shared memory
// too, how far each thread has come: what it says is recorded has been recorded, however it dies.
//
//   ring_producer FILE PROGRESS [threads] [spans per thread, 0: until it is killed] [forks]
//
// Thread t records the span (t, n) for n = 0, 1, …: start with two attributes, end; every tenth with an event, every
// hundredth with a log record and a measurement. PROGRESS holds a uint64 for each thread: spans recorded.
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "otlp_arrow/ring/ring_writer.h"

namespace {

namespace ring = otlp_arrow::ring;
using ring::RecordResult;

constexpr size_t kMostThreads = 64;

struct Definitions {
  ring::Ref scope = 0, number = 0, text = 0, event = 0, counter = 0;
};

uint64_t Now() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

// What finds no room is tried again: nothing may be missing in the end.
template <class Record>
void Insist(const Record& record) {
  while (record() != RecordResult::kRecorded) std::this_thread::yield();
}

void RecordSpan(ring::RingWriter* writer, const Definitions& to, uint32_t thread, uint64_t n) {
  std::array<uint8_t, 16> trace_id{};
  std::array<uint8_t, 8> span_id{};
  trace_id[0] = span_id[0] = static_cast<uint8_t>(thread + 1);
  for (int i = 0; i < 7; ++i) trace_id[15 - i] = span_id[7 - i] = static_cast<uint8_t>(n >> (8 * i));
  const ring::Attribute attributes[] = {{to.number, static_cast<int64_t>(n)}, {to.text, "some text"}};
  const ring::SpanContext context{trace_id, span_id, 1};
  const std::string name = "span " + std::to_string(n);
  Insist([&] {
    return writer->RecordSpanStart({.scope = to.scope, .trace_id = trace_id, .span_id = span_id, .flags = 1, .name = name,
                                    .start_time_unix_nano = Now(), .attributes = attributes});
  });
  if (n % 10 == 0) {
    Insist([&] { return writer->RecordEvent({.scope = to.scope, .time_unix_nano = Now(), .event_name = to.event, .context = &context}); });
  }
  if (n % 100 == 0) {
    const int64_t body = static_cast<int64_t>(n);
    Insist([&] {
      return writer->RecordEvent({.scope = to.scope, .time_unix_nano = Now(), .severity_number = 9, .body = body, .context = &context, .attributes = attributes});
    });
    const ring::Attribute which[] = {{to.number, static_cast<int64_t>(thread)}};
    Insist([&] { return writer->RecordMeasurement({.metric = to.counter, .attributes = which, .time_unix_nano = Now(), .value = int64_t{1}}); });
  }
  Insist([&] { return writer->RecordSpanEnd({to.scope, trace_id, span_id}, Now()); });
}

Definitions Define(ring::RingWriter* writer) {
  const ring::Attribute service[] = {{*writer->InternString("service.name"), "producer"}};
  const ring::Ref resource = *writer->CreateResource({.attributes = service});
  Definitions to;
  to.scope = *writer->CreateScope({.resource = resource, .name = "ring_producer"});
  to.number = *writer->InternString("number");
  to.text = *writer->InternString("text");
  to.event = *writer->InternString("tenth");
  to.counter = *writer->CreateMetric({.scope = to.scope, .name = "hundreds", .aggregation = ring::SumAggregation{ring::Temporality::kDelta, true}});
  return to;
}

std::atomic<uint64_t>* MapProgress(const char* path) {
  const int fd = ::open(path, O_RDWR | O_CREAT, 0644);
  if (fd < 0 || ::ftruncate(fd, kMostThreads * sizeof(uint64_t)) != 0) return nullptr;
  void* memory = ::mmap(nullptr, kMostThreads * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::atomic<uint64_t>*>(memory);
}

void Produce(ring::RingWriter* writer, std::atomic<uint64_t>* progress, uint32_t first_thread, uint32_t threads, uint64_t spans) {
  const Definitions to = Define(writer);
  std::vector<std::thread> running;
  for (uint32_t t = first_thread; t < first_thread + threads; ++t) {
    running.emplace_back([=] {
      for (uint64_t n = progress[t]; spans == 0 || n < spans; ++n) {
        RecordSpan(writer, to, t, n);
        progress[t].store(n + 1, std::memory_order_release);
      }
    });
  }
  for (auto& thread : running) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto threads = static_cast<uint32_t>(argc > 3 ? std::atoi(argv[3]) : 1);
  const uint64_t spans = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0;
  const auto forks = static_cast<uint32_t>(argc > 5 ? std::atoi(argv[5]) : 0);
  ring::WriterOptions options;
  options.when_full = ring::WhenFull::kBlock;
  options.spans = {1024, 512};
  options.events = {1024, 512};
  options.measurements = {1024, 256};
  auto writer = ring::RingWriter::Open(argv[1], options);
  if (!writer.ok()) {
    std::fprintf(stderr, "%s\n", writer.status().ToString().c_str());
    return 1;
  }
  std::atomic<uint64_t>* progress = MapProgress(argv[2]);
  if (!progress || threads * (forks + 1) > kMostThreads) return 1;
  std::printf("ready\n");
  std::fflush(stdout);
  std::vector<pid_t> children;
  for (uint32_t f = 0; f < forks; ++f) {
    const pid_t child = ::fork();
    if (child == 0) {
      Produce(writer->get(), progress, (f + 1) * threads, threads, spans);
      ::_exit(0);
    }
    children.push_back(child);
  }
  Produce(writer->get(), progress, 0, threads, spans);
  for (pid_t child : children) ::waitpid(child, nullptr, 0);
  return 0;
}
