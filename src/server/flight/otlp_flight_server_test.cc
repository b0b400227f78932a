#include "server/flight/otlp_flight_server.h"

#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/flight/client.h>
#include <arrow/flight/types.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/stored_files_testing.h"
#include "certificates.h"

namespace otlp_arrow {
namespace {

namespace flight = arrow::flight;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A pipeline with a Flight server before it, and Arrow's client.
class OtlpFlightServerTest : public ::testing::Test {
 protected:
  void SetUp() override { Start({}); }

  void Start(FlightConfig settings) {
    client_.reset();
    server_.reset();
    pipeline_.reset();
    settings.address = "127.0.0.1:0";
    config_.output_dir = directory_ / "store";
    config_.write_interval_secs = 3600;  // files are written when a test says so
    config_.compression = Compression::kNone;
    config_.flight = settings;
    pipeline_ = *Pipeline::Open(config_);
    auto server = OtlpFlightServer::Start(config_, pipeline_.get());
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    if (config_.TlsOf(settings.tls).cert_file.empty()) client_ = *flight::FlightClient::Connect(*flight::Location::ForGrpcTcp("127.0.0.1", server_->port()));
  }
  // What a client that trusts `ca_file` is told.
  arrow::Status Ask(const std::string& ca_file, const ServerTlsConfig& identity = {}) {
    auto client = ConnectTls(ca_file, identity);
    return client->DoGet(flight::Ticket{"logs"}).status();
  }
  std::unique_ptr<flight::FlightClient> ConnectTls(const std::string& ca_file, const ServerTlsConfig& identity = {}) {
    flight::FlightClientOptions options;
    options.tls_root_certs = testing::TextOf(ca_file);
    if (!identity.cert_file.empty()) {
      options.cert_chain = testing::TextOf(identity.cert_file);
      options.private_key = testing::TextOf(identity.key_file);
    }
    return *flight::FlightClient::Connect(*flight::Location::ForGrpcTls("127.0.0.1", server_->port()), options);
  }

  void Send(Signal signal, const std::string& request) { ASSERT_TRUE(pipeline_->AcceptAndWait(signal, SharedBytes::Copy(request)).status.ok()); }
  void Flush() { ASSERT_TRUE(pipeline_->Flush(std::chrono::seconds(20)).ok()); }

  std::shared_ptr<arrow::Table> Get(const std::string& ticket) {
    auto reader = client_->DoGet(flight::Ticket{ticket});
    EXPECT_TRUE(reader.ok()) << reader.status();
    auto table = (*reader)->ToTable();
    EXPECT_TRUE(table.ok()) << table.status();
    if (!table.ok()) return *arrow::Table::MakeEmpty(arrow::schema({}));
    EXPECT_TRUE((*table)->ValidateFull().ok());
    return *table;
  }

  // The error of reading, or of beginning to.
  std::string GetError(const std::string& ticket) {
    auto reader = client_->DoGet(flight::Ticket{ticket});
    if (!reader.ok()) return reader.status().ToString();
    return (*reader)->ToTable().status().ToString();
  }

  // Puts the batches, and returns the acknowledgements or the error.
  arrow::Result<std::vector<std::string>> Put(const flight::FlightDescriptor& descriptor, const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
    ARROW_ASSIGN_OR_RAISE(auto put, client_->DoPut(descriptor, batches.front()->schema()));
    std::vector<std::string> acknowledged;
    for (const auto& batch : batches) {
      const auto written = put.writer->WriteRecordBatch(*batch);
      std::shared_ptr<arrow::Buffer> metadata;
      if (!written.ok() || !put.reader->ReadMetadata(&metadata).ok() || !metadata) break;
      acknowledged.push_back(metadata->ToString());
    }
    ARROW_RETURN_NOT_OK(put.writer->Close());
    return acknowledged;
  }

