#include "otlp_arrow/otlp_client.h"

#include <future>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

// A port that refuses connections as long as it lives.
class ClosedPort {
 public:
  ClosedPort() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~ClosedPort() { ::close(socket_); }
  std::string Authority() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  uint16_t port_ = 0;
};

std::shared_ptr<OtlpClient> MakeClient(const std::string& endpoint, const std::string& protocol) {
  OtlpClientOptions options;
  options.endpoint = endpoint;
  options.protocol = protocol;
  options.first_retry = milliseconds(1);
  auto client = OtlpClient::Make(options);
  EXPECT_TRUE(client.ok()) << client.status().message();
  return *client;
}

class OtlpClientTest : public ::testing::TestWithParam<const char*> {
 protected:
  ClosedPort port_;
  std::shared_ptr<OtlpClient> client_ = MakeClient("http://" + port_.Authority(), GetParam());
};

TEST_P(OtlpClientTest, TriesUntilTheTimeIsUp) {
  const auto result = client_->Send(Signal::kTraces, "", milliseconds(300));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), StatusCode::kServer);
  EXPECT_TRUE(result.status().retryable());
  EXPECT_THAT(result.status().message(), HasSubstr(port_.Authority()));
  EXPECT_THAT(result.status().message(), HasSubstr(" times: "));
}

TEST_P(OtlpClientTest, ShutdownEndsTheWaiting) {
  auto sending = std::async(std::launch::async, [&] { return client_->Send(Signal::kTraces, "", std::chrono::hours(1)); });
  auto waiting = std::async(std::launch::async, [&] { return client_->Send(Signal::kTraces, "", std::chrono::hours(1)); });
  client_->Shutdown();
  EXPECT_EQ(sending.get().status().code(), StatusCode::kShutdown);
  EXPECT_EQ(waiting.get().status().code(), StatusCode::kShutdown);
  EXPECT_EQ(client_->Send(Signal::kTraces, "", milliseconds(1)).status().code(), StatusCode::kShutdown);
}

TEST_P(OtlpClientTest, BelongsToItsProcess) {
  ASSERT_FALSE(client_->Send(Signal::kTraces, "", milliseconds(20)).ok());  // gRPC's threads run now
  const pid_t child = ::fork();
  if (child == 0) {
    const auto result = client_->Send(Signal::kTraces, "", milliseconds(20));
    client_->Shutdown();
    client_.reset();
    const auto own = MakeClient("http://" + port_.Authority(), GetParam())->Send(Signal::kTraces, "", milliseconds(20));
    const bool can_go_on = std::string(GetParam()) == "http";
    ::_exit(!result.ok() && !result.status().retryable() && own.status().retryable() == can_go_on ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

INSTANTIATE_TEST_SUITE_P(Protocols, OtlpClientTest, ::testing::Values("http", "grpc"), [](const auto& test) { return std::string(test.param); });

TEST(OtlpClientOptionsTest, TellsWhatIsWrongAndNoSecrets) {
  const auto error_of = [](OtlpClientOptions options) {
    const auto client = OtlpClient::Make(std::move(options));
    EXPECT_FALSE(client.ok());
    EXPECT_EQ(client.status().code(), StatusCode::kConfig);
    return client.status().message();
  };
  EXPECT_THAT(error_of({.endpoint = "ftp://host"}), HasSubstr("known are http and https"));
  EXPECT_THAT(error_of({.endpoint = "http://host:4318", .protocol = "soap"}), HasSubstr("allowed are grpc and http"));
  EXPECT_THAT(error_of({.endpoint = "http://host:4318", .headers = {{"x-key", "secret\n"}}}), ::testing::AllOf(HasSubstr("x-key"), Not(HasSubstr("secret"))));
  EXPECT_THAT(error_of({.endpoint = "http://user:secret@host"}), ::testing::AllOf(HasSubstr("http://...@host"), Not(HasSubstr("secret"))));
  EXPECT_THAT(error_of({.endpoint = "https://host/?key=secret"}), ::testing::AllOf(HasSubstr("https://host/'"), Not(HasSubstr("secret"))));
  EXPECT_THAT(error_of({.endpoint = "https://host", .ca_file = "/nowhere.pem"}), HasSubstr("/nowhere.pem"));
  EXPECT_THAT(error_of({.endpoint = "http://host", .first_retry = milliseconds(0)}), HasSubstr("first_retry"));
}

TEST(OtlpClientOptionsTest, ProtocolFollowsTheEndpoint) {
  EXPECT_EQ(MakeClient("http://host:4318", "")->protocol(), "http");
  EXPECT_EQ(MakeClient("https://host/prefix", "")->protocol(), "http");
  EXPECT_EQ(MakeClient("host:4317", "")->protocol(), "grpc");
  EXPECT_EQ(MakeClient("https://host/secret/path", "")->peer(), "https://host:443");
}

}  // namespace
}  // namespace otlp_arrow
