#include "server/common/listen_error.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using testing::HasSubstr;

TEST(ListenErrorTest, NamesKeyAddressReasonAndWayOut) {
  const Status status = ListenError("grpc.address", "127.0.0.1:4317", EADDRINUSE);
  EXPECT_EQ(status.code(), StatusCode::kServer);
  EXPECT_THAT(status.message(), HasSubstr("grpc.address"));
  EXPECT_THAT(status.message(), HasSubstr("'127.0.0.1:4317'"));
  EXPECT_THAT(status.message(), HasSubstr("Address already in use"));
  EXPECT_THAT(status.message(), HasSubstr("choose another port"));
}

TEST(ListenErrorTest, TheWayOutFitsTheReason) {
  EXPECT_THAT(ListenError("k", "0.0.0.0:80", EACCES).message(), HasSubstr("privileges"));
  EXPECT_THAT(ListenError("k", "9.9.9.9:80", EADDRNOTAVAIL).message(), HasSubstr("address of this machine"));
}

}  // namespace
}  // namespace otlp_arrow
