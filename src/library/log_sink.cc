#include "library/log_sink.h"

#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <spdlog/formatter.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

#include "library/log_format.h"

namespace otlp_arrow {
namespace {

constexpr char kLoggerName[] = "otlp-arrow-library";

// "otlp-arrow: warning: <message>", or a JSON object, in one system call.
class LineSink final : public spdlog::sinks::sink {
 public:
  void UseJson(bool json) { json_ = json; }
  void log(const spdlog::details::log_msg& message) override {
    const std::string line = json_ ? JsonLine(message) : TextLine(message);
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

 private:
  static std::string TextLine(const spdlog::details::log_msg& message) {
    const auto level = spdlog::level::to_string_view(message.level);
    std::string line = "otlp-arrow: ";
    return line.append(level.data(), level.size()).append(": ").append(message.payload.data(), message.payload.size()).append("\n");
  }
  static std::string JsonLine(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    MakeLogFormatter("json")->format(message, line);
    return {line.data(), line.size()};
  }

  std::atomic<bool> json_{false};
};

}  // namespace

void LogToStandardError(const std::string& level, const std::string& format) {
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
  std::static_pointer_cast<LineSink>(logger->sinks().front())->UseJson(format == "json");
  logger->set_level(spdlog::level::from_str(level == "error" ? "err" : level));
}

}  // namespace otlp_arrow
