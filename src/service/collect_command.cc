#include <atomic>
#include <memory>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/platform/platform.h"
#include "collector/collector.h"
#include "recorder/store_sinks.h"
#include "service/collect_sinks.h"
#include "service/commands.h"
#include "service/human_text.h"
#include "service/logging.h"
#include "service/serve_messages.h"
#include "service/signal_watch.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

// Sets a flag when a signal arrives, until it is destroyed.
class StopFlag {
 public:
  explicit StopFlag(SignalWatch* watch)
      : thread_([this, watch] {
          while (!ended_ && watch->SleepFor(milliseconds(100))) {
          }
          stop_ = true;
        }) {}
  ~StopFlag() {
    ended_ = true;
    thread_.join();
  }
  const std::atomic<bool>& flag() const { return stop_; }

 private:
  std::atomic<bool> stop_{false}, ended_{false};
  std::thread thread_;
};

std::string Summary(const CollectorStats& stats) {
  const DrainCounters& c = stats.counters;
  std::string text = "collected " + Counted(static_cast<int64_t>(c.spans), "span") + ", " +
                     Counted(static_cast<int64_t>(c.log_records), "log record") + ", " +
                     Counted(static_cast<int64_t>(c.measurements), "measurement");
  const std::pair<uint64_t, const char*> parts[] = {
      {c.incomplete_spans, "incomplete spans"},          {c.open_spans, "spans still open, kept for the next start"},
      {c.overflowed, "measurements beyond --max-series"}, {c.broken, "broken records or references"},
      {c.refused_requests, "requests refused for good"},  {stats.dropped, "records that producers dropped, as there was no room"}};
  for (const auto& [count, what] : parts) {
    if (count > 0) text += "; " + GroupedNumber(static_cast<int64_t>(count)) + " " + what;
  }
  return text;
}

int Collect(const CollectOptions& options, CollectorSink* sink, SignalWatch* watch, milliseconds deadline, const Console& console) {
  CollectorOptions collector_options;
  collector_options.inputs = options.inputs;
  collector_options.drain = options.drain;
  collector_options.follow = !options.once;
  Collector collector(std::move(collector_options), sink);
  StopFlag stop(watch);
  const Status status = collector.Run(stop.flag(), deadline);
  console.out << Summary(collector.stats()) << std::endl;
  return status.ok() ? kExitOk : Report(status, console);
}

int CollectIntoStore(const CollectOptions& options, const Config& config, SignalWatch* watch, const Console& console) {
  const milliseconds deadline = std::chrono::seconds(config.shutdown_timeout_secs);
  auto pipeline = Pipeline::Open(config);
  if (!pipeline.ok()) return Report(pipeline.status(), console);
  spdlog::info("storing in {}; {}", config.output_dir, RetentionLine(config));
  StoreSink sink(pipeline->get(), config.output_dir);
  const int exit_code = Collect(options, &sink, watch, deadline, console);
  const Status stored = (*pipeline)->Shutdown(deadline);
  return stored.ok() ? exit_code : Report(stored, console);
}

int CollectToBackend(const CollectOptions& options, const Config& config, SignalWatch* watch, const Console& console) {
  auto sender = MakeSender(*options.sender);
  if (!sender.ok()) return Report(sender.status(), console);
  spdlog::info("sending to {}", options.sender->endpoint.ToString());
  RemoteSink sink(*std::move(sender), options.timeout);
  return Collect(options, &sink, watch, std::chrono::seconds(config.shutdown_timeout_secs), console);
}

}  // namespace

int RunCollect(const CollectOptions& options, const Console& console) {
  SignalWatch watch;
  ConfigSources sources{.yaml_name = {}, .yaml_text = {}, .environment = console.environment, .flags = options.settings, .forward = {}};
  auto loaded = LoadConfigFile(options.config_file, std::move(sources));
  if (!loaded.ok()) return Report(loaded.status(), console);
  ConfigureLogging(loaded->config.log_level, loaded->config.log_format);
  for (const auto& w : loaded->warnings) spdlog::warn("{}", w);
  platform::GiveMemoryBack();
  platform::RaiseOpenFileLimit();
  if (options.sender) return CollectToBackend(options, loaded->config, &watch, console);
  return CollectIntoStore(options, loaded->config, &watch, console);
}

}  // namespace otlp_arrow
