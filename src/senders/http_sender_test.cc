#include <fstream>
#include <functional>
#include <future>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>
#include <zlib.h>

#include "senders/sender_factory.h"
#include "senders/test_certificate.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace otlp_arrow {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using Tcp = asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

Response Answer(unsigned status, const std::string& body = "",
                const std::string& content_type = "application/x-protobuf") {
  Response response(http::int_to_status(status), 11, body);
  response.set(http::field::content_type, content_type);
  response.prepare_payload();
  return response;
}

// One connection after the other; each request is answered by `handler`. An answer that is not keep_alive closes.
class FakeServer {
 public:
  using Handler = std::function<Response(const Request&)>;

  explicit FakeServer(Handler handler, const testing::TestCertificate* certificate = nullptr)
      : handler_(std::move(handler)),
        acceptor_(io_, Tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        tls_(asio::ssl::context::tls_server) {
    if (certificate != nullptr) {
      tls_.use_certificate_chain(asio::buffer(certificate->certificate));
      tls_.use_private_key(asio::buffer(certificate->key), asio::ssl::context::pem);
    }
    use_tls_ = certificate != nullptr;
    thread_ = std::thread([this] { Serve(); });
  }
  ~FakeServer() {
    stopping_ = true;
    Tcp::socket wake(io_);
    boost::system::error_code ignored;
    wake.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }

  std::string Url() const {
    return std::string(use_tls_ ? "https" : "http") +
           "://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  int connections() const { return connections_; }

 private:
  void Serve() {
    for (;;) {
      Tcp::socket socket = acceptor_.accept();
      if (stopping_) return;
      ++connections_;
      boost::system::error_code error;
      if (use_tls_) {
        beast::ssl_stream<Tcp::socket> stream(std::move(socket), tls_);
        stream.handshake(asio::ssl::stream_base::server, error);
        if (!error) Talk(stream);
      } else {
        Talk(socket);
      }
    }
  }
  template <class Stream>
  void Talk(Stream& stream) {
    beast::flat_buffer buffer;
    boost::system::error_code error;
    for (;;) {
      Request request;
      http::read(stream, buffer, request, error);
      if (error) return;
      const Response response = handler_(request);
      http::write(stream, response, error);
      if (error || !response.keep_alive()) return;
    }
  }

  Handler handler_;
  asio::io_context io_;
  Tcp::acceptor acceptor_;
  asio::ssl::context tls_;
  bool use_tls_ = false;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::thread thread_;
};

std::unique_ptr<OtlpSender> SenderTo(const std::string& url, SenderOptions options = {}) {
  options.endpoint = *ParseEndpoint(url, OtlpProtocol::kHttp);
  auto sender = MakeSender(options);
  EXPECT_TRUE(sender.ok()) << sender.status().ToString();
  return *std::move(sender);
}

std::string Gunzip(const std::string& bytes) {
  std::string out(1 << 20, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(HttpSenderTest, SendsBytesHeadersAndPathOverOneConnection) {
  std::vector<Request> seen;
  FakeServer server([&](const Request& r) {
    seen.push_back(r);
    return Answer(200);
  });
  {
    auto sender = SenderTo(server.Url() + "/prefix",
                           {.endpoint = {}, .gzip = false, .headers = {{"X-Api-Key", "secret"}}, .ca_file = {}});
    EXPECT_TRUE(sender->Send(Signal::kTraces, "one", seconds(10)).taken());
    EXPECT_TRUE(sender->Send(Signal::kLogs, "two", seconds(10)).taken());
  }
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].target(), "/prefix/v1/traces");
  EXPECT_EQ(seen[0].body(), "one");
  EXPECT_EQ(seen[0][http::field::content_type], "application/x-protobuf");
  EXPECT_EQ(seen[0]["x-api-key"], "secret");
  EXPECT_EQ(seen[1].target(), "/prefix/v1/logs");
  EXPECT_EQ(seen[1].body(), "two");
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpSenderTest, CompressesOnWish) {
  Request seen;
  FakeServer server([&](const Request& r) {
    seen = r;
    return Answer(200);
  });
  const std::string body(100000, 'r');
  EXPECT_TRUE(SenderTo(server.Url(), {.endpoint = {}, .gzip = true, .headers = {}, .ca_file = {}})
                  ->Send(Signal::kTraces, body, seconds(10))
                  .taken());
  EXPECT_EQ(seen[http::field::content_encoding], "gzip");
  EXPECT_LT(seen.body().size(), 2000u);
  EXPECT_EQ(Gunzip(seen.body()), body);
}

TEST(HttpSenderTest, ReportsPartialSuccess) {
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse response;
  response.mutable_partial_success()->set_rejected_spans(3);
  response.mutable_partial_success()->set_error_message("three were bad");
  FakeServer server([&](const Request&) { return Answer(200, response.SerializeAsString()); });
  const SendOutcome outcome = SenderTo(server.Url())->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_TRUE(outcome.taken());
  EXPECT_EQ(outcome.rejected_items, 3);
  EXPECT_EQ(outcome.message, "three were bad");
}

TEST(HttpSenderTest, StatusesMeanWhatTheSpecificationSays) {
  unsigned status = 200;
  FakeServer server([&](const Request&) { return Answer(status); });
  auto sender = SenderTo(server.Url());
  const auto kind = [&](unsigned s) {
    status = s;
    return sender->Send(Signal::kTraces, "x", seconds(10)).kind;
  };
  for (unsigned s : {429u, 502u, 503u, 504u}) EXPECT_EQ(kind(s), SendOutcome::Kind::kRetryable) << s;
  for (unsigned s : {400u, 413u, 500u, 501u}) EXPECT_EQ(kind(s), SendOutcome::Kind::kRefused) << s;
  for (unsigned s : {301u, 401u, 403u, 404u}) EXPECT_EQ(kind(s), SendOutcome::Kind::kUnusable) << s;
  EXPECT_EQ(kind(202), SendOutcome::Kind::kTaken);
}

TEST(HttpSenderTest, QuotesThePeersReasonAndHonoursRetryAfter) {
  std::string status;
  protozero::pbf_writer(status).add_string(2, "memory is full");
  FakeServer server([&](const Request&) {
    Response response = Answer(503, status);
    response.set(http::field::retry_after, "7");
    return response;
  });
  const SendOutcome outcome = SenderTo(server.Url())->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(outcome.retry_after, milliseconds(7000));
  EXPECT_EQ(outcome.message, "HTTP 503: memory is full");
}

TEST(HttpSenderTest, TellsWhereAMovedServiceIs) {
  FakeServer server([&](const Request&) {
    Response response = Answer(308, "gone\nthere", "text/plain");
    response.set(http::field::location, "https://other/v1/traces");
    return response;
  });
  EXPECT_THAT(SenderTo(server.Url())->Send(Signal::kTraces, "x", seconds(10)).message,
              HasSubstr("HTTP 308: gone there: moved to https://other/v1/traces"));
}

TEST(HttpSenderTest, ReconnectsAfterThePeerClosed) {
  int requests = 0;
  FakeServer server([&](const Request&) {
    Response response = Answer(200);
    response.keep_alive(++requests != 1);
    return response;
  });
  {
    auto sender = SenderTo(server.Url());
    EXPECT_TRUE(sender->Send(Signal::kTraces, "x", seconds(10)).taken());
    EXPECT_TRUE(sender->Send(Signal::kTraces, "x", seconds(10)).taken());
  }
  EXPECT_EQ(server.connections(), 2);
}

TEST(HttpSenderTest, NoAnswerInTimeIsRetryable) {
  std::promise<void> release;
  FakeServer server([&](const Request&) {
    release.get_future().wait();
    return Answer(200);
  });
  const SendOutcome outcome = SenderTo(server.Url())->Send(Signal::kTraces, "x", milliseconds(50));
  release.set_value();
  EXPECT_EQ(outcome.kind, SendOutcome::Kind::kRetryable);
  EXPECT_EQ(outcome.message, "no answer within 50 ms");
}

TEST(HttpSenderTest, NobodyListeningIsRetryable) {
  const SendOutcome outcome = SenderTo("http://127.0.0.1:1")->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(outcome.kind, SendOutcome::Kind::kRetryable);
  EXPECT_EQ(outcome.message, "cannot connect to 127.0.0.1:1: Connection refused");
}

TEST(HttpSenderTest, SpeaksTlsAndChecksTheCertificate) {
  const auto certificate = testing::MakeTestCertificate();
  FakeServer server([](const Request&) { return Answer(200); }, &certificate);
  const std::string ca_file = ::testing::TempDir() + "http_sender_test.pem";
  std::ofstream(ca_file) << certificate.certificate;
  const SenderOptions options{.endpoint = {}, .gzip = false, .headers = {}, .ca_file = ca_file};
  EXPECT_TRUE(SenderTo(server.Url(), options)->Send(Signal::kTraces, "x", seconds(10)).taken());
  const SendOutcome refused = SenderTo(server.Url())->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(refused.kind, SendOutcome::Kind::kUnusable);
  EXPECT_THAT(refused.message, HasSubstr("certificate"));
}

TEST(OtlpSenderTest, RefusesHeadersAndFilesThatCannotBe) {
  const auto error = [](SenderOptions options) {
    options.endpoint = *ParseEndpoint("https://127.0.0.1:4318");
    auto sender = MakeSender(options);
    return sender.ok() ? std::string() : sender.status().message();
  };
  EXPECT_THAT(error({.endpoint = {}, .gzip = false, .headers = {{"a b", "c"}}, .ca_file = {}}),
              HasSubstr("header 'a b'"));
  EXPECT_THAT(error({.endpoint = {}, .gzip = false, .headers = {{"a", "b\r\nc: d"}}, .ca_file = {}}),
              HasSubstr("header 'a'"));
  EXPECT_THAT(error({.endpoint = {}, .gzip = false, .headers = {{"grpc-timeout", "1"}}, .ca_file = {}}),
              HasSubstr("belong to gRPC"));
  EXPECT_THAT(error({.endpoint = {}, .gzip = false, .headers = {}, .ca_file = "/nowhere.pem"}),
              HasSubstr("/nowhere.pem"));
}

}  // namespace
}  // namespace otlp_arrow
