#include "service/config_check.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

struct Checked {
  int code;
  std::string out;
  std::string err;
};

Checked Check(const Config& config) {
  LoadedConfig loaded;
  loaded.config = config;
  std::ostringstream out, err;
  const int code = CheckConfig(loaded, {out, err, {}});
  return {code, out.str(), err.str()};
}

TEST(ConfigCheck, SaysWhatWouldHappenAndIsYaml) {
  const testing::TempDir dir;
  Config config;
  config.output_dir = dir / "telemetry";
  config.compaction.enabled = true;
  config.auth.bearer_tokens = {"the-secret"};
  const Checked checked = Check(config);
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.err, IsEmpty());
  EXPECT_THAT(checked.out, AllOf(HasSubstr("# - listens on 127.0.0.1:4318 for OTLP/HTTP: no TLS; callers need a bearer token\n"),
                                 HasSubstr("# - merges 8 or more small files into arrow files of up to 256MiB"), HasSubstr("\noutput_dir: "),
                                 Not(HasSubstr("the-secret"))));
}

TEST(ConfigCheck, TellsAllThatIsInTheWay) {
  const testing::TempDir dir;
  std::ofstream(dir / "garbage.pem") << "nothing";
  Config config;
  config.output_dir = dir.path();
  config.grpc.tls = {dir / "missing.pem", dir / "missing.key", ""};
  config.http.tls = {dir / "garbage.pem", dir / "garbage.pem", ""};
  config.auth.bearer_tokens = {"${file:" + (dir / "token") + "}"};
  ForwardingConfig& to = config.forwarding.emplace_back();
  to.endpoint = "http://collector:4317";
  to.name = "main";
  to.api_key = "${env:OTLP_ARROW_TEST_NO_SUCH_VARIABLE}";
  EXPECT_THAT(CheckNamedThings(config), SizeIs(4));
  const Checked checked = Check(config);
  EXPECT_EQ(checked.code, 2);
  EXPECT_THAT(checked.err, AllOf(HasSubstr("grpc.tls.cert_file"), HasSubstr("missing.pem"), HasSubstr("http.tls.cert_file"), HasSubstr(dir / "token"),
                                 HasSubstr("forwarding (main).api_key"), HasSubstr("would not start")));
}

TEST(ConfigCheck, ASectionThatServersShareIsLookedAtOnce) {
  Config config;
  config.tls = {"/no/such/cert.pem", "/no/such/key.pem", ""};
  EXPECT_THAT(CheckNamedThings(config), SizeIs(1));
  config.grpc.enabled = config.http.enabled = config.flight.enabled = false;
  EXPECT_THAT(CheckNamedThings(config), IsEmpty());
  EXPECT_FALSE(CheckServesSomething(config).ok());
}

TEST(ConfigCheck, WarnsOfADirectoryThatCannotBeWritten) {
  Config config;
  config.output_dir = "/proc/no/such/place";
  const Checked checked = Check(config);
  if (checked.err.empty()) GTEST_SKIP() << "this user may write anywhere";
  EXPECT_THAT(checked.err, HasSubstr("warning: output_dir: '/proc"));
  EXPECT_EQ(checked.code, 0);
}

}  // namespace
}  // namespace otlp_arrow
