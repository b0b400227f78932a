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
#include <zstd.h>

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

  // `client_authority`: PEM, and then clients have to show a certificate of it.
  explicit FakeServer(Handler handler, const testing::TestCertificate* certificate = nullptr, const std::string& client_authority = "")
      : handler_(std::move(handler)),
        acceptor_(io_, Tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        tls_(asio::ssl::context::tls_server) {
    if (certificate != nullptr) {
      tls_.use_certificate_chain(asio::buffer(certificate->certificate));
      tls_.use_private_key(asio::buffer(certificate->key), asio::ssl::context::pem);
    }
    if (!client_authority.empty()) {
      tls_.add_certificate_authority(asio::buffer(client_authority));
      tls_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
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
  // The next requests are read, and answered with the end of the connection.
  void HangUp(int times) { hang_ups_ = times; }

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
      if (hang_ups_ > 0 && hang_ups_-- > 0) return;
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
  std::atomic<int> hang_ups_{0};
  std::thread thread_;
};

std::unique_ptr<OtlpSender> SenderTo(const std::string& url, SenderOptions options = {}) {
  options.endpoint = *ParseEndpoint(url, OtlpProtocol::kHttp);
  auto sender = MakeSender(options);
  EXPECT_TRUE(sender.ok()) << sender.status().ToString();
  return *std::move(sender);
}

SenderOptions WithHeader(const std::string& name, const std::string& value) {
  SenderOptions options;
  options.headers = {{name, value}};
  return options;
}

std::string FileWith(const std::string& name, const std::string& text) {
  const std::string path = ::testing::TempDir() + "http_sender_test_" + name;
  std::ofstream(path) << text;
  return path;
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
                           WithHeader("X-Api-Key", "secret"));
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
  SenderOptions options;
  options.compression = RequestCompression::kGzip;
  auto gzip = SenderTo(server.Url(), options);
  for (int i = 0; i < 2; ++i) {  // the compressor is used again
    EXPECT_TRUE(gzip->Send(Signal::kTraces, body, seconds(10)).taken());
    EXPECT_EQ(seen[http::field::content_encoding], "gzip");
    EXPECT_LT(seen.body().size(), 2000u);
    EXPECT_EQ(Gunzip(seen.body()), body);
  }
  gzip.reset();  // the server talks to one at a time
  options.compression = RequestCompression::kZstd;
  EXPECT_TRUE(SenderTo(server.Url(), options)->Send(Signal::kTraces, body, seconds(10)).taken());
  EXPECT_EQ(seen[http::field::content_encoding], "zstd");
  std::string decoded(body.size(), '\0');
  EXPECT_EQ(ZSTD_decompress(decoded.data(), decoded.size(), seen.body().data(), seen.body().size()), body.size());
  EXPECT_EQ(decoded, body);
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

TEST(HttpSenderTest, FollowsRedirectsOfTheSameServer) {
  std::vector<std::string> targets;
  std::string location;
  unsigned status = 307;
  FakeServer server([&](const Request& r) {
    targets.push_back(std::string(r.target()));
    if (r.target() != "/v1/traces") return Answer(r.body() == "x" ? 200 : 400);
    Response response = Answer(status);
    response.set(http::field::location, location);
    return response;
  });
  auto sender = SenderTo(server.Url());
  location = server.Url() + "/moved?a=b#c";
  EXPECT_TRUE(sender->Send(Signal::kTraces, "x", seconds(10)).taken());
  location = "there";
  status = 308;
  EXPECT_TRUE(sender->Send(Signal::kTraces, "x", seconds(10)).taken());
  EXPECT_TRUE(sender->Send(Signal::kTraces, "x", seconds(10)).taken()) << "308 is for good";
  EXPECT_THAT(targets, ::testing::ElementsAre("/v1/traces", "/moved?a=b", "/v1/traces", "/v1/there", "/v1/there"));
}

TEST(HttpSenderTest, FollowsNoRedirectElsewhereOrInCircles) {
  std::string location;
  int requests = 0;
  FakeServer server([&](const Request&) {
    Response response = Answer(307);
    response.set(http::field::location, location.empty() ? "/" + std::to_string(++requests) : location);
    return response;
  });
  auto sender = SenderTo(server.Url());
  for (const char* elsewhere : {"http://127.0.0.2/v1/traces", "http://127.0.0.1:1/v1/traces", "https://127.0.0.1/", "//127.0.0.1/", "/v1/traces"}) {
    location = elsewhere;
    const SendOutcome outcome = sender->Send(Signal::kTraces, "x", seconds(10));
    EXPECT_EQ(outcome.kind, SendOutcome::Kind::kUnusable) << elsewhere;
    EXPECT_THAT(outcome.message, HasSubstr(location));
  }
  location.clear();
  EXPECT_THAT(sender->Send(Signal::kTraces, "x", seconds(10)).message, HasSubstr("again and again"));
  EXPECT_EQ(requests, 4);
}

TEST(HttpSenderTest, TooLargeIsTold) {
  FakeServer server([&](const Request&) { return Answer(413, "", "text/plain"); });
  const SendOutcome outcome = SenderTo(server.Url())->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(outcome.kind, SendOutcome::Kind::kRefused);
  EXPECT_TRUE(outcome.is_too_large);
}

TEST(HttpSenderTest, NoSecretInAMessageEvenWhereThePeerQuotesIt) {
  FakeServer server([&](const Request& r) { return Answer(401, "bad\x80 " + std::string(r["authorization"]) + "\n", "text/plain"); });
  EXPECT_EQ(SenderTo(server.Url(), WithHeader("authorization", "Bearer abcdef"))->Send(Signal::kTraces, "x", seconds(10)).message, "HTTP 401: bad? <hidden> ");
}

TEST(HttpSenderTest, AnAnswerWithoutBoundIsCutOff) {
  FakeServer server([&](const Request&) { return Answer(200, std::string(2 << 20, 'x')); });
  const SendOutcome outcome = SenderTo(server.Url())->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(outcome.kind, SendOutcome::Kind::kRetryable);
  EXPECT_EQ(outcome.message, "the answer is larger than 1 MiB");
}

// What it says to one client after its first bytes.
SendOutcome OutcomeOfBytes(std::string bytes, const std::string& scheme = "http") {
  asio::io_context io;
  Tcp::acceptor acceptor(io, Tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  std::thread server([&] {
    Tcp::socket socket = acceptor.accept();
    char request[4096];
    boost::system::error_code error;
    socket.read_some(asio::buffer(request), error);
    asio::write(socket, asio::buffer(bytes), error);
  });
  const SendOutcome outcome = SenderTo(scheme + "://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()))->Send(Signal::kTraces, "x", seconds(10));
  server.join();
  return outcome;
}

TEST(HttpSenderTest, GarbageIsRetryableAndTheGrpcPortIsNamed) {
  const SendOutcome garbage = OutcomeOfBytes("\x01\x02 what?\r\n\r\n");
  EXPECT_EQ(garbage.kind, SendOutcome::Kind::kRetryable);
  EXPECT_THAT(garbage.message, HasSubstr("not HTTP/1.1"));
  EXPECT_EQ(OutcomeOfBytes("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").kind, SendOutcome::Kind::kRetryable);
  const SendOutcome http2 = OutcomeOfBytes(std::string("\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64", 15));
  EXPECT_EQ(http2.kind, SendOutcome::Kind::kUnusable);
  EXPECT_THAT(http2.message, HasSubstr("is this the gRPC port?"));
}

TEST(HttpSenderTest, AConnectionThatWasClosedMeanwhileIsReplacedAtOnce) {
  FakeServer server([&](const Request&) { return Answer(200); });
  auto sender = SenderTo(server.Url());
  EXPECT_TRUE(sender->Send(Signal::kTraces, "x", seconds(10)).taken());
  server.HangUp(1);
  EXPECT_TRUE(sender->Send(Signal::kTraces, "x", seconds(10)).taken());
  EXPECT_EQ(server.connections(), 2);
  server.HangUp(2);  // a new one too: the peer is at fault
  EXPECT_EQ(sender->Send(Signal::kTraces, "x", seconds(10)).kind, SendOutcome::Kind::kRetryable);
  EXPECT_EQ(server.connections(), 3);
}

TEST(HttpSenderTest, CancelEndsARequestUnderWay) {
  std::promise<void> arrived, release;
  FakeServer server([&](const Request&) {
    arrived.set_value();
    release.get_future().wait();
    return Answer(200);
  });
  auto sender = SenderTo(server.Url());
  auto outcome = std::async(std::launch::async, [&] { return sender->Send(Signal::kTraces, "x", seconds(3600)); });
  arrived.get_future().wait();
  sender->Cancel();
  EXPECT_EQ(outcome.get().kind, SendOutcome::Kind::kRetryable);
  release.set_value();
  EXPECT_THAT(sender->Send(Signal::kTraces, "x", seconds(3600)).message, HasSubstr("cancelled"));
}

TEST(HttpSenderTest, UnknownHostIsRetryable) {
  const SendOutcome outcome = SenderTo("http://no-such-host.invalid:4318")->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(outcome.kind, SendOutcome::Kind::kRetryable);
  EXPECT_THAT(outcome.message, HasSubstr("cannot find no-such-host.invalid:4318"));
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
  SenderOptions options;
  options.tls.ca_file = ca_file;
  EXPECT_TRUE(SenderTo(server.Url(), options)->Send(Signal::kTraces, "x", seconds(10)).taken());
  const SendOutcome refused = SenderTo(server.Url())->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(refused.kind, SendOutcome::Kind::kUnusable);
  EXPECT_THAT(refused.message, HasSubstr("certificate"));
}

TEST(HttpSenderTest, TellsWhatIsWrongWithACertificate) {
  const auto message_for = [](const testing::TestCertificateOptions& certificate_options, const std::string& server_name = "") {
    const auto certificate = testing::MakeTestCertificate(certificate_options);
    FakeServer server([](const Request&) { return Answer(200); }, &certificate);
    SenderOptions options;
    options.tls.ca_file = FileWith("authority.pem", certificate.certificate);
    options.tls.server_name = server_name;
    const SendOutcome outcome = SenderTo(server.Url(), options)->Send(Signal::kTraces, "x", seconds(10));
    EXPECT_EQ(outcome.kind, outcome.message.empty() ? SendOutcome::Kind::kTaken : SendOutcome::Kind::kUnusable) << outcome.message;
    return outcome.message;
  };
  EXPECT_EQ(message_for({}), "");
  EXPECT_THAT(message_for({.from_secs = -7200, .until_secs = -3600}), HasSubstr("the server's certificate has expired on "));
  EXPECT_THAT(message_for({.from_secs = 3600, .until_secs = 7200}), HasSubstr("is not valid before "));
  EXPECT_THAT(message_for({.names = "DNS:other.example,IP:10.0.0.1"}), HasSubstr("it is for other.example, 10.0.0.1, not for 127.0.0.1"));
  EXPECT_EQ(message_for({.names = "DNS:other.example"}, "other.example"), "");
  EXPECT_THAT(message_for({}, "third.example"), HasSubstr("not for third.example"));
}

TEST(HttpSenderTest, ShowsACertificateWhereTheServerAsks) {
  const auto server_certificate = testing::MakeTestCertificate(), client_certificate = testing::MakeTestCertificate();
  FakeServer server([](const Request&) { return Answer(200); }, &server_certificate, client_certificate.certificate);
  SenderOptions options;
  options.tls.ca_file = FileWith("server.pem", server_certificate.certificate);
  const SendOutcome without = SenderTo(server.Url(), options)->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(without.kind, SendOutcome::Kind::kUnusable);
  EXPECT_THAT(without.message, HasSubstr("the server wants a certificate of the client"));
  options.tls.cert_file = FileWith("client.pem", client_certificate.certificate);
  options.tls.key_file = FileWith("client_key.pem", client_certificate.key);
  const SendOutcome with = SenderTo(server.Url(), options)->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_TRUE(with.taken()) << with.message;
}

TEST(HttpSenderTest, TlsToAServerWithoutIsNamed) {
  const SendOutcome outcome = OutcomeOfBytes("HTTP/1.1 400 Bad Request\r\n\r\n", "https");
  EXPECT_EQ(outcome.kind, SendOutcome::Kind::kUnusable);
  EXPECT_THAT(outcome.message, HasSubstr("speaks no TLS"));
}

TEST(OtlpSenderTest, RefusesHeadersAndFilesThatCannotBe) {
  const auto error = [](SenderOptions options) {
    options.endpoint = *ParseEndpoint("https://127.0.0.1:4318");
    auto sender = MakeSender(options);
    return sender.ok() ? std::string() : sender.status().message();
  };
  EXPECT_THAT(error(WithHeader("a b", "c")),
              HasSubstr("header 'a b'"));
  EXPECT_THAT(error(WithHeader("a", "b\r\nc: d")),
              HasSubstr("header 'a'"));
  EXPECT_THAT(error(WithHeader("grpc-timeout", "1")),
              HasSubstr("belong to gRPC"));
  const auto tls_error = [&](ClientTlsConfig tls) {
    SenderOptions options;
    options.tls = std::move(tls);
    return error(options);
  };
  EXPECT_THAT(tls_error({.ca_file = "/nowhere.pem"}), AllOf(HasSubstr("tls.ca_file: "), HasSubstr("'/nowhere.pem'"), HasSubstr("name a readable PEM file")));
  EXPECT_THAT(tls_error({.cert_file = "/nowhere.pem"}), HasSubstr("tls.cert_file is set without tls.key_file"));
  const auto one = testing::MakeTestCertificate(), other = testing::MakeTestCertificate();
  const std::string certificate = FileWith("certificate.pem", one.certificate), key = FileWith("key.pem", other.key);
  EXPECT_THAT(tls_error({.cert_file = certificate, .key_file = key}), HasSubstr("is not that of the certificate in"));
  EXPECT_THAT(tls_error({.ca_file = key}), HasSubstr("holds no certificate in PEM form"));
}

TEST(OtlpSenderTest, RefusesCompressionThatTheProtocolHasNot) {
  const auto error = [](OtlpProtocol protocol, RequestCompression compression) {
    SenderOptions options;
    options.endpoint = *ParseEndpoint("http://127.0.0.1:1", protocol);
    options.compression = compression;
    return MakeSender(options).status().message();
  };
  EXPECT_THAT(error(OtlpProtocol::kGrpc, RequestCompression::kZstd), HasSubstr("allowed are none, gzip"));
  EXPECT_THAT(error(OtlpProtocol::kHttp, RequestCompression::kLz4), HasSubstr("allowed are none, gzip, zstd"));
  EXPECT_THAT(error(OtlpProtocol::kFlight, RequestCompression::kGzip), HasSubstr("allowed are none, lz4, zstd"));
}

}  // namespace
}  // namespace otlp_arrow
