// The floor for every server: takes OTLP requests whole, looks at none of them, and answers that all is well.
// Prints its addresses on standard error when it is ready, in the words of `otlp-arrow serve`, and at the end how much came.
//
//   discard_server [GRPC_ADDRESS [HTTP_ADDRESS]]    port 0 takes a free one; until SIGINT or SIGTERM
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "base/host_port.h"

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr int kMaxRequestBytes = 64 << 20;
constexpr size_t kReadBytes = 64 << 10;

std::atomic<int64_t> g_requests{0}, g_bytes{0};

void Count(size_t bytes) {
  g_requests.fetch_add(1, std::memory_order_relaxed);
  g_bytes.fetch_add(static_cast<int64_t>(bytes), std::memory_order_relaxed);
}

class DiscardCall final : public grpc::ServerGenericBidiReactor {
 public:
  DiscardCall() { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (answered_) return;
    if (!ok) return Finish(grpc::Status::OK);
    answered_ = true;
    Count(request_.Length());
    grpc::Slice empty("", 0);
    response_ = grpc::ByteBuffer(&empty, 1);
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }

  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer request_, response_;
  bool answered_ = false;
};

class DiscardService final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override { return new DiscardCall; }
};

class DiscardSession : public std::enable_shared_from_this<DiscardSession> {
 public:
  explicit DiscardSession(Tcp::socket socket) : socket_(std::move(socket)) {
    buffer_.reserve(kReadBytes);  // Beast reads no more at a time than the buffer has room for
    response_.prepare_payload();
  }

  void Read() {
    parser_.emplace();
    parser_->body_limit(kMaxRequestBytes);
    http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return;
      Count(self->parser_->get().body().size());
      self->Answer();
    });
  }

 private:
  void Answer() {
    http::async_write(socket_, response_, [self = shared_from_this()](error_code error, size_t) {
      if (!error) self->Read();
    });
  }

  Tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  boost::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_{http::status::ok, 11};
};

void AcceptNext(Tcp::acceptor* acceptor) {
  acceptor->async_accept([acceptor](error_code error, Tcp::socket socket) {
    if (error) return;
    socket.set_option(Tcp::no_delay(true));
    std::make_shared<DiscardSession>(std::move(socket))->Read();
    AcceptNext(acceptor);
  });
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  DiscardService service;
  grpc::ServerBuilder builder;
  int grpc_port = 0;
  builder.AddListeningPort(argc > 1 ? argv[1] : "127.0.0.1:4317", grpc::InsecureServerCredentials(), &grpc_port);
  builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
  builder.RegisterCallbackGenericService(&service);
  const auto server = builder.BuildAndStart();
  const auto http_address = otlp_arrow::ParseHostPort(argc > 2 ? argv[2] : "127.0.0.1:4318");
  if (!server || grpc_port == 0 || !http_address.ok()) {
    std::fprintf(stderr, "discard_server cannot listen at the addresses given\n");
    return 1;
  }
  asio::io_context context{1};
  Tcp::acceptor acceptor(context, {asio::ip::make_address(http_address->host), http_address->port});
  AcceptNext(&acceptor);
  std::thread http_thread([&] { context.run(); });
  std::fprintf(stderr, "  OTLP/gRPC  127.0.0.1:%d\n  OTLP/HTTP  127.0.0.1:%d\n", grpc_port, acceptor.local_endpoint().port());

  int signal = 0;
  sigwait(&stop, &signal);
  server->Shutdown(std::chrono::system_clock::now());
  context.stop();
  http_thread.join();
  std::fprintf(stderr, "received %lld requests, %lld bytes\n", static_cast<long long>(g_requests), static_cast<long long>(g_bytes));
  return 0;
}
