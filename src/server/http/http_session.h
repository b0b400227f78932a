// One connection: reads a request, has it routed, answers, and begins anew until one side ends it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "base/clock.h"
#include "pipeline/pipeline.h"
#include "server/common/inflate.h"
#include "server/http/http_body.h"
#include "server/http/http_response.h"
#include "server/http/http_routes.h"
#include "server/http/http_shared.h"
#include "server/http/http_status.h"
#include "server/http/io_loop.h"

namespace otlp_arrow {

// Every method but the pipeline's callback runs on the loop's thread; none throws.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  HttpSession(Socket socket, std::shared_ptr<IoLoop> loop, std::shared_ptr<HttpShared> shared);
  ~HttpSession();

  // Begins to serve. The loop keeps the session until Close().
  void Start();
  // Tells the client that there are too many connections, and closes.
  void StartRefusal();

  Clock::SteadyTime deadline() const { return deadline_; }
  void OnDeadline();
  void OnDrain();
  void Close();

 private:
  enum class State {
    kIdle,       // between requests
    kReading,    // a request has begun to come in
    kDeciding,   // the pipeline has it
    kWriting,    // the response is going out
    kLingering,  // the last response is out; what the client still sends is thrown away, so that it can read it
    kClosed,
  };
  using Event = void (HttpSession::*)(boost::system::error_code, size_t);

  // Runs `step` unless the session is closed; closes it where that throws.
  template <class Step>
  void Guard(Step&& step);
  // A handler for the socket that keeps the session alive and calls `event`.
  auto On(Event event);
  void Enter(State state, std::chrono::seconds time);

  // Reading the header.
  void NextRequest();
  void ReadMore(Event event);
  void OnHeaderBytes(boost::system::error_code error, size_t n);
  void ParseHeader();
  void OnHeader();
  void OnInputError();

  // Reading the body of an export.
  std::optional<HttpResponse> CheckExport();
  void BeginBody();
  void OnContinueWritten(boost::system::error_code error, size_t n);
  void ReadBody();
  void OnBodyBytes(boost::system::error_code error, size_t n);
  void OnChunkBytes(boost::system::error_code error, size_t n);
  void FeedChunks();
  void OnChunkedBody();

  // Having the pipeline decide.
  void Inflate(std::string_view body);
  void HandOver(Pipeline::WritableBytes bytes);
  void OnDecision(AcceptResult result);

  // Answering.
  void RefuseExport(HttpResponse response, std::string_view reason);
  HttpResponse Page() const;
  void RespondSkippingBody(HttpResponse response);
  void SkipBody();
  void OnSkipped(boost::system::error_code error, size_t n);
  void Respond(HttpResponse response);
  void OnResponseWritten(boost::system::error_code error, size_t n);
  void Linger();
  void OnLingered(boost::system::error_code error, size_t n);

  std::string_view Header(boost::beast::http::field name) const;
  Audience audience() const;

  const std::shared_ptr<IoLoop> loop_;
  const std::shared_ptr<HttpShared> shared_;
  Socket socket_;
  State state_ = State::kIdle;
  Clock::SteadyTime deadline_ = Clock::SteadyTime::max();
  bool timed_out_ = false;

  boost::beast::flat_buffer buffer_;         // of the header, what came along with it, and chunks
  std::optional<HeaderParser> header_;
  Route route_;
  bool head_ = false;                        // the method is HEAD
  bool close_ = false;                       // the connection ends with this response
  bool unread_input_ = false;                // the client may still be sending
  bool body_begun_ = false;                  // an export's body is being read or has been
  InflateResult (*inflate_)(std::span<const std::string_view>, uint64_t, Pipeline*) = nullptr;  // null: the body is as it is
  FixedBody body_;
  std::optional<ChunkedBody> chunks_;
  uint64_t to_skip_ = 0;                     // bytes of a body that nobody wants
  std::optional<HttpResponse> after_skip_;

  bool in_accept_ = false;                   // the pipeline is being called
  std::optional<AcceptResult> decision_;     // that it made during the call
  std::string out_;
};

}  // namespace otlp_arrow
