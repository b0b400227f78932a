// One connection: reads a request, has it routed, answers, and begins anew until one side ends it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/core/flat_buffer.hpp>

#include "base/clock.h"
#include "pipeline/pipeline.h"
#include "server/http/body_decoder.h"
#include "server/http/client_stream.h"
#include "server/http/header_check.h"
#include "server/http/http_body.h"
#include "server/http/http_response.h"
#include "server/http/http_routes.h"
#include "server/http/http_shared.h"
#include "server/http/http_status.h"
#include "server/http/io_loop.h"
#include "server/http/receive_budget.h"

namespace otlp_arrow {

// Every method but the pipeline's callback and the decoding of large bodies runs on the loop's thread; none throws.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  using Socket = ClientStream::Socket;

  // `client` has counted the connection, `tls` may be null.
  HttpSession(Socket socket, std::shared_ptr<boost::asio::ssl::context> tls, std::shared_ptr<IoLoop> loop, std::shared_ptr<HttpShared> shared,
              std::shared_ptr<HttpClient> client);
  ~HttpSession();

  // Begins to serve. The loop keeps the session until Close().
  void Start();
  // Says `refusal` before any request, and closes.
  void StartRefusal(HttpResponse refusal);

  Clock::SteadyTime deadline() const { return deadline_; }
  void OnDeadline();
  void OnDrain();
  void Close();

 private:
  enum class State {
    kHandshaking,  // of TLS
    kIdle,         // between requests
    kReading,      // a request has begun to come in
    kDeciding,     // its body is being decoded, or the pipeline has it
    kWriting,      // the response is going out
    kLingering,    // the last response is out; what the client still sends is thrown away, so that it can read it
    kClosed,
  };
  using Event = void (HttpSession::*)(boost::system::error_code, size_t);

  // Runs `step` unless the session is closed; closes it where that throws.
  template <class Step>
  void Guard(Step&& step) {
    if (state_ == State::kClosed) return;
    try {
      step();
    } catch (const std::exception&) {  // no memory
      Close();
    }
  }
  // A handler for the stream that keeps the session alive and calls `event`.
  auto On(Event event) {
    return [self = shared_from_this(), event](boost::system::error_code error, size_t n) {
      self->Guard([&] { (self.get()->*event)(error, n); });
    };
  }
  void Enter(State state, Clock::SteadyTime deadline);
  void Enter(State state, std::chrono::seconds time) { Enter(state, shared_->clock->SteadyNow() + time); }

  // --- http_session.cc: the connection, headers and answers ---

  void OnFirstByte(boost::system::error_code error);
  void OnHandshake(boost::system::error_code error);

  void NextRequest();
  void ReadMore(Event event);
  void OnHeaderBytes(boost::system::error_code error, size_t n);
  void FindHeader();
  void ParseHeader();
  void RefuseHeader(HttpResponse response, std::string_view reason);
  void OnHeader();
  // Nothing to read any more, or the time is over.
  void OnInputError();

  void ServeOptions();
  void ServePage();
  bool IsAdmitted() const;

  void RespondSkippingBody(HttpResponse response);
  void SkipBody();
  void OnSkipped(boost::system::error_code error, size_t n);
  void Respond(HttpResponse response);
  void AddCorsHeaders(HttpResponse* response) const;
  void OnResponseWritten(boost::system::error_code error, size_t n);
  void OnTlsEnded(boost::system::error_code error);
  void Linger();
  void OnLingered(boost::system::error_code error, size_t n);

  // --- http_session_export.cc: the body of an export, and the pipeline's decision ---

  void BeginExport();
  // What is wrong with the headers of an export.
  std::optional<HttpResponse> CheckExport();
  void BeginBody();
  void OnContinueWritten(boost::system::error_code error, size_t n);
  void ReadBody();
  void OnBodyBytes(boost::system::error_code error, size_t n);
  void OnChunkBytes(boost::system::error_code error, size_t n);
  void FeedChunks();
  void OnBody();
  // On any thread: the session's body stands still meanwhile.
  DecodedBody Decode(uint64_t limit) const;
  void DecodeElsewhere(uint64_t limit);
  void OnDecoded(DecodedBody decoded);
  void HandOver(Pipeline::WritableBytes bytes);
  void OnDecision(AcceptResult result);
  void RefuseExport(HttpResponse response, std::string_view reason);
  // The same, where the client may still be sending.
  void RefuseMidway(HttpResponse response, std::string_view reason);
  void DropBody();

  const HttpSettings& settings() const { return loop_->settings(); }
  std::string_view Header(boost::beast::http::field name) const;

  const std::shared_ptr<IoLoop> loop_;
  const std::shared_ptr<HttpShared> shared_;
  const std::shared_ptr<HttpClient> client_;
  ClientStream stream_;
  State state_ = State::kIdle;
  Clock::SteadyTime deadline_ = Clock::SteadyTime::max();
  Clock::SteadyTime request_began_;
  bool timed_out_ = false;

  boost::beast::flat_buffer buffer_;         // of the header, what came along with it, and chunks
  HeaderEnd header_end_;
  std::optional<HeaderParser> header_;       // once it is complete
  Route route_;
  Audience audience_ = Audience::kText;
  std::string origin_;                       // the page that may read the response (CORS); empty: none
  bool head_ = false;                        // the method is HEAD
  bool close_ = false;                       // the connection ends with this response
  bool unread_input_ = false;                // the client may still be sending
  bool body_begun_ = false;                  // an export's body is being read or has been
  BodyForm form_;
  ReceiveLease lease_;
  FixedBody body_;
  std::optional<ChunkedBody> chunks_;
  uint64_t to_skip_ = 0;                     // bytes of a body that nobody wants
  std::optional<HttpResponse> after_skip_;

  bool in_accept_ = false;                   // the pipeline is being called
  std::optional<AcceptResult> decision_;     // that it made during the call
  std::string out_;
};

}  // namespace otlp_arrow
