#include "server/http/http_session.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>
#include <utility>

#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/rfc7230.hpp>


namespace otlp_arrow {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr size_t kReadSize = 4096;               // holds most headers; the rest of a body goes where it belongs
constexpr uint32_t kMaxHeader = 16 << 10;
constexpr size_t kMaxBuffer = 4 * kMaxHeader;    // a chunk's header may come on top
constexpr uint64_t kMaxSkip = 64 << 10;          // a longer unwanted body is not worth the connection
constexpr std::chrono::seconds kLingerTime{2};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

}  // namespace

HttpSession::HttpSession(Socket socket, std::shared_ptr<IoLoop> loop, std::shared_ptr<HttpShared> shared)
    : loop_(std::move(loop)), shared_(std::move(shared)), socket_(std::move(socket)), buffer_(kMaxBuffer) {}

HttpSession::~HttpSession() { --shared_->connections; }

template <class Step>
void HttpSession::Guard(Step&& step) {
  if (state_ == State::kClosed) return;
  try {
    step();
  } catch (const std::exception&) {  // no memory
    Close();
  }
}

auto HttpSession::On(Event event) {
  return [self = shared_from_this(), event](error_code error, size_t n) {
    self->Guard([&] { (self.get()->*event)(error, n); });
  };
}

void HttpSession::Enter(State state, std::chrono::seconds time) {
  state_ = state;
  deadline_ = shared_->clock->SteadyNow() + time;
}

void HttpSession::Start() {
  loop_->Add(shared_from_this());
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  Guard([this] { NextRequest(); });
}

void HttpSession::StartRefusal() {
  loop_->Add(shared_from_this());
  unread_input_ = true;
  Guard([this] { Respond(TooManyConnections(shared_->config.max_connections)); });
}

void HttpSession::OnDeadline() {
  if (state_ != State::kReading) return Close();
  timed_out_ = true;  // the pending read comes back and says so to the client
  deadline_ = Clock::SteadyTime::max();
  error_code ignored;
  socket_.cancel(ignored);
}

void HttpSession::OnDrain() {
  error_code ignored;
  if (state_ == State::kIdle && socket_.available(ignored) == 0) Close();
}

void HttpSession::Close() {
  if (std::exchange(state_, State::kClosed) == State::kClosed) return;
  error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.close(ignored);
  loop_->Remove(this);
}

// --- The header ---

void HttpSession::NextRequest() {
  header_.emplace();
  header_->header_limit(kMaxHeader);
  header_->body_limit(std::numeric_limits<uint64_t>::max());  // OnHeader() has the better message
  head_ = close_ = body_begun_ = false;
  inflate_ = nullptr;
  Enter(State::kIdle, std::chrono::seconds(shared_->config.idle_timeout_secs));
  if (buffer_.size() == 0) return ReadMore(&HttpSession::OnHeaderBytes);
  OnHeaderBytes({}, 0);  // pipelined
}

void HttpSession::ReadMore(Event event) { socket_.async_read_some(buffer_.prepare(kReadSize), On(event)); }

void HttpSession::OnHeaderBytes(error_code error, size_t n) {
  if (error || timed_out_) return OnInputError();
  buffer_.commit(n);
  if (state_ == State::kIdle) Enter(State::kReading, std::chrono::seconds(shared_->config.request_timeout_secs));
  ParseHeader();
}

void HttpSession::ParseHeader() {
  error_code error;
  buffer_.consume(header_->put(buffer_.data(), error));
  if (error == http::error::need_more) return ReadMore(&HttpSession::OnHeaderBytes);
  if (!error) return OnHeader();
  unread_input_ = true;
  if (error == http::error::header_limit) return Respond(HeaderTooLarge(kMaxHeader));
  if (error == http::error::bad_version) return Respond(BadVersion());
  close_ = true;
  Respond(BadRequest(Audience::kText, "this is not an HTTP/1.1 request: " + error.message()));
}

void HttpSession::OnInputError() {
  if (!timed_out_) return Close();
  unread_input_ = true;
  Respond(TimedOut(shared_->config.request_timeout_secs));
}

