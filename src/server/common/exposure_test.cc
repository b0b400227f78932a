#include "server/common/exposure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(IsLoopback, KnowsTheMachinesOwnAddresses) {
  for (const char* address : {"127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1", "[::ffff:127.0.0.1]:1"}) EXPECT_TRUE(IsLoopback(address)) << address;
  for (const char* address : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[fe80::1]:1", "128.0.0.1:1", "", "127.0.0.1"}) EXPECT_FALSE(IsLoopback(address)) << address;
}

TEST(ExposureWarnings, NothingIsSaidOfTheDefaults) { EXPECT_THAT(ExposureWarnings(Config()), IsEmpty()); }

TEST(ExposureWarnings, NamesServersThatOthersReach) {
  Config config;
  config.grpc.address = "0.0.0.0:4317";
  EXPECT_THAT(ExposureWarnings(config), ElementsAre(AllOf(HasSubstr("grpc.address: '0.0.0.0:4317'"), HasSubstr("auth.bearer_tokens")),
                                                    AllOf(HasSubstr("grpc.address"), HasSubstr("without TLS"), Not(HasSubstr("credentials")))));
  config.auth.bearer_tokens = {"s3cret"};
  EXPECT_THAT(ExposureWarnings(config), ElementsAre(AllOf(HasSubstr("without TLS"), HasSubstr("and credentials"), Not(HasSubstr("s3cret")))));
  config.tls = {"cert", "key", ""};
  EXPECT_THAT(ExposureWarnings(config), IsEmpty());
  config.auth = {};
  EXPECT_THAT(ExposureWarnings(config), ElementsAre(HasSubstr("grpc.tls.client_ca_file")));
  config.tls.client_ca_file = "ca";
  EXPECT_THAT(ExposureWarnings(config), IsEmpty());
  config.tls = {};
  config.grpc.enabled = false;
  EXPECT_THAT(ExposureWarnings(config), IsEmpty());
}

TEST(ExposureWarnings, FlightHasATokenOfItsOwnAndIsRead) {
  Config config;
  config.flight.address = "[::]:4319";
  EXPECT_THAT(ExposureWarnings(config), ElementsAre(HasSubstr("read and write"), HasSubstr("without TLS")));
  config.flight.bearer_token = "s3cret";
  EXPECT_THAT(ExposureWarnings(config), ElementsAre(HasSubstr("without TLS")));
}

}  // namespace
}  // namespace otlp_arrow
