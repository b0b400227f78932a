#include "server/http/http_session.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <spdlog/spdlog.h>

namespace otlp_arrow {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::seconds;

namespace {

constexpr size_t kReadSize = 4096;               // holds most headers; the rest of a body goes where it belongs
constexpr uint32_t kMaxBuffer = 2 << 20;         // more than the largest http.max_header_bytes
constexpr uint64_t kMaxSkip = 64 << 10;          // a longer unwanted body is not worth the connection
constexpr size_t kSpareBuffer = 64 << 10;        // that a connection keeps between requests
constexpr seconds kLingerTime{2};
constexpr char kHandshakeRecord = 0x16;          // the first byte of TLS (RFC 8446, 5.1)

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

HttpSession::HttpSession(Socket socket, std::shared_ptr<asio::ssl::context> tls, std::shared_ptr<IoLoop> loop, std::shared_ptr<HttpShared> shared,
                         std::shared_ptr<HttpClient> client)
    : loop_(std::move(loop)),
      shared_(std::move(shared)),
      client_(std::move(client)),
      stream_(std::move(socket), std::move(tls)),
      buffer_(kMaxBuffer),
      lease_(&shared_->budget, client_.get()) {}

HttpSession::~HttpSession() {
  lease_.Release();
  --shared_->connections;
  shared_->clients.Leave(client_);
}

void HttpSession::Enter(State state, Clock::SteadyTime deadline) {
  state_ = state;
  deadline_ = deadline;
  loop_->Expect(deadline);
}

void HttpSession::Start() {
  loop_->Add(shared_from_this());
  error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  Guard([this] {
    if (!stream_.is_secure()) return NextRequest();
    Enter(State::kHandshaking, seconds(settings().http.header_timeout_secs));
    stream_.socket().async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) { self->Guard([&] { self->OnFirstByte(error); }); });
  });
}

void HttpSession::StartRefusal(HttpResponse refusal) {
  loop_->Add(shared_from_this());
  stream_.DropTls();  // a handshake is what is to be spared
  unread_input_ = true;
  Guard([&] { Respond(std::move(refusal)); });
}

void HttpSession::OnDeadline() {
  if (state_ != State::kReading) return Close();
  timed_out_ = true;  // the pending read comes back and says so to the client
  deadline_ = Clock::SteadyTime::max();
  error_code ignored;
  stream_.socket().cancel(ignored);
}

void HttpSession::OnDrain() {
  error_code ignored;
  if (state_ == State::kHandshaking || (state_ == State::kIdle && stream_.socket().available(ignored) == 0)) Close();
}

void HttpSession::Close() {
  if (std::exchange(state_, State::kClosed) == State::kClosed) return;
  error_code ignored;
  stream_.socket().shutdown(Socket::shutdown_both, ignored);
  stream_.socket().close(ignored);
  loop_->Remove(this);
}

// --- TLS ---

void HttpSession::OnFirstByte(error_code error) {
  char first = 0;
  if (!error) stream_.socket().non_blocking(true, error);
  if (!error) stream_.socket().receive(asio::buffer(&first, 1), Socket::message_peek, error);
  if (error) return Close();
  if (first == kHandshakeRecord) {
    return stream_.Handshake([self = shared_from_this()](error_code e) { self->Guard([&] { self->OnHandshake(e); }); });
  }
  stream_.DropTls();
  RefuseHeader(BadRequest(Audience::kText, "TLS is spoken here: use https://"), "no_tls");
}

void HttpSession::OnHandshake(error_code error) {
  if (!error) return NextRequest();
  if (error.category() == asio::error::get_ssl_category()) {
    shared_->pipeline->CountRefused(Signal::kTraces, 0, "tls_handshake");
    spdlog::debug("HTTP server: TLS handshake failed: {}", error.message());
  }
  // What the client is told, an alert, must not be lost.
  unread_input_ = true;
  Linger();
}

// --- The header ---

void HttpSession::NextRequest() {
  DropBody();
  header_.reset();
  header_end_ = {};
  audience_ = Audience::kText;
  origin_.clear();
  head_ = close_ = body_begun_ = false;
  form_ = {};
  if (buffer_.size() == 0 && buffer_.capacity() > kSpareBuffer) buffer_.shrink_to_fit();
  Enter(State::kIdle, seconds(settings().http.idle_timeout_secs));
  if (buffer_.size() == 0) return ReadMore(&HttpSession::OnHeaderBytes);
  OnHeaderBytes({}, 0);  // pipelined
}

void HttpSession::ReadMore(Event event) { stream_.ReadSome(buffer_.prepare(kReadSize), On(event)); }