std::string_view HttpSession::Header(http::field name) const { return View(header_->get()[name]); }

Audience HttpSession::audience() const {
  return IsProtobufType(Header(http::field::content_type)) ? Audience::kProtobuf : Audience::kText;
}

void HttpSession::OnHeader() {
  const auto& request = header_->get();
  const std::string_view method = View(request.method_string());
  const std::string_view target = View(request.target());
  head_ = method == "HEAD";
  close_ = !header_->keep_alive() || request.version() < 11;
  route_ = FindRoute(method, target);
  if (request.version() >= 11 && request.find(http::field::host) == request.end()) {
    return RespondSkippingBody(BadRequest(audience(), "the request has no Host header"));
  }
  switch (route_.kind) {
    case Route::Kind::kExport: break;
    case Route::Kind::kNotFound: return RespondSkippingBody(NotFound(audience(), target));
    case Route::Kind::kMethodNotAllowed:
      return RespondSkippingBody(MethodNotAllowed(audience(), method, target, route_.allow));
    default: return RespondSkippingBody(Page());
  }
  if (auto refusal = CheckExport()) return RefuseExport(*std::move(refusal), "bad_request");
  const uint64_t length = header_->content_length().value_or(0);
  const uint64_t limit = shared_->config.max_body_bytes;
  if (length > limit) {
    const std::string what = "the request has " + std::to_string(length) + " bytes, more than";
    return RefuseExport(TooLarge(audience(), what, limit), "too_large");
  }
  BeginBody();
}

// --- The body ---

std::optional<HttpResponse> HttpSession::CheckExport() {
  const std::string_view type = Header(http::field::content_type);
  if (!IsProtobufType(type)) return WrongContentType(type);
  const std::string_view encoding = Header(http::field::content_encoding);
  inflate_ = EqualsIgnoringCase(encoding, "gzip") ? &Gunzip : EqualsIgnoringCase(encoding, "zstd") ? &Unzstd : nullptr;
  if (!inflate_ && !encoding.empty() && !EqualsIgnoringCase(encoding, "identity")) {
    return WrongContentEncoding(audience(), encoding);
  }
  return std::nullopt;
}

void HttpSession::BeginBody() {
  body_begun_ = true;
  const bool expects_continue = EqualsIgnoringCase(Header(http::field::expect), "100-continue");
  if (header_->chunked()) {
    chunks_.emplace(std::move(*header_), shared_->config.max_body_bytes);
  } else {
    body_ = FixedBody(shared_->pipeline, header_->content_length().value_or(0));
    body_.TakeFrom(&buffer_);
  }
  if (!expects_continue || buffer_.size() > 0 || (!chunks_ && body_.complete())) return ReadBody();
  asio::async_write(socket_, asio::buffer(kContinue.data(), kContinue.size()), On(&HttpSession::OnContinueWritten));
}

void HttpSession::OnContinueWritten(error_code error, size_t) {
  if (error || timed_out_) return OnInputError();
  ReadBody();
}

void HttpSession::ReadBody() {
  if (chunks_) return FeedChunks();
  if (!body_.complete()) return socket_.async_read_some(body_.Room(), On(&HttpSession::OnBodyBytes));
  Pipeline::WritableBytes bytes = body_.Take();
  if (inflate_) return Inflate({bytes.data, bytes.size});
  HandOver(std::move(bytes));
}

void HttpSession::OnBodyBytes(error_code error, size_t n) {
  if (error || timed_out_) return OnInputError();
  body_.Advance(n);
  ReadBody();
}

void HttpSession::OnChunkBytes(error_code error, size_t n) {
  if (error || timed_out_) return OnInputError();
  buffer_.commit(n);
  FeedChunks();
}