  testing::TestDirectory directory_;
  Config config_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<OtlpFlightServer> server_;
  std::unique_ptr<flight::FlightClient> client_;
};

std::shared_ptr<arrow::Array> Texts(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return *builder.Finish();
}

std::shared_ptr<arrow::RecordBatch> Messages() {
  arrow::Int64Builder times;
  EXPECT_TRUE(times.AppendValues({1000, 2000}).ok());
  const auto schema = arrow::schema({arrow::field("message", arrow::utf8()), arrow::field("ts", arrow::int64()), arrow::field("user", arrow::utf8())});
  return arrow::RecordBatch::Make(schema, 2, {Texts({"hello", "world"}), *times.Finish(), Texts({"ann", "bob"})});
}

TEST_F(OtlpFlightServerTest, ServesFilesAndWhatIsInNoFileYet) {
  Send(Signal::kTraces, testing::SpanRequest("shop", 10, 1000));
  Flush();
  Send(Signal::kTraces, testing::SpanRequest("cart", 5, 2000));
  Flush();
  Send(Signal::kTraces, testing::SpanRequest("shop", 3, 3000));
  EXPECT_EQ(Get("traces")->num_rows(), 18);
  EXPECT_EQ(Get(R"({"signal":"traces","include_journal":false})")->num_rows(), 15);
  EXPECT_EQ(Get(R"({"signal":"traces","compression":"none"})")->num_rows(), 18);
  EXPECT_EQ(Get(R"({"signal":"traces","services":["shop"]})")->num_rows(), 13);
  EXPECT_EQ(Get(R"({"signal":"traces","start":2000000000000,"end":2002000000000})")->num_rows(), 2);
  const auto columns = Get(R"({"signal":"traces","columns":["name","service_name"]})");
  EXPECT_EQ(columns->schema()->field_names(), (std::vector<std::string>{"name", "service_name"}));
  EXPECT_EQ(columns->num_rows(), 18);
  EXPECT_EQ(Get("logs")->num_rows(), 0);
}

// What is passed on as it stands in files, and what is decoded, are the same rows.
TEST_F(OtlpFlightServerTest, FilesPassedOnAreWhatDecodedOnesAre) {
  for (int i = 0; i < 3; ++i) {
    Send(Signal::kTraces, testing::SpanRequest("service " + std::to_string(i), 7, static_cast<uint64_t>(1000 * (i + 1))));
    Flush();
  }
  const auto passed_on = Get("traces");
  const auto decoded = Get(R"({"signal":"traces","compression":"none"})");
  EXPECT_EQ((*passed_on->CombineChunksToBatch())->ToString(), (*decoded->CombineChunksToBatch())->ToString());
}

TEST_F(OtlpFlightServerTest, TellsWhatThereIs) {
  Send(Signal::kTraces, testing::SpanRequest("shop", 10, 1000));
  const auto listing = *client_->ListFlights();
  int flights = 0;
  while (const auto info = *listing->Next()) ++flights;
  EXPECT_EQ(flights, 3);
  const auto info = *client_->GetFlightInfo(flight::FlightDescriptor::Path({"traces"}));
  EXPECT_EQ(info->total_records(), 10);
  EXPECT_GT(info->total_bytes(), 0);
  EXPECT_EQ(Get(info->endpoints().at(0).ticket.ticket)->num_rows(), 10);
  const auto filtered = *client_->GetFlightInfo(flight::FlightDescriptor::Command(R"({"signal":"traces","services":["shop"]})"));
  EXPECT_EQ(filtered->total_records(), -1);
}

TEST_F(OtlpFlightServerTest, TakesItsOwnTablesBack) {
  Send(Signal::kTraces, testing::SpanRequest("shop", 10, 1000));
  Flush();
  const auto table = Get("traces");
  const auto put = Put(flight::FlightDescriptor::Path({"traces"}), {*table->CombineChunksToBatch()});
  ASSERT_TRUE(put.ok()) << put.status();
  ASSERT_EQ(put->size(), 1u);
  EXPECT_EQ(put->front(), R"({"batch":0,"accepted":10,"rejected":0})");
  EXPECT_EQ(Get("traces")->num_rows(), 20);
  EXPECT_TRUE(pipeline_->GetLedger().Balances());
}

TEST_F(OtlpFlightServerTest, TakesTablesOfOthersWithAMapping) {
  const auto put = Put(flight::FlightDescriptor::Command(R"({"signal":"logs","columns":{"body":"message","time":{"column":"ts","unit":"ms"}},
      "attributes":["user"],"resource_attributes":{"service.name":"shop","shard":7}})"),
                       {Messages(), Messages()});
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(put->size(), 2u);
  const auto rows = Get(R"({"signal":"logs","columns":["time","body","service_name","attributes","resource_attributes_types"]})");
  ASSERT_EQ(rows->num_rows(), 4);
  const std::string text = rows->ToString();
  EXPECT_THAT(text, AllOf(HasSubstr("hello"), HasSubstr("ann"), HasSubstr("shop"), HasSubstr("1970-01-01 00:00:01"), HasSubstr("si")));
}

TEST_F(OtlpFlightServerTest, SaysWhatIsWrongWithWhatIsPut) {
  const auto unmapped = Put(flight::FlightDescriptor::Path({"logs"}), {Messages()});
  EXPECT_THAT(unmapped.status().ToString(), AllOf(HasSubstr("'message'"), HasSubstr("columns")));
  const auto missing = Put(flight::FlightDescriptor::Command(R"({"signal":"logs","columns":{"body":"text"}})"), {Messages()});
  EXPECT_THAT(missing.status().ToString(), AllOf(HasSubstr("'text'"), HasSubstr("message, ts, user")));
  const auto unit = Put(flight::FlightDescriptor::Command(R"({"signal":"logs","columns":{"time":"ts"}})"), {Messages()});
  EXPECT_THAT(unit.status().ToString(), AllOf(HasSubstr("'ts'"), HasSubstr("unit")));
  const auto path = Put(flight::FlightDescriptor::Path({"profiles"}), {Messages()});
  EXPECT_THAT(path.status().ToString(), AllOf(HasSubstr("profiles"), HasSubstr("[traces]")));
}

TEST_F(OtlpFlightServerTest, SaysWhatIsWrongWithTickets) {
  EXPECT_THAT(GetError("garbage"), HasSubstr("no JSON object"));
  EXPECT_THAT(GetError(R"({"signal":"traces","limit":3})"), AllOf(HasSubstr("'limit'"), HasSubstr("include_journal")));
  EXPECT_THAT(GetError(R"({"signal":"traces","columns":["nosuch"]})"), AllOf(HasSubstr("'nosuch'"), HasSubstr("trace_id")));
  EXPECT_THAT(GetError(R"({"signal":"traces","start":"yesterday"})"), HasSubstr("nanoseconds since 1970"));
  EXPECT_THAT(GetError(std::string(100'000, ' ')), HasSubstr("65536"));
  const auto info = client_->GetFlightInfo(flight::FlightDescriptor::Command("\x0a\x40type.googleapis.com"));
  EXPECT_TRUE(info.status().IsNotImplemented()) << info.status();
}

TEST_F(OtlpFlightServerTest, ActionsFlushAndTell) {
  Send(Signal::kTraces, testing::SpanRequest("shop", 4, 1000));
  auto result = [&](const std::string& type, const std::string& body) {
    auto stream = client_->DoAction({}, {type, arrow::Buffer::FromString(body)});
    if (!stream.ok()) return stream.status().ToString();
    auto next = (*stream)->Next();
    return next.ok() && *next ? (*next)->body->ToString() : next.status().ToString();
  };
  EXPECT_EQ(result("flush", ""), R"({"flushed":true})");
  EXPECT_EQ(pipeline_->GetLedger()[Signal::kTraces].stored, 4);
  EXPECT_THAT(result("stats", ""), HasSubstr(R"("stored":4)"));
  EXPECT_EQ(result("health", ""), R"({"ready":true})");
  EXPECT_THAT(result("flush", R"({"timeout_secs":0})"), HasSubstr("1 to 3600"));
  EXPECT_THAT(result("drop", ""), HasSubstr("flush, health, schema, stats"));
  EXPECT_EQ((*client_->ListActions()).size(), 4u);
}

TEST_F(OtlpFlightServerTest, RefusesTooLargeBatches) {
  FlightConfig settings;
  settings.max_batch_bytes = 1 << 10;
  Start(settings);
  const auto schema = arrow::schema({arrow::field("body", arrow::utf8())});
  const auto put = Put(flight::FlightDescriptor::Path({"logs"}), {arrow::RecordBatch::Make(schema, 1, {Texts({std::string(4 << 10, 'x')})})});
  EXPECT_THAT(put.status().ToString(), HasSubstr("flight.max_batch_bytes"));
  EXPECT_EQ(pipeline_->GetLedger()[Signal::kLogs].refused.at("too_large"), 1);
  EXPECT_TRUE(pipeline_->GetLedger().Balances());
}

TEST_F(OtlpFlightServerTest, LimitsStreamsAndFreesThoseThatAreCancelled) {
  FlightConfig settings;
  settings.max_streams = 1;
  Start(settings);
  auto held = client_->DoPut(flight::FlightDescriptor::Path({"logs"}), arrow::schema({arrow::field("body", arrow::utf8())}));
  ASSERT_TRUE(held.ok());
  ASSERT_TRUE(held->writer->WriteRecordBatch(*arrow::RecordBatch::Make(arrow::schema({arrow::field("body", arrow::utf8())}), 1, {Texts({"x"})})).ok());
  std::shared_ptr<arrow::Buffer> metadata;
  ASSERT_TRUE(held->reader->ReadMetadata(&metadata).ok());  // the stream is open now
  EXPECT_THAT(GetError("logs"), HasSubstr("flight.max_streams"));
  ASSERT_TRUE(held->writer->Close().ok());
  EXPECT_EQ(Get("logs")->num_rows(), 1);
}

TEST_F(OtlpFlightServerTest, WantsItsToken) {
  FlightConfig settings;
  settings.bearer_token = "s3cret";
  Start(settings);
  EXPECT_THAT(GetError("traces"), HasSubstr("Bearer TOKEN"));
  auto with = [&](const std::string& token) {
    flight::FlightCallOptions options;
    options.headers = {{"authorization", "Bearer " + token}};
    auto reader = client_->DoGet(options, flight::Ticket{"traces"});
    return reader.ok() ? (*reader)->ToTable().status().ToString() : reader.status().ToString();
  };
  EXPECT_EQ(with("s3cret"), "OK");
  EXPECT_THAT(with("s3cre"), AllOf(HasSubstr("wrong"), ::testing::Not(HasSubstr("s3cret"))));
}

TEST_F(OtlpFlightServerTest, SharedCredentialsCountAndChangeWhileItRuns) {
  config_.auth.bearer_tokens = {"shared-s3cret"};
  config_.auth.headers = {{"X-Api-Key", "k3y"}};
  Start({});
  auto with = [&](const std::string& name, const std::string& value) {
    flight::FlightCallOptions options;
    options.headers = {{name, value}};
    return client_->DoGet(options, flight::Ticket{"logs"}).status();
  };
  EXPECT_TRUE(with("authorization", "Bearer shared-s3cret").ok());
  EXPECT_TRUE(with("x-api-key", "k3y").ok());
  EXPECT_THAT(with("x-api-key", "other").ToString(), AllOf(HasSubstr("x-api-key"), ::testing::Not(HasSubstr("k3y"))));
  EXPECT_THAT(GetError("logs"), HasSubstr("Bearer TOKEN"));
  Config changed = config_;
  changed.auth = {};
  ASSERT_TRUE(server_->Reload(changed).ok());
  EXPECT_EQ(Get("logs")->num_rows(), 0);
  changed.auth.bearer_tokens = {"${file:/nonexistent/token}"};
  EXPECT_THAT(server_->Reload(changed).message(), HasSubstr("auth.bearer_tokens"));
  EXPECT_EQ(Get("logs")->num_rows(), 0);
  EXPECT_THAT(server_->MetricsText(), HasSubstr("otlp_arrow_flight_unauthenticated_total 2"));
}

TEST_F(OtlpFlightServerTest, CallsThatSayNothingAreLimited) {
  FlightConfig settings;
  settings.max_streams = 1;
  Start(settings);
  const auto schema = arrow::schema({arrow::field("body", arrow::utf8())});
  std::vector<flight::FlightClient::DoPutResult> held;
  for (int i = 0; i < 2; ++i) {  // the second is answered, and stays open on the client's side
    auto put = client_->DoPut(flight::FlightDescriptor::Path({"logs"}), schema);
    ASSERT_TRUE(put.ok());
    held.push_back(*std::move(put));
  }
  ASSERT_TRUE(held[0].writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema, 1, {Texts({"x"})})).ok());
  for (auto& put : held) (void)put.writer->Close();
  EXPECT_LE(Get("logs")->num_rows(), 1);  // all calls have given their places back
}

TEST_F(OtlpFlightServerTest, ShowsOtherCertificatesAndLetsStreamsEnd) {
  testing::CertificateAuthority first, next;
  FlightConfig settings;
  settings.tls = first.Issue("server");
  Start(settings);
  const int port = server_->port();
  ASSERT_TRUE(Ask(first.ca_file()).ok());
  EXPECT_FALSE(Ask(next.ca_file()).ok());

  const auto schema = arrow::schema({arrow::field("body", arrow::utf8())});
  const auto batch = arrow::RecordBatch::Make(schema, 1, {Texts({"x"})});
  auto streaming = ConnectTls(first.ca_file());
  auto put = streaming->DoPut(flight::FlightDescriptor::Path({"logs"}), schema);
  ASSERT_TRUE(put.ok());
  ASSERT_TRUE(put->writer->WriteRecordBatch(*batch).ok());
  std::shared_ptr<arrow::Buffer> metadata;
  ASSERT_TRUE(put->reader->ReadMetadata(&metadata).ok());

  Config changed = config_;
  changed.flight.tls = next.Issue("server");
  ASSERT_TRUE(server_->Reload(changed).ok());
  EXPECT_EQ(server_->port(), port);
  EXPECT_TRUE(Ask(next.ca_file()).ok());
  EXPECT_FALSE(Ask(first.ca_file()).ok());
  ASSERT_TRUE(put->writer->WriteRecordBatch(*batch).ok());  // the stream of before goes on
  ASSERT_TRUE(put->reader->ReadMetadata(&metadata).ok());
  EXPECT_TRUE(put->writer->Close().ok());
  EXPECT_EQ(pipeline_->GetLedger()[Signal::kLogs].received, 2);

  changed.flight.tls.key_file = config_.flight.tls.key_file;
  EXPECT_THAT(server_->Reload(changed).message(), HasSubstr("flight.tls.key_file"));
  EXPECT_TRUE(Ask(next.ca_file()).ok());
  changed.flight.tls = {};
  EXPECT_THAT(server_->Reload(changed).message(), HasSubstr("restart"));
}

TEST_F(OtlpFlightServerTest, ClientsMayHaveToShowCertificates) {
  testing::CertificateAuthority authority, other;
  config_.tls = authority.Issue("server");
  config_.tls.client_ca_file = authority.ca_file();
  Start({});
  EXPECT_TRUE(Ask(authority.ca_file(), authority.Issue("client")).ok());
  EXPECT_FALSE(Ask(authority.ca_file()).ok());
  EXPECT_FALSE(Ask(authority.ca_file(), other.Issue("stranger")).ok());
  EXPECT_FALSE(Ask(authority.ca_file(), authority.Issue("old", -1)).ok());
}

TEST_F(OtlpFlightServerTest, SaysWhyItCannotListen) {
  Config config = config_;
  config.flight.address = server_->address();
  const auto second = OtlpFlightServer::Start(config, pipeline_.get());
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.status().message(), AllOf(HasSubstr("flight.address"), HasSubstr(server_->address())));
  config.flight.address = "127.0.0.1:0";
  config.flight.tls = {"/nonexistent/cert.pem", "/nonexistent/key.pem", ""};
  EXPECT_THAT(OtlpFlightServer::Start(config, pipeline_.get()).status().message(), HasSubstr("flight.tls.cert_file"));
}

TEST_F(OtlpFlightServerTest, ShutsDownWithAStreamOpen) {
  auto held = client_->DoPut(flight::FlightDescriptor::Path({"logs"}), arrow::schema({arrow::field("body", arrow::utf8())}));
  ASSERT_TRUE(held.ok());
  server_->Shutdown(std::chrono::milliseconds(50));
  EXPECT_FALSE(held->writer->Close().ok());
}

}  // namespace
}  // namespace otlp_arrow
