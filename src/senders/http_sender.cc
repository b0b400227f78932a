#include <cerrno>
#include <optional>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "senders/export_response.h"
#include "senders/gzip.h"
#include "senders/sender_factory.h"

namespace otlp_arrow {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr uint64_t kMaxResponseBytes = 1 << 20;
constexpr size_t kMaxQuotedBytes = 200;  // of an answer in a message

using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;
using Request = http::request<http::span_body<const char>>;
using ResponseParser = http::response_parser<http::string_body>;

SendOutcome Failed(SendOutcome::Kind kind, std::string message) {
  SendOutcome outcome;
  outcome.kind = kind;
  outcome.message = std::move(message);
  return outcome;
}

bool IsProtobuf(const http::response<http::string_body>& response) {
  return response[http::field::content_type].starts_with("application/x-protobuf");
}

// The peer's reason: the message of google.rpc.Status, or the beginning of a text.
std::string ReasonOf(const http::response<http::string_body>& response) {
  if (IsProtobuf(response)) {
    const auto status = ReadRpcStatus(response.body());
    return status ? status->message : std::string();
  }
  std::string text = response.body().substr(0, kMaxQuotedBytes);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

// The table of https://opentelemetry.io/docs/specs/otlp/#failures-1; the rest of the 4xx by what they mean.
SendOutcome::Kind KindOf(unsigned status) {
  switch (status) {
    case 429:
    case 502:
    case 503:
    case 504: return SendOutcome::Kind::kRetryable;
    case 401:
    case 403:
    case 404:
    case 405:
    case 407:
    case 415: return SendOutcome::Kind::kUnusable;
    default: return status < 400 ? SendOutcome::Kind::kUnusable : SendOutcome::Kind::kRefused;
  }
}

SendOutcome OutcomeOf(const http::response<http::string_body>& response) {
  const unsigned status = response.result_int();
  if (status >= 200 && status < 300) {
    return ReadExportResponse(IsProtobuf(response) ? std::string_view(response.body()) : std::string_view());
  }
  const std::string reason = ReasonOf(response);
  SendOutcome outcome =
      Failed(KindOf(status), "HTTP " + std::to_string(status) + (reason.empty() ? "" : ": " + reason));
  if (auto location = response[http::field::location]; status >= 300 && status < 400 && !location.empty()) {
    outcome.message += ": moved to " + std::string(location) + "; send there";
  }
  if (outcome.kind == SendOutcome::Kind::kRetryable) {
    const auto header = response[http::field::retry_after];
    outcome.retry_after = ReadRetryAfter({header.data(), header.size()}, std::chrono::system_clock::now());
  }
  return outcome;
}

template <class Stream>
class HttpSender : public OtlpSender {
 public:
  HttpSender(SenderOptions options, asio::ssl::context tls)
      : options_(std::move(options)), tls_(std::move(tls)), resolver_(io_) {}

  SendOutcome Send(Signal signal, std::string_view bytes, milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    if (stream_ && !IsIdleAndOpen()) stream_.reset();
    if (!stream_) {
      if (auto failure = Open(deadline)) return *failure;
    }
    std::string compressed;
    if (options_.gzip) {
      compressed = GzipCompress(bytes);
      if (compressed.empty()) return Failed(SendOutcome::Kind::kRetryable, "no memory to compress the request");
      bytes = compressed;
    }
    return Exchange(MakeRequest(signal, bytes), deadline, timeout);
  }

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  // Runs one asynchronous operation to its end: they, unlike the synchronous ones, know deadlines.
  template <class Start>
  error_code Await(Start start) {
    error_code result;
    start([&result](error_code error, auto&&...) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  beast::tcp_stream& Lowest() { return beast::get_lowest_layer(*stream_); }

  // False where the peer has closed, or said something unasked, since the last request.
  bool IsIdleAndOpen() {
    char byte = 0;
    const ssize_t n = ::recv(Lowest().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  std::optional<SendOutcome> Open(Deadline deadline) {
    const std::string where = options_.endpoint.Authority();
    Tcp::resolver::results_type addresses;
    error_code error = Await([&](auto done) {
      resolver_.async_resolve(options_.endpoint.host, std::to_string(options_.endpoint.port),
                              [&addresses, done](error_code e, Tcp::resolver::results_type found) {
                                addresses = std::move(found);
                                done(e);
                              });
    });
    if (error) return Failed(SendOutcome::Kind::kRetryable, "cannot find " + where + ": " + error.message());
    MakeStream();
    Lowest().expires_at(deadline);
    error = Await([&](auto done) { Lowest().async_connect(addresses, done); });
    if (!error) {
      error_code ignored;
      Lowest().socket().set_option(Tcp::no_delay(true), ignored);
      if (auto failure = Handshake(where)) return failure;
      return std::nullopt;
    }
    stream_.reset();
    return Failed(SendOutcome::Kind::kRetryable, "cannot connect to " + where + ": " + error.message());
  }

  void MakeStream() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      stream_.emplace(io_, tls_);
    } else {
      stream_.emplace(io_);
    }
  }

  std::optional<SendOutcome> Handshake(const std::string& where) {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      stream_->set_verify_callback(asio::ssl::host_name_verification(options_.endpoint.host));
      SSL_set_tlsext_host_name(stream_->native_handle(), options_.endpoint.host.c_str());
      const error_code error =
          Await([&](auto done) { stream_->async_handshake(asio::ssl::stream_base::client, done); });
      if (error) {
        stream_.reset();
        const bool is_tls = error.category() == asio::error::get_ssl_category();
        return Failed(is_tls ? SendOutcome::Kind::kUnusable : SendOutcome::Kind::kRetryable,
                      "no TLS with " + where + ": " + error.message());
      }
    }
    return std::nullopt;
  }

  Request MakeRequest(Signal signal, std::string_view body) {
    Request request(http::verb::post, options_.endpoint.SignalPath(signal), 11);
    request.set(http::field::host, options_.endpoint.Authority());
    request.set(http::field::user_agent, "otlp-arrow");
    request.set(http::field::content_type, "application/x-protobuf");
    if (options_.gzip) request.set(http::field::content_encoding, "gzip");
    for (const auto& [name, value] : options_.headers) request.set(name, value);
    request.body() = beast::span<const char>(body.data(), body.size());
    request.prepare_payload();
    return request;
  }

  SendOutcome Exchange(Request request, Deadline deadline, milliseconds timeout) {
    ResponseParser parser;
    parser.body_limit(kMaxResponseBytes);
    Lowest().expires_at(deadline);
    // A refusal may arrive, and the connection close, before everything is written: the answer is read all the same.
    const error_code write_error = Await([&](auto done) { http::async_write(*stream_, request, done); });
    const error_code read_error = Await([&](auto done) { http::async_read(*stream_, buffer_, parser, done); });
    if (!read_error) {
      SendOutcome outcome = OutcomeOf(parser.get());
      if (write_error || !parser.keep_alive() || buffer_.size() != 0) Close();
      return outcome;
    }
    Close();
    const error_code error = write_error ? write_error : read_error;
    if (error == beast::error::timeout) {
      return Failed(SendOutcome::Kind::kRetryable, "no answer within " + std::to_string(timeout.count()) + " ms");
    }
    if (error == http::error::body_limit) {
      return Failed(SendOutcome::Kind::kUnusable, "the answer is larger than 1 MiB");
    }
    if (error == http::error::bad_version || error == http::error::bad_field || error == http::error::bad_line_ending) {
      return Failed(SendOutcome::Kind::kUnusable, "the answer is not HTTP/1.1 (is this the gRPC port?)");
    }
    return Failed(SendOutcome::Kind::kRetryable, "the connection broke: " + error.message());
  }

  void Close() {
    stream_.reset();
    buffer_.clear();
  }

  SenderOptions options_;
  asio::io_context io_{1};
  asio::ssl::context tls_;
  Tcp::resolver resolver_;
  std::optional<Stream> stream_;
  beast::flat_buffer buffer_;
};

}  // namespace

Result<std::unique_ptr<OtlpSender>> MakeHttpSender(SenderOptions options, const std::string& ca_certificates) {
  asio::ssl::context tls(asio::ssl::context::tls_client);
  if (!options.endpoint.tls) {
    return std::unique_ptr<OtlpSender>(std::make_unique<HttpSender<PlainStream>>(std::move(options), std::move(tls)));
  }
  error_code error;
  tls.set_verify_mode(asio::ssl::verify_peer, error);
  if (ca_certificates.empty()) {
    tls.set_default_verify_paths(error);
  } else {
    tls.add_certificate_authority(asio::buffer(ca_certificates), error);
  }
  if (error) {
    return Status::Config("cannot use the certificates" +
                          (options.ca_file.empty() ? "" : " in '" + options.ca_file + "'") + ": " + error.message());
  }
  return std::unique_ptr<OtlpSender>(std::make_unique<HttpSender<TlsStream>>(std::move(options), std::move(tls)));
}

}  // namespace otlp_arrow
