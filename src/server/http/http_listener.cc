#include "server/http/http_listener.h"

#include <chrono>
#include <exception>
#include <utility>

#include <spdlog/spdlog.h>

#include "server/common/listen_error.h"
#include "server/http/http_session.h"
#include "server/http/http_status.h"

namespace otlp_arrow {

using boost::system::error_code;

namespace {

constexpr std::string_view kKey = "http.address";
constexpr int kBacklog = 1024;
// Connections over the limit that are being told so at once; more are just closed.
constexpr uint32_t kMaxRefusals = 64;
// Where no connection can be taken, because of the limit of open files for example.
constexpr std::chrono::milliseconds kPause{200};
constexpr std::chrono::seconds kWarningInterval{10};

}  // namespace

HttpListener::HttpListener(std::vector<std::shared_ptr<IoLoop>> loops, std::shared_ptr<HttpShared> shared)
    : loops_(std::move(loops)), shared_(std::move(shared)) {}

Status HttpListener::Open(HostPort* address) {
  error_code error;
  Tcp::resolver resolver(loops_.front()->context());
  const auto found = resolver.resolve(address->host, std::to_string(address->port), Tcp::resolver::passive, error);
  if (error) {
    return ListenError(kKey, address->ToString(), error.message() + "; use an IP address or a name of this machine");
  }
  Status failure;
  for (const auto& entry : found) {
    Tcp::endpoint endpoint = entry.endpoint();
    endpoint.port(address->port);
    const Status opened = OpenDoor(endpoint, address->ToString());
    if (opened.ok()) {
      address->port = doors_.back()->acceptor.local_endpoint(error).port();
    } else {
      failure = opened;
    }
  }
  // A name of this machine may have an address that is not in use; one that is taken is a mistake.
  if (doors_.empty()) return failure;
  for (const auto& door : doors_) Accept(door.get());
  return Status::Ok();
}

Status HttpListener::OpenDoor(Tcp::endpoint endpoint, const std::string& address) {
  auto door = std::make_unique<Door>(loops_.front()->context());
  error_code error;
  auto& acceptor = door->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  if (error) return ListenError(kKey, address, error.value());
  doors_.push_back(std::move(door));
  return Status::Ok();
}

void HttpListener::Close() {
  error_code ignored;
  for (const auto& door : doors_) {
    door->acceptor.close(ignored);
    door->pause.cancel();
  }
}

void HttpListener::Accept(Door* door) {
  if (!door->acceptor.is_open()) return;
  const auto& loop = loops_[next_loop_++ % loops_.size()];
  door->acceptor.async_accept(loop->context(), [this, door, loop](error_code error, Tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted) return;
    if (!error) {
      OnAccepted(std::move(socket), loop);
      return Accept(door);
    }
    Warn(error.message());
    door->pause.expires_after(kPause);
    door->pause.async_wait([this, door](error_code) { Accept(door); });
  });
}

void HttpListener::OnAccepted(Tcp::socket socket, std::shared_ptr<IoLoop> loop) noexcept try {
  const HttpSettings& settings = loops_.front()->settings();
  error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const uint32_t taken = ++shared_->connections;
  auto client = shared_->clients.Enter(peer.address());
  // Both counted down by the session's end.
  auto session = std::make_shared<HttpSession>(std::move(socket), settings.tls, loop, shared_, client);
  auto refusal = Refusal(settings.http, taken, client->connections);
  if (!refusal) {
    loop->Post([session = std::move(session)] { session->Start(); });
    return;
  }
  shared_->pipeline->CountRefused(Signal::kTraces, 0, "connections");
  // Whoever wants TLS could not read it.
  if (settings.tls || taken > settings.http.max_connections + kMaxRefusals) return;
  loop->Post([session = std::move(session), refusal = *std::move(refusal)] { session->StartRefusal(refusal); });
} catch (const std::exception& e) {  // no memory: this connection is lost, the next one may do
  Warn(e.what());
}

std::optional<HttpResponse> HttpListener::Refusal(const HttpConfig& config, uint32_t taken, uint32_t taken_by_client) const {
  if (taken > config.max_connections) return TooManyConnections(config.max_connections);
  const uint32_t limit = config.max_connections_per_client;
  if (limit > 0 && taken_by_client > limit) return TooManyConnectionsOfClient(limit);
  return std::nullopt;
}

void HttpListener::Warn(const std::string& reason) {
  const auto now = shared_->clock->SteadyNow();
  if (now < next_warning_) return;
  next_warning_ = now + kWarningInterval;
  spdlog::warn("HTTP server: cannot take a connection: {}", reason);
}

}  // namespace otlp_arrow