void HttpSession::OnHeaderBytes(error_code error, size_t n) {
  if (error || timed_out_) return OnInputError();
  buffer_.commit(n);
  if (state_ == State::kIdle) {
    request_began_ = shared_->clock->SteadyNow();
    Enter(State::kReading, request_began_ + seconds(settings().http.header_timeout_secs));
  }
  FindHeader();
}

void HttpSession::FindHeader() {
  const std::string_view input(static_cast<const char*>(buffer_.data().data()), buffer_.size());
  const uint64_t limit = settings().http.max_header_bytes;
  const HeaderEnd::State state = header_end_.Find(input);
  if (state == HeaderEnd::State::kFaulty) {
    const bool is_tls = !stream_.is_secure() && input[0] == kHandshakeRecord;
    const char* what = is_tls ? "no TLS is spoken here: use http://" : "this is not an HTTP/1.1 request: it begins with no method, or a line of its header does not end in CR LF";
    return RefuseHeader(BadRequest(Audience::kText, what), "bad_request");
  }
  const uint64_t size = state == HeaderEnd::State::kFound ? header_end_.size() : input.size();
  if (size > limit) return RefuseHeader(HeaderTooLarge(limit), "too_large");
  if (state == HeaderEnd::State::kNeedMore) return ReadMore(&HttpSession::OnHeaderBytes);
  if (const char* fault = FaultOfHeader(input.substr(0, size))) {
    return RefuseHeader(BadRequest(Audience::kText, std::string("this is not an HTTP/1.1 request: ") + fault), "bad_request");
  }
  ParseHeader();
}

void HttpSession::ParseHeader() {
  header_.emplace();
  header_->header_limit(kMaxBuffer);
  header_->body_limit(std::numeric_limits<uint64_t>::max());  // CheckExport() has the better message
  error_code error;
  buffer_.consume(header_->put(asio::buffer(buffer_.data(), header_end_.size()), error));
  if (!error && header_->is_header_done()) return OnHeader();
  if (error == http::error::bad_version) return RefuseHeader(BadVersion(), "bad_request");
  RefuseHeader(BadRequest(Audience::kText, "this is not an HTTP/1.1 request: " + error.message()), "bad_request");
}

void HttpSession::RefuseHeader(HttpResponse response, std::string_view reason) {
  shared_->pipeline->CountRefused(Signal::kTraces, 0, reason);  // of a request that nobody can count, no matter whose
  close_ = unread_input_ = true;
  Respond(std::move(response));
}

void HttpSession::OnInputError() {
  if (body_begun_) shared_->pipeline->CountRefused(route_.signal, 0, timed_out_ ? "timeout" : "incomplete");
  if (!timed_out_) return Close();
  unread_input_ = true;
  const HttpConfig& config = settings().http;
  if (!header_) return Respond(TimedOut(audience_, "the request's header", config.header_timeout_secs, "http.header_timeout_secs"));
  Respond(TimedOut(audience_, "the request", config.request_timeout_secs, "http.request_timeout_secs"));
}

std::string_view HttpSession::Header(http::field name) const { return View(header_->get()[name]); }

void HttpSession::OnHeader() {
  const auto& request = header_->get();
  const std::string_view method = View(request.method_string());
  const std::string_view target = View(request.target());
  Enter(State::kReading, request_began_ + seconds(settings().http.request_timeout_secs));
  head_ = method == "HEAD";
  close_ = !header_->keep_alive() || request.version() < 11;
  route_ = FindRoute(method, target);
  const BodyType type = BodyTypeOf(Header(http::field::content_type));
  form_.is_json = type == BodyType::kJson;
  const bool is_of_export = route_.kind == Route::Kind::kExport || route_.allow == kExportMethods;
  audience_ = type == BodyType::kProtobuf ? Audience::kProtobuf : form_.is_json || is_of_export ? Audience::kJson : Audience::kText;
  if (is_of_export) {
    if (const auto origin = settings().AllowedOrigin(Header(http::field::origin))) origin_ = *origin;
  }
  if (request.version() < 11 && header_->chunked()) {
    return RefuseHeader(BadRequest(audience_, "a body in chunks needs HTTP/1.1"), "bad_request");
  }
  if (request.version() >= 11 && request.find(http::field::host) == request.end()) {
    return RefuseHeader(BadRequest(audience_, "the request has no Host header"), "bad_request");
  }
  switch (route_.kind) {
    case Route::Kind::kExport: return BeginExport();
    case Route::Kind::kOptions: return ServeOptions();
    case Route::Kind::kNotFound: return RespondSkippingBody(NotFound(audience_, target));
    case Route::Kind::kMethodNotAllowed: return RespondSkippingBody(MethodNotAllowed(audience_, method, target, route_.allow));
    default: return ServePage();
  }
}