void HttpSession::FeedChunks() {
  const uint64_t limit = shared_->config.max_body_bytes;
  switch (chunks_->Feed(&buffer_)) {
    case ChunkedBody::Progress::kComplete: return OnChunkedBody();
    case ChunkedBody::Progress::kNeedMore:
      if (buffer_.size() + kReadSize <= kMaxBuffer) return ReadMore(&HttpSession::OnChunkBytes);
      [[fallthrough]];
    case ChunkedBody::Progress::kMalformed:
      close_ = unread_input_ = true;
      return RefuseExport(BadRequest(Audience::kProtobuf, "the chunked body is malformed"), "bad_request");
    case ChunkedBody::Progress::kTooLarge:
      close_ = unread_input_ = true;
      return RefuseExport(TooLarge(Audience::kProtobuf, "the request has more than", limit), "too_large");
  }
}

void HttpSession::OnChunkedBody() {
  const std::string_view body = chunks_->bytes();
  if (inflate_) return Inflate(body);
  auto bytes = shared_->pipeline->Allocate(body.size());
  if (!body.empty()) std::memcpy(bytes.data, body.data(), body.size());
  HandOver(std::move(bytes));
}

// --- The decision ---

void HttpSession::Inflate(std::string_view body) {
  const uint64_t limit = shared_->config.max_body_bytes;
  InflateResult result = inflate_({&body, 1}, limit, shared_->pipeline);
  switch (result.outcome) {
    case InflateResult::Outcome::kOk: return HandOver(std::move(result.bytes));
    case InflateResult::Outcome::kTooLarge:
      return RefuseExport(TooLarge(Audience::kProtobuf, "the request inflates to more than", limit), "too_large");
    case InflateResult::Outcome::kMalformed:
      return RefuseExport(BadRequest(Audience::kProtobuf, result.error), "bad_compression");
  }
}

void HttpSession::HandOver(Pipeline::WritableBytes bytes) {
  chunks_.reset();
  state_ = State::kDeciding;
  deadline_ = Clock::SteadyTime::max();
  in_accept_ = true;
  shared_->pipeline->Accept(route_.signal, std::move(bytes).Share(),
                            [self = shared_from_this()](AcceptResult result) { self->OnDecision(std::move(result)); });
  in_accept_ = false;
  if (auto decision = std::exchange(decision_, std::nullopt)) Respond(ToHttpResponse(*decision));
}

// On any thread.
void HttpSession::OnDecision(AcceptResult result) {
  if (loop_->RunsHere() && in_accept_) {
    decision_ = std::move(result);
    return;
  }
  loop_->Post([self = shared_from_this(), result = std::move(result)] {
    self->Guard([&] { self->Respond(ToHttpResponse(result)); });
  });
}

// --- The response ---

void HttpSession::RefuseExport(HttpResponse response, std::string_view reason) {
  shared_->pipeline->CountRefused(route_.signal, 0, reason);
  if (body_begun_) return Respond(std::move(response));
  RespondSkippingBody(std::move(response));
}

HttpResponse HttpSession::Page() const {
  HttpResponse page = ServePage(route_.kind, *shared_->pipeline);
  if (route_.kind == Route::Kind::kMetrics && shared_->more_metrics) page.body += shared_->more_metrics();
  return page;
}

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

void HttpSession::Respond(HttpResponse response) {
  chunks_.reset();
  response.close |= close_ || shared_->draining;
  close_ = response.close;
  out_.clear();
  AppendResponse(response, head_, &out_);
  Enter(State::kWriting, std::chrono::seconds(shared_->config.request_timeout_secs));
  asio::async_write(socket_, asio::buffer(out_), On(&HttpSession::OnResponseWritten));
}

void HttpSession::OnResponseWritten(error_code error, size_t) {
  if (error) return Close();
  if (!close_) return NextRequest();
  if (unread_input_) return Linger();
  Close();
}

// Closing a socket with unread input resets the connection, and the client may lose the response.
void HttpSession::Linger() {
  Enter(State::kLingering, kLingerTime);
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  OnLingered({}, 0);
}

void HttpSession::OnLingered(error_code error, size_t) {
  if (error) return Close();
  buffer_.clear();
  ReadMore(&HttpSession::OnLingered);
}

}  // namespace otlp_arrow
