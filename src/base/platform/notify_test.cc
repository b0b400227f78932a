#include "base/platform/notify.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "temp_dir.h"

namespace otlp_arrow::platform {
namespace {

// A supervisor's socket, at a path or under an abstract name ("@…").
class Supervisor {
 public:
  explicit Supervisor(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Supervisor() {
    unsetenv("NOTIFY_SOCKET");
    close(fd_);
  }
  std::string Receive() const {
    char bytes[512];
    const ssize_t size = recv(fd_, bytes, sizeof(bytes), 0);
    return size < 0 ? "nothing" : std::string(bytes, static_cast<size_t>(size));
  }

 private:
  const int fd_ = socket(AF_UNIX, SOCK_DGRAM, 0);
};

TEST(Notify, ReachesASocketAtAPath) {
  const testing::TempDir dir;
  const Supervisor supervisor(dir / "notify");
  EXPECT_TRUE(NotifySupervisor("READY=1\nSTATUS=serving"));
  EXPECT_EQ(supervisor.Receive(), "READY=1\nSTATUS=serving");
}

#ifdef __linux__
TEST(Notify, ReachesAnAbstractSocket) {
  const Supervisor supervisor("@otlp-arrow-test-" + std::to_string(getpid()));
  EXPECT_TRUE(NotifySupervisor("STOPPING=1"));
  EXPECT_EQ(supervisor.Receive(), "STOPPING=1");
}
#endif

TEST(Notify, NobodyListens) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(NotifySupervisor("READY=1"));
  for (const std::string name : {std::string("relative"), std::string(), std::string("/no/such/socket"), "/" + std::string(300, 'x')}) {
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    EXPECT_FALSE(NotifySupervisor("READY=1")) << name;
  }
  unsetenv("NOTIFY_SOCKET");
}

TEST(Notify, TheWatchdogIsForThisProcessAlone) {
  unsetenv("WATCHDOG_PID");
  unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(WatchdogTimeout(), std::nullopt);
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(WatchdogTimeout(), std::chrono::seconds(30));
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_EQ(WatchdogTimeout(), std::chrono::seconds(30));
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(WatchdogTimeout(), std::nullopt);
  unsetenv("WATCHDOG_PID");
  for (const char* wrong : {"", "0", "-5", "30s", "99999999999999999999"}) {
    setenv("WATCHDOG_USEC", wrong, 1);
    EXPECT_EQ(WatchdogTimeout(), std::nullopt) << wrong;
  }
  unsetenv("WATCHDOG_USEC");
}

TEST(Notify, MonotonicTimeDoesNotGoBack) {
  const auto before = MonotonicTime();
  EXPECT_GT(before.count(), 0);
  EXPECT_GE(MonotonicTime(), before);
}

}  // namespace
}  // namespace otlp_arrow::platform
