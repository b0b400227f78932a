#include "senders/flight_sender.h"

#include <future>
#include <utility>

#include <grpcpp/support/client_callback.h>
#include <simdjson.h>

#include "otlp/wire.h"
#include "senders/flight_messages.h"
#include "senders/grpc_connection.h"
#include "senders/outcome.h"

namespace otlp_arrow {
namespace {

constexpr const char* kMethod = "/arrow.flight.protocol.FlightService/DoPut";

// PutResult { app_metadata = 1 }, in which a server of ours tells in JSON what it left out of a batch. Others may tell anything.
void AddPutResult(const std::string& bytes, SendOutcome* outcome) {
  wire::Cursor message(bytes), metadata("");
  uint32_t tag = 0;
  if (!wire::ReadTag(&message, &tag) || tag != wire::Tag(1, wire::kLen) || !wire::ReadLen(&message, &metadata)) return;
  simdjson::dom::parser parser;
  const auto json = parser.parse(simdjson::padded_string(metadata.rest()));
  int64_t rejected = 0;
  std::string_view reason;
  if (json["rejected"].get(rejected) != simdjson::SUCCESS || rejected <= 0) return;
  outcome->rejected_items += rejected;
  if (json["reason"].get(reason) == simdjson::SUCCESS) outcome->message = reason;
}

// Writes the messages and reads whatever the server says, until it is done.
class PutCall : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit PutCall(std::vector<grpc::ByteBuffer> messages) : messages_(std::move(messages)) {}

  grpc::Status Run(grpc::GenericStub* stub, grpc::ClientContext* context) {
    auto status = done_->get_future();
    stub->PrepareBidiStreamingCall(context, kMethod, grpc::StubOptions(), this);
    StartRead(&answer_);
    WriteNext();
    StartCall();
    return status.get();
  }

  // What the server said beside the status.
  const SendOutcome& outcome() const { return outcome_; }

  void OnWriteDone(bool is_good) override {
    if (is_good) WriteNext();
  }
  void OnReadDone(bool is_good) override {
    if (!is_good) return;
    AddPutResult(Flat(answer_), &outcome_);
    StartRead(&answer_);
  }
  void OnDone(const grpc::Status& status) override {
    const auto done = done_;  // outlives this object, which goes as soon as Run returns
    done->set_value(status);
  }

 private:
  void WriteNext() {
    if (next_ < messages_.size()) {
      StartWrite(&messages_[next_++]);
    } else {
      StartWritesDone();
    }
  }

  std::vector<grpc::ByteBuffer> messages_;
  size_t next_ = 0;
  grpc::ByteBuffer answer_;
  SendOutcome outcome_;
  std::shared_ptr<std::promise<grpc::Status>> done_ = std::make_shared<std::promise<grpc::Status>>();
};

class FlightSender : public OtlpSender {
 public:
  FlightSender(SenderOptions options, TlsFiles files) : messages_(options.compression), connection_(std::move(options), std::move(files)) {}

  SendOutcome Send(Signal signal, std::string_view request, std::chrono::milliseconds timeout) override {
    auto messages = messages_.Encode(signal, request);
    if (!messages.ok()) return Failed(SendOutcome::Kind::kRefused, messages.status().message());
    if (messages->empty()) return {};
    grpc::ClientContext context;
    if (auto failure = connection_.Begin(&context, timeout)) return *std::move(failure);
    PutCall call(*std::move(messages));
    SendOutcome outcome = connection_.End(call.Run(&connection_.stub(), &context));
    return outcome.taken() ? connection_.Tidied(call.outcome()) : outcome;
  }

  void Cancel() override { connection_.Cancel(); }

 private:
  FlightMessages messages_;
  GrpcConnection connection_;
};

}  // namespace

std::unique_ptr<OtlpSender> MakeFlightSender(SenderOptions options, TlsFiles files) {
  return std::make_unique<FlightSender>(std::move(options), std::move(files));
}

}  // namespace otlp_arrow
