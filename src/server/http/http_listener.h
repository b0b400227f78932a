// Takes connections and hands each to a loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/host_port.h"
#include "otlp_arrow/status.h"
#include "server/http/http_response.h"
#include "server/http/http_shared.h"
#include "server/http/io_loop.h"

namespace otlp_arrow {

// Lives on the first loop, whose settings it goes by. Open() comes before the loops start, Close() on the loop's thread.
class HttpListener {
 public:
  HttpListener(std::vector<std::shared_ptr<IoLoop>> loops, std::shared_ptr<HttpShared> shared);

  // Listens on every address that `address.host` has; sets `address.port` where that is 0.
  Status Open(HostPort* address);
  void Close();

 private:
  using Tcp = boost::asio::ip::tcp;
  struct Door {
    explicit Door(boost::asio::io_context& context) : acceptor(context), pause(context) {}
    Tcp::acceptor acceptor;
    boost::asio::steady_timer pause;
  };

  Status OpenDoor(Tcp::endpoint endpoint, const std::string& address);
  void Accept(Door* door);
  void OnAccepted(Tcp::socket socket, std::shared_ptr<IoLoop> loop) noexcept;
  // What a connection beyond a limit is told; `taken` counts it already.
  std::optional<HttpResponse> Refusal(const HttpConfig& config, uint32_t taken, uint32_t taken_by_client) const;
  // Logs, but not each time.
  void Warn(const std::string& reason);

  const std::vector<std::shared_ptr<IoLoop>> loops_;
  const std::shared_ptr<HttpShared> shared_;
  std::vector<std::unique_ptr<Door>> doors_;
  size_t next_loop_ = 0;
  Clock::SteadyTime next_warning_ = Clock::SteadyTime::min();
};

}  // namespace otlp_arrow
