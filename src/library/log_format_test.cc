#include "library/log_format.h"

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace otlp_arrow {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// What a logger with our formatter writes; it is the default one for as long as this object lives.
class Logged {
 public:
  explicit Logged(const std::string& format) : old_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(out_);
    sink->set_formatter(MakeLogFormatter(format));
    auto logger = std::make_shared<spdlog::logger>("test", sink);
    logger->set_level(spdlog::level::trace);
    spdlog::set_default_logger(logger);
  }
  ~Logged() { spdlog::set_default_logger(old_); }
  std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
  std::shared_ptr<spdlog::logger> old_;
};

TEST(LogFormat, TextIsALineForPeople) {
  const Logged logged("text");
  LogWithFields(spdlog::level::info, "all is well", {{"key", "value"}});
  EXPECT_THAT(logged.text(), MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z info all is well\n"));
}

TEST(LogFormat, TextOfOthersCannotPassForALine) {
  const Logged logged("text");
  spdlog::warn("header 'x\n2024-05-06T07:08:09.123Z info all is well\x1b[2J\r\x7f\tend, ä'");
  const std::string text = logged.text();
  EXPECT_THAT(text, HasSubstr("header 'x\\n2024-05-06T07:08:09.123Z info all is well\\x1b[2J\\x0d\\x7f\\tend, ä'\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(LogFormat, JsonIsAnObjectALine) {
  const Logged logged("json");
  LogWithFields(spdlog::level::warn, "two\nlines, \"quoted\" \x01 ä", {{"key", "http.address"}, {"count", int64_t{3}}});
  spdlog::error("plain");
  const std::string text = logged.text();
  ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  simdjson::dom::parser parser;
  simdjson::dom::element line;
  ASSERT_EQ(parser.parse(text.substr(0, text.find('\n'))).get(line), simdjson::SUCCESS) << text;
  EXPECT_THAT(std::string(line["time"].get_string().value()), MatchesRegex("[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z"));
  EXPECT_EQ(line["level"].get_string().value(), "warn");
  EXPECT_EQ(line["message"].get_string().value(), "two\nlines, \"quoted\" \x01 ä");
  EXPECT_GT(line["thread"].get_int64().value(), 0);
  EXPECT_EQ(line["fields"]["key"].get_string().value(), "http.address");
  EXPECT_EQ(line["fields"]["count"].get_int64().value(), 3);
  ASSERT_EQ(parser.parse(text.substr(text.find('\n') + 1)).get(line), simdjson::SUCCESS) << text;
  EXPECT_EQ(line["level"].get_string().value(), "error");
  EXPECT_EQ(line["fields"].error(), simdjson::NO_SUCH_FIELD);
}

TEST(LogFormat, BytesThatAreNoUtf8StayReadableJson) {
  const Logged logged("json");
  spdlog::info("name '{}'", std::string("\xff\xfe"));
  simdjson::dom::parser parser;
  EXPECT_EQ(parser.parse(logged.text()).error(), simdjson::SUCCESS) << logged.text();
}

}  // namespace
}  // namespace otlp_arrow
