#include <fstream>
#include <future>

#include <arrow/flight/api.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "schema/decode.h"
#include "senders/sender_factory.h"
#include "senders/test_certificate.h"

namespace otlp_arrow {
namespace {

namespace flight = arrow::flight;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Put {
  std::vector<std::string> path;
  std::string token;
  std::shared_ptr<arrow::Table> table;
};

// Arrow's own server: keeps what is put, and answers as told.
class KeepingServer : public flight::FlightServerBase {
 public:
  arrow::Status answer;
  std::string metadata;  // of each answer, where it is not empty
  std::vector<Put> puts;
  std::promise<void> arrived;
  std::shared_future<void> hold;  // where valid, a put ends with it

  arrow::Status DoPut(const flight::ServerCallContext& context, std::unique_ptr<flight::FlightMessageReader> reader,
                      std::unique_ptr<flight::FlightMetadataWriter> writer) override {
    Put put;
    put.path = reader->descriptor().path;
    const auto& headers = context.incoming_headers();
    if (const auto found = headers.find("authorization"); found != headers.end()) put.token = std::string(found->second);
    ARROW_ASSIGN_OR_RAISE(put.table, reader->ToTable());
    ARROW_RETURN_NOT_OK(put.table->ValidateFull());
    if (hold.valid()) {
      arrived.set_value();
      hold.wait();
    }
    ARROW_RETURN_NOT_OK(answer);
    if (!metadata.empty()) ARROW_RETURN_NOT_OK(writer->WriteMetadata(*arrow::Buffer::FromString(metadata)));
    puts.push_back(std::move(put));
    return arrow::Status::OK();
  }
};

class FlightSenderTest : public ::testing::Test {
 protected:
  void Start(const testing::TestCertificate* certificate = nullptr) {
    auto location = certificate ? flight::Location::ForGrpcTls("127.0.0.1", 0) : flight::Location::ForGrpcTcp("127.0.0.1", 0);
    flight::FlightServerOptions options(*location);
    if (certificate) options.tls_certificates = {{certificate->certificate, certificate->key}};
    ASSERT_TRUE(server_.Init(options).ok());
  }
  std::unique_ptr<OtlpSender> Sender(SenderOptions options = {}, const std::string& scheme = "grpc") {
    options.endpoint = *ParseEndpoint(scheme + "://127.0.0.1:" + std::to_string(server_.port()), OtlpProtocol::kFlight);
    auto sender = MakeSender(options);
    EXPECT_TRUE(sender.ok()) << sender.status().ToString();
    return *std::move(sender);
  }

