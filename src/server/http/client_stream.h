// The bytes from and to a client, with TLS or without. Which of them is asked at each operation: without TLS that costs a
// branch.
#pragma once

#include <memory>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace otlp_arrow {

class ClientStream {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  // `tls` may be null.
  ClientStream(Socket socket, std::shared_ptr<boost::asio::ssl::context> tls) : socket_(std::move(socket)), context_(std::move(tls)) {
    if (context_) tls_ = std::make_unique<boost::asio::ssl::stream<Socket&>>(socket_, *context_);
  }

  Socket& socket() { return socket_; }
  bool is_secure() const { return tls_ != nullptr; }
  // Goes on without TLS; only before the handshake.
  void DropTls() { tls_.reset(); }

  template <class Handler>
  void Handshake(Handler&& handler) {
    tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Handler>(handler));
  }
  // Says that nothing more comes, so that the client can tell the end from a cut.
  template <class Handler>
  void EndTls(Handler&& handler) {
    tls_->async_shutdown(std::forward<Handler>(handler));
  }
  template <class Buffer, class Handler>
  void ReadSome(const Buffer& buffer, Handler&& handler) {
    if (tls_) return tls_->async_read_some(buffer, std::forward<Handler>(handler));
    socket_.async_read_some(buffer, std::forward<Handler>(handler));
  }
  template <class Buffer, class Handler>
  void Write(const Buffer& buffer, Handler&& handler) {
    if (tls_) return boost::asio::async_write(*tls_, buffer, std::forward<Handler>(handler));
    boost::asio::async_write(socket_, buffer, std::forward<Handler>(handler));
  }

 private:
  Socket socket_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::unique_ptr<boost::asio::ssl::stream<Socket&>> tls_;
};

}  // namespace otlp_arrow
