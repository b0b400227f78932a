#include "service/logging.h"

#include <memory>
#include <mutex>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "library/log_format.h"

namespace otlp_arrow {
namespace {

constexpr char kLoggerName[] = "otlp-arrow";

}  // namespace

void ConfigureLogging(const std::string& level, const std::string& format) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  auto logger = spdlog::default_logger();
  const bool is_ours = logger && logger->name() == kLoggerName;
  if (!is_ours) {
    logger = std::make_shared<spdlog::logger>(kLoggerName, std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->flush_on(spdlog::level::trace);
  }
  logger->sinks().front()->set_formatter(MakeLogFormatter(format));  // under the sink's lock
  logger->set_level(spdlog::level::from_str(level == "error" ? "err" : level));
  if (!is_ours) spdlog::set_default_logger(std::move(logger));
}

}  // namespace otlp_arrow