  KeepingServer server_;
};

std::string Spans(int count, const std::string& name) {
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;
  auto* resource = request.add_resource_spans();
  auto* attribute = resource->mutable_resource()->add_attributes();
  attribute->set_key("service.name");
  attribute->mutable_value()->set_string_value("shop");
  auto* scope = resource->add_scope_spans();
  for (int i = 0; i < count; ++i) {
    auto* span = scope->add_spans();
    span->set_trace_id(std::string(16, static_cast<char>('a' + i % 20)));
    span->set_span_id(std::string(8, 'b'));
    span->set_name(name + std::to_string(i));
    span->set_start_time_unix_nano(1000 + i);
    span->set_end_time_unix_nano(2000 + i);
  }
  return request.SerializeAsString();
}

// The same rows, whatever stands in their dictionaries.
void ExpectRows(const arrow::Table& table, Signal signal, const std::string& request) {
  auto batches = DecodeOtlp(signal, request);
  ASSERT_TRUE(batches.ok());
  auto expected = arrow::Table::FromRecordBatches(*batches);
  ASSERT_TRUE(expected.ok());
  EXPECT_TRUE(table.schema()->Equals(*(*expected)->schema(), true)) << table.schema()->ToString();
  EXPECT_EQ(table.ToString(), (*expected)->ToString());
  EXPECT_TRUE(table.Equals(**expected));
}

TEST_F(FlightSenderTest, PutsTheRowsOfEachRequest) {
  Start();
  const std::string first = Spans(3, "first"), second = Spans(500, "second");
  for (const RequestCompression compression : {RequestCompression::kNone, RequestCompression::kLz4, RequestCompression::kZstd}) {
    server_.puts.clear();
    SenderOptions options;
    options.compression = compression;
    options.headers = {{"authorization", "Bearer abc"}};
    auto sender = Sender(options);
    for (const std::string& request : {first, second}) {
      const SendOutcome outcome = sender->Send(Signal::kTraces, request, seconds(30));
      EXPECT_TRUE(outcome.taken()) << outcome.message;
    }
    ASSERT_EQ(server_.puts.size(), 2u);
    EXPECT_THAT(server_.puts[0].path, ElementsAre("traces"));
    EXPECT_EQ(server_.puts[0].token, "Bearer abc");
    ExpectRows(*server_.puts[0].table, Signal::kTraces, first);
    ExpectRows(*server_.puts[1].table, Signal::kTraces, second);
  }
}

TEST_F(FlightSenderTest, LogsGoToTheirOwnPathAndNothingGoesNowhere) {
  Start();
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest request;
  request.add_resource_logs()->add_scope_logs()->add_log_records()->mutable_body()->set_string_value("hello");
  auto sender = Sender();
  EXPECT_TRUE(sender->Send(Signal::kLogs, request.SerializeAsString(), seconds(30)).taken());
  EXPECT_TRUE(sender->Send(Signal::kLogs, "", seconds(30)).taken());
  ASSERT_EQ(server_.puts.size(), 1u);
  EXPECT_THAT(server_.puts[0].path, ElementsAre("logs"));
  ExpectRows(*server_.puts[0].table, Signal::kLogs, request.SerializeAsString());
}

TEST_F(FlightSenderTest, AnErrorMeansWhatItsStatusSays) {
  Start();
  auto sender = Sender();
  const auto outcome_of = [&](const arrow::Status& status) {
    server_.answer = status;
    return sender->Send(Signal::kTraces, Spans(1, "s"), seconds(30));
  };
  using flight::FlightStatusCode;
  using flight::MakeFlightError;
  EXPECT_EQ(outcome_of(MakeFlightError(FlightStatusCode::Unavailable, "full")).kind, SendOutcome::Kind::kRetryable);
  EXPECT_EQ(outcome_of(MakeFlightError(FlightStatusCode::Unauthenticated, "who?")).kind, SendOutcome::Kind::kUnusable);
  EXPECT_EQ(outcome_of(arrow::Status::NotImplemented("no puts")).kind, SendOutcome::Kind::kUnusable);
  const SendOutcome refused = outcome_of(arrow::Status::Invalid("bad column"));
  EXPECT_EQ(refused.kind, SendOutcome::Kind::kRefused);
  EXPECT_THAT(refused.message, HasSubstr("bad column"));
  EXPECT_TRUE(outcome_of(arrow::Status::OK()).taken());
}

TEST_F(FlightSenderTest, ReportsWhatTheServerLeftOut) {
  Start();
  auto sender = Sender();
  server_.metadata = R"({"batch":0,"items":1,"rejected":2,"reason":"two were bad"})";
  const SendOutcome outcome = sender->Send(Signal::kTraces, Spans(3, "s"), seconds(30));
  EXPECT_TRUE(outcome.taken());
  EXPECT_EQ(outcome.rejected_items, 2);
  EXPECT_EQ(outcome.message, "two were bad");
  server_.metadata = "whatever";
  EXPECT_EQ(sender->Send(Signal::kTraces, Spans(3, "s"), seconds(30)).rejected_items, 0);
}

TEST_F(FlightSenderTest, CancelEndsAPutUnderWay) {
  Start();
  std::promise<void> release;
  server_.hold = release.get_future().share();
  auto sender = Sender();
  auto outcome = std::async(std::launch::async, [&] { return sender->Send(Signal::kTraces, Spans(1, "s"), seconds(3600)); });
  server_.arrived.get_future().wait();
  sender->Cancel();
  EXPECT_EQ(outcome.get().kind, SendOutcome::Kind::kRetryable);
  release.set_value();
}

TEST_F(FlightSenderTest, NobodyListeningIsRetryable) {
  SenderOptions options;
  options.endpoint = *ParseEndpoint("grpc://127.0.0.1:1", OtlpProtocol::kFlight);
  EXPECT_EQ((*MakeSender(options))->Send(Signal::kTraces, Spans(1, "s"), seconds(30)).kind, SendOutcome::Kind::kRetryable);
}

TEST_F(FlightSenderTest, SpeaksTls) {
  const auto certificate = testing::MakeTestCertificate();
  Start(&certificate);
  const std::string ca_file = ::testing::TempDir() + "flight_sender_test.pem";
  std::ofstream(ca_file) << certificate.certificate;
  SenderOptions options;
  options.tls.ca_file = ca_file;
  const SendOutcome outcome = Sender(options, "grpc+tls")->Send(Signal::kTraces, Spans(1, "s"), seconds(30));
  EXPECT_TRUE(outcome.taken()) << outcome.message;
  EXPECT_THAT(Sender({}, "grpc+tls")->Send(Signal::kTraces, Spans(1, "s"), seconds(30)).message, HasSubstr("comes from an unknown authority"));
}

}  // namespace
}  // namespace otlp_arrow