void HttpSession::ServeOptions() {
  const std::string_view wanted = Header(http::field::access_control_request_method);
  if (!settings().has_cors() || wanted.empty()) {
    return RespondSkippingBody(MethodNotAllowed(audience_, "OPTIONS", View(header_->get().target()), route_.allow));
  }
  if (origin_.empty()) return RespondSkippingBody(PreflightRefused(Header(http::field::origin)));
  RespondSkippingBody(PreflightAllowed(settings().cors_headers, settings().http.cors_max_age_secs));
}

void HttpSession::ServePage() {
  const bool is_metrics = route_.kind == Route::Kind::kMetrics;
  if (is_metrics && !settings().http.metrics_without_auth && !IsAdmitted()) {
    return RespondSkippingBody(Unauthorized(audience_, settings().auth->hint()));
  }
  HttpResponse page = otlp_arrow::ServePage(route_.kind, *shared_->pipeline);
  if (is_metrics && shared_->more_metrics) page.body += shared_->more_metrics();
  RespondSkippingBody(std::move(page));
}

bool HttpSession::IsAdmitted() const {
  const auto& auth = settings().auth;
  if (!auth) return true;
  return auth->Admits([this](std::string_view name) -> std::optional<std::string_view> {
    const auto& fields = header_->get();
    const auto found = fields.find(boost::beast::string_view(name.data(), name.size()));
    if (found == fields.end()) return std::nullopt;
    return View(found->value());
  });
}

// --- The response ---

void HttpSession::RespondSkippingBody(HttpResponse response) {
  to_skip_ = header_->content_length().value_or(0);
  const bool waits = !Header(http::field::expect).empty();
  if (header_->chunked() || to_skip_ > kMaxSkip || (waits && to_skip_ > 0)) {
    close_ = unread_input_ = true;
    return Respond(std::move(response));
  }
  after_skip_ = std::move(response);
  SkipBody();
}

void HttpSession::SkipBody() {
  const size_t here = std::min<uint64_t>(to_skip_, buffer_.size());
  buffer_.consume(here);
  to_skip_ -= here;
  if (to_skip_ > 0) return ReadMore(&HttpSession::OnSkipped);
  Respond(*std::exchange(after_skip_, std::nullopt));
}

void HttpSession::OnSkipped(error_code error, size_t n) {
  if (error || timed_out_) return OnInputError();
  buffer_.commit(n);
  SkipBody();
}

void HttpSession::AddCorsHeaders(HttpResponse* response) const {
  if (!settings().has_cors()) return;
  if (!origin_.empty()) {
    response->headers.append("Access-Control-Allow-Origin: ").append(origin_).append("\r\n");
    response->headers.append("Access-Control-Expose-Headers: Retry-After\r\n");
  }
  if (origin_ != "*") response->headers.append("Vary: Origin\r\n");
}

void HttpSession::Respond(HttpResponse response) {
  DropBody();
  response.close |= close_ || shared_->draining;
  close_ = response.close;
  AddCorsHeaders(&response);
  out_.clear();
  AppendResponse(response, head_, &out_);
  Enter(State::kWriting, seconds(settings().http.request_timeout_secs));
  stream_.Write(asio::buffer(out_), On(&HttpSession::OnResponseWritten));
}

void HttpSession::OnResponseWritten(error_code error, size_t) {
  if (error) return Close();
  if (!close_) return NextRequest();
  if (stream_.is_secure()) {
    Enter(State::kLingering, kLingerTime);
    return stream_.EndTls([self = shared_from_this()](error_code e) { self->Guard([&] { self->OnTlsEnded(e); }); });
  }
  if (unread_input_) return Linger();
  Close();
}

// It fails where the client still sends, which does not matter: our end of the stream is out.
void HttpSession::OnTlsEnded(error_code) {
  stream_.DropTls();
  if (unread_input_) return Linger();
  Close();
}

// Closing a socket with unread input resets the connection, and the client may lose the response.
void HttpSession::Linger() {
  stream_.DropTls();
  Enter(State::kLingering, kLingerTime);
  error_code ignored;
  stream_.socket().shutdown(Socket::shutdown_send, ignored);
  OnLingered({}, 0);
}

void HttpSession::OnLingered(error_code error, size_t) {
  if (error) return Close();
  buffer_.clear();
  ReadMore(&HttpSession::OnLingered);
}

}  // namespace otlp_arrow
