// Exports: their bodies, and the pipeline's decision.
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/beast/http/field.hpp>

#include "server/http/http_session.h"
#include "server/http/http_text.h"

namespace otlp_arrow {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr size_t kMaxChunkHeader = 64 << 10;     // with extensions and trailers, which nobody reads
constexpr size_t kReadSize = 4096;
// The pipeline's memory comes in blocks; larger pieces have their own, and need not be there at once.
constexpr uint64_t kMaxDirectBody = 512 << 10;
// What takes longer than a millisecond or so to decode is not for a loop, which others wait for.
constexpr size_t kHeavyBody = 256 << 10;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

void HttpSession::BeginExport() {
  if (!IsAdmitted()) return RefuseExport(Unauthorized(audience_, settings().auth->hint()), "unauthorized");
  if (auto refusal = CheckExport()) return RefuseExport(*std::move(refusal), "bad_request");
  const uint64_t length = header_->content_length().value_or(0);
  const uint64_t limit = settings().http.max_body_bytes;
  if (length > limit) {
    const std::string what = "the request has " + std::to_string(length) + " bytes, more than";
    return RefuseExport(TooLarge(audience_, what, limit), "too_large");
  }
  BeginBody();
}

std::optional<HttpResponse> HttpSession::CheckExport() {
  const std::string_view type = Header(http::field::content_type);
  if (BodyTypeOf(type) == BodyType::kOther) return WrongContentType(audience_, type);
  const std::string_view encoding = Header(http::field::content_encoding);
  if (!SetEncoding(encoding, &form_)) return WrongContentEncoding(audience_, encoding);
  if (!header_->chunked() && !header_->content_length()) return LengthRequired(audience_);
  return std::nullopt;
}

// --- The body ---

void HttpSession::BeginBody() {
  body_begun_ = true;
  const HttpConfig& config = settings().http;
  const bool expects_continue = EqualsIgnoringCase(Header(http::field::expect), "100-continue");
  const bool is_chunked = header_->chunked();
  if (is_chunked) {
    chunks_.emplace(std::move(*header_), BodyBuffer(&lease_, config.max_receive_bytes), config.max_body_bytes);
  } else {
    const uint64_t length = header_->content_length().value_or(0);
    error_code ignored;
    const bool is_direct = form_.is_plain() && length <= kMaxDirectBody && !stream_.is_secure() &&
                           (buffer_.size() >= length || buffer_.size() + stream_.socket().available(ignored) >= length);
    body_ = is_direct ? FixedBody(shared_->pipeline->Allocate(length)) : FixedBody(BodyBuffer(&lease_, config.max_receive_bytes), length);
    if (!body_.TakeFrom(&buffer_)) return RefuseMidway(NoRoomToReceive(audience_, config.max_receive_bytes), "receive_limit");
  }
  if (!expects_continue || buffer_.size() > 0 || (!is_chunked && body_.complete())) return ReadBody();
  stream_.Write(asio::buffer(kContinue.data(), kContinue.size()), On(&HttpSession::OnContinueWritten));
}

void HttpSession::OnContinueWritten(error_code error, size_t) {
  if (error || timed_out_) return OnInputError();
  ReadBody();
}

void HttpSession::ReadBody() {
  if (chunks_) return FeedChunks();
  if (body_.complete()) return OnBody();
  if (!body_.Reserve()) return RefuseMidway(NoRoomToReceive(audience_, settings().http.max_receive_bytes), "receive_limit");
  stream_.ReadSome(body_.Room(), On(&HttpSession::OnBodyBytes));
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
  const HttpConfig& config = settings().http;
  switch (chunks_->Feed(&buffer_)) {
    case ChunkedBody::Progress::kComplete: return OnBody();
    case ChunkedBody::Progress::kNeedMore:
      if (buffer_.size() + kReadSize <= kMaxChunkHeader) return ReadMore(&HttpSession::OnChunkBytes);
      [[fallthrough]];
    case ChunkedBody::Progress::kMalformed: return RefuseMidway(BadRequest(audience_, "the chunked body is malformed"), "bad_request");
    case ChunkedBody::Progress::kTooLarge: return RefuseMidway(TooLarge(audience_, "the request has more than", config.max_body_bytes), "too_large");
    case ChunkedBody::Progress::kNoBudget: return RefuseMidway(NoRoomToReceive(audience_, config.max_receive_bytes), "receive_limit");
  }
}

// --- The decision ---

void HttpSession::OnBody() {
  state_ = State::kDeciding;
  deadline_ = Clock::SteadyTime::max();
  if (form_.is_plain()) return HandOver(chunks_ ? CopyOf(chunks_->view(), shared_->pipeline) : body_.Take(shared_->pipeline));
  const uint64_t limit = settings().http.max_body_bytes;
  const size_t size = chunks_ ? chunks_->view().size() : body_.view().size();
  if (shared_->heavy_work && size > kHeavyBody) return DecodeElsewhere(limit);
  OnDecoded(Decode(limit));
}

DecodedBody HttpSession::Decode(uint64_t limit) const {
  return DecodeBody(form_, route_.signal, chunks_ ? chunks_->view() : body_.view(), limit, shared_->pipeline);
}

void HttpSession::DecodeElsewhere(uint64_t limit) {
  asio::post(*shared_->heavy_work, [self = shared_from_this(), limit] {
    auto decoded = std::make_shared<std::optional<DecodedBody>>();
    try {
      *decoded = self->Decode(limit);
    } catch (const std::exception&) {  // no memory: the connection ends
    }
    self->loop_->Post([self, decoded] {
      self->Guard([&] { *decoded ? self->OnDecoded(std::move(**decoded)) : self->Close(); });
    });
  });
}

void HttpSession::OnDecoded(DecodedBody decoded) {
  switch (decoded.outcome) {
    case DecodedBody::Outcome::kOk: return HandOver(std::move(decoded.bytes));
    case DecodedBody::Outcome::kTooLarge:
      return RefuseExport(TooLarge(audience_, "the request inflates to more than", settings().http.max_body_bytes), decoded.reason);
    case DecodedBody::Outcome::kMalformed: return RefuseExport(BadRequest(audience_, decoded.error), decoded.reason);
  }
}

void HttpSession::HandOver(Pipeline::WritableBytes bytes) {
  DropBody();
  in_accept_ = true;
  shared_->pipeline->Accept(route_.signal, std::move(bytes).Share(),
                            [self = shared_from_this()](AcceptResult result) { self->OnDecision(std::move(result)); });
  in_accept_ = false;
  if (auto decision = std::exchange(decision_, std::nullopt)) Respond(ToHttpResponse(audience_, route_.signal, *decision));
}

// On any thread.
void HttpSession::OnDecision(AcceptResult result) {
  if (loop_->RunsHere() && in_accept_) {
    decision_ = std::move(result);
    return;
  }
  loop_->Post([self = shared_from_this(), result = std::move(result)] {
    self->Guard([&] { self->Respond(ToHttpResponse(self->audience_, self->route_.signal, result)); });
  });
}

void HttpSession::RefuseExport(HttpResponse response, std::string_view reason) {
  shared_->pipeline->CountRefused(route_.signal, 0, reason);
  if (body_begun_) return Respond(std::move(response));
  RespondSkippingBody(std::move(response));
}

void HttpSession::RefuseMidway(HttpResponse response, std::string_view reason) {
  close_ = unread_input_ = true;
  RefuseExport(std::move(response), reason);
}

void HttpSession::DropBody() {
  chunks_.reset();
  body_ = {};
  lease_.Release();
}

}  // namespace otlp_arrow
