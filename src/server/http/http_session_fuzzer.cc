// A connection from its first byte to its end: whatever a client sends, in whatever pieces, nothing crashes, every answer is
// HTTP, and nothing is kept of the connection. The first byte chooses the configuration, the second the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "otlp/scan.h"
#include "pipeline/pipeline.h"
#include "server/http/http_session.h"
#include "server/http/http_settings.h"
#include "server/http/http_shared.h"
#include "server/http/io_loop.h"

namespace {

using namespace otlp_arrow;

void Require(bool holds) {
  if (!holds) std::abort();
}

// Judges requests as the real one does, and answers at once or when it is told to.
class JudgingPipeline final : public Pipeline {
 public:
  explicit JudgingPipeline(bool defers) : defers_(defers) {}

  void Accept(Signal signal, SharedBytes bytes, AcceptCallback done) override {
    const ScanResult scan = ScanOtlp(signal, bytes.data);
    AcceptResult result;
    if (!scan.ok) result.status = Status::Export("malformed request: " + scan.error);
    result.rejected_items = scan.rejected_items;
    if (!defers_) return done(std::move(result));
    waiting_.emplace_back(std::move(done), std::move(result));
  }
  void Answer() {
    for (auto& [done, result] : std::exchange(waiting_, {})) done(std::move(result));
  }
  WritableBytes Allocate(size_t size) override {
    std::shared_ptr<void> owner(std::malloc(size + 64), std::free);
    char* data = static_cast<char*>(owner.get());
    return {std::move(owner), data, size};
  }
  Status Flush(std::chrono::milliseconds) override { return Status::Ok(); }
  Status Shutdown(std::chrono::milliseconds) override { return Status::Ok(); }
  bool Ready(std::string*) const override { return true; }
  Ledger GetLedger() const override { return {}; }
  void CountRefused(Signal, int64_t, std::string_view reason) override { Require(!reason.empty()); }
  uint64_t QueuedBytes() const override { return 0; }

 private:
  const bool defers_;
  std::vector<std::pair<AcceptCallback, AcceptResult>> waiting_;
};

std::shared_ptr<const HttpSettings> Settings(uint8_t choice) {
  Config config;
  config.http.max_body_bytes = 1 << 16;
  config.http.max_header_bytes = 2048;
  if (choice & 1) config.auth.bearer_tokens = {"token"};
  if (choice & 2) config.http.cors_allowed_origins = {"http://a"};
  if (choice & 4) config.http.max_receive_bytes = 1024;
  auto settings = MakeHttpSettings(config);
  Require(settings.ok());
  return *settings;
}

// What the server answers; false at the end of its answers.
bool ReadAll(int fd, std::string* out) {
  char bytes[4096];
  for (;;) {
    const ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n <= 0) return n < 0;
    out->append(bytes, static_cast<size_t>(n));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint8_t choice = data[0];
  const size_t step = data[1] == 0 ? size : data[1];
  std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);

  int ends[2];
  Require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  JudgingPipeline pipeline((choice & 8) != 0);
  auto shared = std::make_shared<HttpShared>();
  shared->pipeline = &pipeline;
  shared->clock = Clock::System();
  auto loop = std::make_shared<IoLoop>(shared->clock, Settings(choice));
  std::string answers;
  {
    HttpSession::Socket socket(loop->context());
    socket.assign(boost::asio::ip::tcp::v4(), ends[0]);
    ++shared->connections;
    auto session = std::make_shared<HttpSession>(std::move(socket), nullptr, loop, shared, shared->clients.Enter(boost::asio::ip::address_v4::loopback()));
    session->Start();
  }
  bool is_open = true;
  while (is_open && !input.empty()) {
    const ssize_t n = send(ends[1], input.data(), std::min(step, input.size()), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) input.remove_prefix(static_cast<size_t>(n));
    loop->context().poll();
    pipeline.Answer();
    loop->context().poll();
    is_open = ReadAll(ends[1], &answers) && (n > 0 || errno == EAGAIN);
  }
  shutdown(ends[1], SHUT_WR);
  for (int i = 0; i < 4; ++i) {
    loop->context().poll();
    pipeline.Answer();
  }
  (void)ReadAll(ends[1], &answers);
  Require(answers.empty() || answers.starts_with("HTTP/1.1 "));
  loop->Stop();
  loop.reset();
  close(ends[1]);
  Require(shared->connections == 0);
  Require(shared->budget.body_bytes == 0);
  Require(shared->clients.size() == 0);
  return 0;
}
