#include "senders/http_sender.h"

#include <array>
#include <optional>
#include <utility>

#include <boost/beast/http.hpp>

#include "senders/connection.h"
#include "senders/http_answer.h"

namespace otlp_arrow {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using std::chrono::milliseconds;
using Kind = SendOutcome::Kind;

constexpr uint64_t kMaxResponseBytes = 1 << 20;
constexpr int kMostRedirects = 3;

using Request = http::request<http::span_body<const char>>;

template <class Stream>
class HttpSender : public OtlpSender {
 public:
  HttpSender(SenderOptions options, asio::ssl::context tls)
      : options_(std::move(options)),
        compressor_(MakeCompressor(options_.compression)),
        connection_(options_.endpoint, options_.tls.server_name.empty() ? options_.endpoint.host : options_.tls.server_name, std::move(tls)) {
    for (Signal s : kAllSignals) PathOf(s) = options_.endpoint.SignalPath(s);
  }

  SendOutcome Send(Signal signal, std::string_view bytes, milliseconds timeout) override {
    if (connection_.is_cancelled()) return Cancelled();
    if (compressor_) {
      if (!compressor_->Compress(bytes, &compressed_)) return Failed(Kind::kRetryable, "no memory to compress the request");
      bytes = compressed_;
    }
    deadline_ = std::chrono::steady_clock::now() + timeout;
    timeout_ = timeout;
    return Tidy(options_, SendTo(PathOf(signal), &PathOf(signal), bytes));
  }

  void Cancel() override { connection_.Cancel(); }

 private:
  std::string& PathOf(Signal signal) { return paths_[static_cast<size_t>(signal)]; }

  // Follows redirects, and keeps in `*known` those that are for good.
  SendOutcome SendTo(std::string path, std::string* known, std::string_view body) {
    for (int redirects = 0;; ++redirects) {
      HttpAnswer answer;
      if (auto failure = Exchange(path, body, &answer)) return *std::move(failure);
      const auto next = RedirectedPath(answer, options_.endpoint, path);
      if (!next) return OutcomeOf(answer);
      if (redirects == kMostRedirects) return Failed(Kind::kUnusable, "it redirects again and again, last to " + *next);
      path = *next;
      if (answer.result() == http::status::permanent_redirect) *known = path;
    }
  }

  // Once more where a connection turns out to be closed that was kept open since the last request.
  std::optional<SendOutcome> Exchange(const std::string& path, std::string_view body, HttpAnswer* answer) {
    if (connection_.is_open() && !connection_.IsIdle()) connection_.Close();
    if (connection_.is_open()) {
      bool is_stale = false;
      auto failure = TryExchange(path, body, answer, &is_stale);
      if (!is_stale) return failure;
    }
    if (auto failure = connection_.Open(deadline_)) return failure;
    bool is_stale = false;
    return TryExchange(path, body, answer, &is_stale);
  }

  std::optional<SendOutcome> TryExchange(const std::string& path, std::string_view body, HttpAnswer* answer, bool* is_stale) {
    buffer_.clear();
    const Request request = MakeRequest(path, body);
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMaxResponseBytes);
    connection_.lowest().expires_at(deadline_);
    // A refusal may arrive, and the connection close, before everything is written: the answer is read all the same.
    const error_code write_error = connection_.Await([&](auto done) { http::async_write(connection_.stream(), request, done); });
    // Boost 1.74 forgets the limit where it reads header and body in one go.
    error_code read_error = connection_.Await([&](auto done) { http::async_read_header(connection_.stream(), buffer_, parser, done); });
    if (!read_error) read_error = connection_.Await([&](auto done) { http::async_read(connection_.stream(), buffer_, parser, done); });
    if (!read_error) {
      if (write_error || !parser.keep_alive() || buffer_.size() != 0) connection_.Close();
      *answer = parser.release();
      return std::nullopt;
    }
    connection_.Close();
    *is_stale = !parser.got_some() && IsHangUp(read_error) && !connection_.is_cancelled();
    return FailureOf(write_error, read_error);
  }

  static bool IsHangUp(const error_code& error) {
    return error == http::error::end_of_stream || error == asio::error::connection_reset || error == asio::error::broken_pipe ||
           error == asio::ssl::error::stream_truncated;
  }

  SendOutcome FailureOf(const error_code& write_error, const error_code& read_error) {
    if (connection_.is_cancelled()) return Cancelled();
    if (read_error == beast::error::timeout || write_error == beast::error::timeout) {
      return Failed(Kind::kRetryable, "no answer within " + std::to_string(timeout_.count()) + " ms");
    }
    if (read_error == http::error::body_limit) return Failed(Kind::kRetryable, "the answer is larger than 1 MiB");
    if (read_error.category() == http::make_error_code(http::error::bad_version).category() && read_error != http::error::end_of_stream &&
        read_error != http::error::partial_message) {
      const auto data = buffer_.cdata();
      if (IsHttp2({static_cast<const char*>(data.data()), data.size()})) return Failed(Kind::kUnusable, "the answer is not HTTP/1.1 (is this the gRPC port?)");
      return Failed(Kind::kRetryable, "the answer is not HTTP/1.1: " + read_error.message());
    }
    // What the peer said before it hung up tells more than that writing failed.
    return connection_.Broken(!TlsProblem(read_error).empty() || !write_error ? read_error : write_error);
  }

  Request MakeRequest(const std::string& path, std::string_view body) {
    Request request(http::verb::post, path, 11);
    request.set(http::field::host, options_.endpoint.Authority());
    request.set(http::field::user_agent, "otlp-arrow");
    request.set(http::field::content_type, "application/x-protobuf");
    if (compressor_) {
      const std::string_view name = RequestCompressionName(options_.compression);
      request.set(http::field::content_encoding, {name.data(), name.size()});
    }
    for (const auto& [name, value] : options_.headers) request.set(name, value);
    request.body() = beast::span<const char>(body.data(), body.size());
    request.prepare_payload();
    return request;
  }

  const SenderOptions options_;
  const std::unique_ptr<Compressor> compressor_;
  std::string compressed_;
  std::array<std::string, kSignalCount> paths_;
  Connection<Stream> connection_;
  beast::flat_buffer buffer_;
  std::chrono::steady_clock::time_point deadline_;
  milliseconds timeout_{};
};

}  // namespace

Result<std::unique_ptr<OtlpSender>> MakeHttpSender(SenderOptions options, const TlsFiles& files) {
  if (!options.endpoint.tls) {
    return std::unique_ptr<OtlpSender>(std::make_unique<HttpSender<PlainStream>>(std::move(options), asio::ssl::context(asio::ssl::context::tls_client)));
  }
  OTLP_ASSIGN_OR_RETURN(auto tls, MakeTlsContext(options.tls, files));
  return std::unique_ptr<OtlpSender>(std::make_unique<HttpSender<TlsStream>>(std::move(options), std::move(tls)));
}

}  // namespace otlp_arrow
