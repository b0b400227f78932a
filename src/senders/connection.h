// A TCP or TLS connection to a destination, for one thread, whose operations know a deadline and can be cancelled.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>

#include "base/endpoint.h"
#include "senders/name_lookup.h"
#include "senders/outcome.h"
#include "senders/tls_client.h"

namespace otlp_arrow {

using PlainStream = boost::beast::tcp_stream;
using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

template <class Stream>
class Connection {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  using error_code = boost::system::error_code;

  // `name`: what the peer's certificate must bear.
  Connection(const Endpoint& endpoint, std::string name, boost::asio::ssl::context tls)
      : host_(endpoint.host), port_(endpoint.port), where_(endpoint.Authority()), name_(std::move(name)), tls_(std::move(tls)) {}

  // Why there is no connection.
  std::optional<SendOutcome> Open(Deadline deadline) {
    auto addresses = lookup_.Find(host_, port_, deadline);
    if (is_cancelled_) return Cancelled();
    if (!addresses.ok()) return Failed(SendOutcome::Kind::kRetryable, "cannot find " + where_ + ": " + addresses.status().message());
    MakeStream();
    lowest().expires_at(deadline);
    const error_code error = Await([&](auto done) { lowest().async_connect(*addresses, done); });
    if (error) {
      Close();
      if (is_cancelled_) return Cancelled();
      return Failed(SendOutcome::Kind::kRetryable, "cannot connect to " + where_ + ": " + error.message());
    }
    error_code ignored;
    lowest().socket().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    return Handshake();
  }

  // Called before each handshake.
  void OnStream(std::function<void(SSL*)> on_stream) { on_stream_ = std::move(on_stream); }

  bool is_open() const { return stream_.has_value(); }
  Stream& stream() { return *stream_; }
  boost::beast::tcp_stream& lowest() { return boost::beast::get_lowest_layer(*stream_); }
  void Close() { stream_.reset(); }

  // False where the peer has closed, or said something unasked.
  bool IsIdle() {
    char byte = 0;
    const ssize_t n = ::recv(lowest().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  // Runs one asynchronous operation to its end: they, unlike the synchronous ones, know deadlines.
  template <class Start>
  error_code Await(Start start) {
    if (is_cancelled_) return boost::asio::error::operation_aborted;
    error_code result;
    start([&result](error_code error, auto&&...) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  // The outcome of an error between a handshake and an answer.
  SendOutcome Broken(const error_code& error) const {
    if (is_cancelled_) return Cancelled();
    const std::string problem = TlsProblem(error);
    // Also a stream that was cut off belongs to this category.
    if (!problem.empty() && error != boost::asio::ssl::error::stream_truncated) return Failed(SendOutcome::Kind::kUnusable, "TLS with " + where_ + ": " + problem);
    return Failed(SendOutcome::Kind::kRetryable, "the connection to " + where_ + " broke: " + error.message());
  }

  // From any thread: what is under way ends, and nothing begins any more.
  void Cancel() {
    is_cancelled_ = true;
    lookup_.Cancel();
    boost::asio::post(io_, [this] {
      if (stream_) lowest().close();
    });
  }
  bool is_cancelled() const { return is_cancelled_; }

 private:
  static constexpr bool kHasTls = std::is_same_v<Stream, TlsStream>;

  void MakeStream() {
    if constexpr (kHasTls) {
      stream_.emplace(io_, tls_);
    } else {
      stream_.emplace(io_);
    }
  }

  std::optional<SendOutcome> Handshake() {
    if constexpr (kHasTls) {
      std::string problem;
      stream_->set_verify_callback([&problem, this](bool is_good, boost::asio::ssl::verify_context& context) {
        if (!is_good && problem.empty()) problem = CertificateProblem(context.native_handle(), name_);
        return is_good;
      });
      ExpectName(stream_->native_handle(), name_);
      if (on_stream_) on_stream_(stream_->native_handle());
      const error_code error = Await([&](auto done) { stream_->async_handshake(boost::asio::ssl::stream_base::client, done); });
      if (!error) return std::nullopt;
      Close();
      if (is_cancelled_) return Cancelled();
      if (problem.empty() && error != boost::asio::ssl::error::stream_truncated) problem = TlsProblem(error);
      if (problem.empty()) return Failed(SendOutcome::Kind::kRetryable, "no TLS with " + where_ + ": " + error.message());
      return Failed(SendOutcome::Kind::kUnusable, "no TLS with " + where_ + ": " + problem);
    }
    return std::nullopt;
  }

  const std::string host_;
  const uint16_t port_;
  const std::string where_;
  const std::string name_;
  std::atomic<bool> is_cancelled_{false};
  NameLookup lookup_;
  boost::asio::io_context io_{1};
  boost::asio::ssl::context tls_;
  std::function<void(SSL*)> on_stream_;
  std::optional<Stream> stream_;
};

}  // namespace otlp_arrow
