#include "library/log_sink.h"

#include <unistd.h>

#include <memory>
#include <mutex>
#include <string_view>

#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

namespace otlp_arrow {
namespace {

constexpr char kLoggerName[] = "otlp-arrow-library";

// "otlp-arrow: warning: <message>", in one system call.
class LineSink final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    std::string line = "otlp-arrow: ";
    const auto level = spdlog::level::to_string_view(message.level);
    line.append(level.data(), level.size()).append(": ").append(message.payload.data(), message.payload.size()).append("\n");
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
      if (written <= 0) return;  // nowhere else to tell it
      rest.remove_prefix(static_cast<size_t>(written));
    }
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

}  // namespace

void LogToStandardError(const std::string& level) {
  static std::mutex& mutex = *new std::mutex;
  std::lock_guard lock(mutex);
  auto logger = spdlog::default_logger();
  if (logger && logger->name() != kLoggerName) {
    if (!logger->name().empty()) return;
    logger = nullptr;  // spdlog's own, which writes to standard output
  }
  if (!logger) {
    logger = std::make_shared<spdlog::logger>(kLoggerName, std::make_shared<LineSink>());
    spdlog::set_default_logger(logger);
  }
  logger->set_level(spdlog::level::from_str(level == "error" ? "err" : level));
}

}  // namespace otlp_arrow
