#include "service/logging.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

namespace otlp_arrow {
namespace {

TEST(Logging, LevelAndFormatChangeWhileItIsUsed) {
  const auto before = spdlog::default_logger();
  ConfigureLogging("warn", "text");
  const auto logger = spdlog::default_logger();
  EXPECT_FALSE(logger->should_log(spdlog::level::info));
  ConfigureLogging("debug", "json");
  EXPECT_EQ(spdlog::default_logger(), logger);  // threads that hold it may be logging
  EXPECT_TRUE(logger->should_log(spdlog::level::debug));
  ConfigureLogging("off", "text");
  EXPECT_FALSE(logger->should_log(spdlog::level::critical));
  spdlog::set_default_logger(before);
}

}  // namespace
}  // namespace otlp_arrow
