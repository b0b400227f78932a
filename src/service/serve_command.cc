#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/platform/platform.h"
#include "server/common/exposure.h"
#include "service/commands.h"
#include "service/config_change.h"
#include "service/config_check.h"
#include "service/human_text.h"
#include "service/logging.h"
#include "service/running_service.h"
#include "service/serve_messages.h"
#include "service/signal_watch.h"
#include "service/supervisor.h"

namespace otlp_arrow {
namespace {

const char* SignalText(int signal) { return signal == SIGINT ? "SIGINT" : signal == SIGTERM ? "SIGTERM" : "SIGHUP"; }

Result<LoadedConfig> Load(const ServeOptions& options, const Console& console) {
  ConfigSources sources{
      .yaml_name = {}, .yaml_text = {}, .environment = console.environment, .flags = options.settings, .forward = options.forward};
  OTLP_ASSIGN_OR_RETURN(LoadedConfig loaded, LoadConfigFile(options.config_file, std::move(sources)));
  OTLP_RETURN_NOT_OK(CheckServesSomething(loaded.config));
  return loaded;
}

// As Report, but a line of JSON where such are wanted.
int ReportLogged(const Status& status, const Config& config, const Console& console) {
  if (config.log_format != "json" || config.log_level == "off") return Report(status, console);
  spdlog::error("{}", status.message());
  return ExitCodeOf(status);
}

// One service from its start to the signal that ends it.
class Serving {
 public:
  Serving(const ServeOptions& options, const Console& console, SignalWatch* watch) : options_(options), console_(console), watch_(*watch) {}

  int Run(Config config) {
    config_ = std::move(config);
    supervisor_.Says("recovering what earlier writers left");
    auto service = RunningService::Start(config_);
    if (!service.ok()) return ReportLogged(service.status(), config_, console_);
    service_ = std::move(*service);
    Announce();
    supervisor_.Ready(StatusLine());
    for (;;) {
      const int signal = watch_.Wait(supervisor_.interval());
      if (watch_.received() != 0) return Stop(watch_.received());
      if (signal == SIGHUP) {
        Reload();
      } else {
        supervisor_.Alive(StatusLine());
      }
    }
  }

 private:
  void Announce() const {
    const ListenAddresses addresses = service_->addresses();
    if (config_.log_format == "json") {
      LogWithFields(spdlog::level::info, "otlp-arrow " OTLP_ARROW_VERSION " is ready", StartFields(config_, addresses));
    } else {
      console_.err << StartMessage(config_, addresses) << std::flush;
    }
    spdlog::info("{}", RetentionLine(config_));
    for (const std::string& warning : ExposureWarnings(config_)) spdlog::warn("{}", warning);
  }

  // Asks the pipeline, so that one that hangs keeps the watchdog from hearing of us.
  std::string StatusLine() const {
    const Pipeline& pipeline = service_->pipeline();
    const Ledger ledger = pipeline.GetLedger();
    int64_t received = 0, refused = 0;
    for (const Signal signal : kAllSignals) {
      received += ledger[signal].received;
      refused += ledger[signal].RefusedTotal();
    }
    std::string why;
    const bool ready = pipeline.Ready(&why);
    return GroupedNumber(received) + " items received, " + GroupedNumber(refused) + " refused" + (ready ? "" : "; not ready: " + why);
  }

  void Reload() {
    supervisor_.Reloading();
    spdlog::info("got SIGHUP: reading the configuration again");
    auto loaded = Load(options_, console_);
    if (!loaded.ok()) {
      service_->CountFailedReload();
      spdlog::error("{}; the configuration stays as it is", loaded.status().message());
    } else {
      for (const auto& warning : loaded->warnings) spdlog::warn("{}", warning);
      Apply(loaded->config);
    }
    supervisor_.Ready(StatusLine());
  }

  void Apply(const Config& wanted) {
    const auto changes = CompareConfigs(config_, wanted);
    config_ = ReloadedConfig(config_, wanted);
    ConfigureLogging(config_.log_level, config_.log_format);
    const auto failures = service_->Reload(config_);
    int64_t waiting = 0;
    for (const ConfigChange& change : changes) {
      waiting += change.needs_restart ? 1 : 0;
      LogWithFields(change.needs_restart ? spdlog::level::warn : spdlog::level::info, ChangeText(change),
                    {{"key", change.key}, {"from", change.from}, {"to", change.to}, {"effect", change.needs_restart ? "restart" : "now"}});
    }
    for (const Status& failure : failures) spdlog::error("{}; this stays as it was", failure.message());
    LogWithFields(spdlog::level::info,
                  "configuration read: " + Counted(static_cast<int64_t>(changes.size()), "setting") + " changed" +
                      (waiting > 0 ? ", " + GroupedNumber(waiting) + " at the next start" : "") + "; certificates and secrets were looked up again",
                  {{"changed", static_cast<int64_t>(changes.size())}, {"waiting", waiting}, {"failed", static_cast<int64_t>(failures.size())}});
  }

  int Stop(int signal) {
    const std::chrono::seconds timeout(config_.shutdown_timeout_secs);
    supervisor_.Stopping(timeout);
    spdlog::info("got {}: writing what is under way, for at most {} s; again to end at once", SignalText(signal), timeout.count());
    const Status status = service_->Stop(timeout);
    for (const auto& line : LedgerLines(service_->pipeline().GetLedger())) spdlog::info("{}", line);
    for (const auto& line : ForwardingLines(service_->pipeline().ForwardingStats())) spdlog::info("{}", line);
    if (!status.ok()) {
      spdlog::error("{}", status.message());
      return kExitFailure;
    }
    spdlog::info("ended");
    return kExitOk;
  }

  const ServeOptions& options_;
  const Console& console_;
  SignalWatch& watch_;
  const Supervisor supervisor_;
  Config config_;  // in force
  std::unique_ptr<RunningService> service_;
};

}  // namespace

int RunServe(const ServeOptions& options, const Console& console) {
  SignalWatch watch(SignalWatch::Hangup::kReloads);
  auto loaded = Load(options, console);
  if (!loaded.ok()) return Report(loaded.status(), console);
  const Config& config = loaded->config;
  ConfigureLogging(config.log_level, config.log_format);
  if (options.check_config) return CheckConfig(*loaded, console);
  for (const auto& w : loaded->warnings) spdlog::warn("{}", w);
  platform::GiveMemoryBack();
  spdlog::debug("open files: up to {}", platform::RaiseOpenFileLimit());
  return Serving(options, console, &watch).Run(config);
}

}  // namespace otlp_arrow
