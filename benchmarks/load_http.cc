// The HTTP side of the load generator: connections that are kept open, one request at a time on each.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/host_port.h"
#include "load.h"
#include "measure.h"

namespace otlp_arrow::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

Tcp::socket Connect(asio::io_context* context, const HostPort& server) {
  Tcp::socket socket(*context);
  error_code error;
  const auto found = Tcp::resolver(*context).resolve(server.host, std::to_string(server.port), error);
  if (!error) asio::connect(socket, found, error);
  if (error) {
    std::fprintf(stderr, "no HTTP server answers at %s: %s\n", server.ToString().c_str(), error.message().c_str());
    std::exit(1);
  }
  socket.set_option(Tcp::no_delay(true));
  return socket;
}

class Connection {
 public:
  Connection(const Load& load, Tcp::socket socket, RequestRound* round, Tally* tally)
      : socket_(std::move(socket)), json_(load.json), round_(round), tally_(tally) {
    head_ = "POST /v1/" + std::string(SignalName(load.signal)) + " HTTP/1.1\r\nHost: " + load.address +
            "\r\nContent-Type: application/" + (load.json ? "json" : "x-protobuf") + "\r\n" + (load.gzip ? "Content-Encoding: gzip\r\n" : "") + "Content-Length: ";
  }

  void Start(double end) {
    end_ = end;
    Send();
  }

 private:
  void Send() {
    request_ = round_->Next();
    if (!request_) return;
    head_and_length_ = head_ + std::to_string(request_->bytes.size()) + "\r\n\r\n";
    sent_at_ = WallTime();
    const std::array<asio::const_buffer, 2> parts = {asio::buffer(head_and_length_), asio::buffer(request_->bytes)};
    asio::async_write(socket_, parts, [this](error_code error, size_t) {
      if (error) return tally_->OnError(*request_, error.message());
      Read();
    });
  }

  void Read() {
    response_ = {};
    http::async_read(socket_, buffer_, response_, [this](error_code error, size_t) {
      if (error) return tally_->OnError(*request_, error.message());
      const double now = WallTime();
      if (response_.result_int() == 200) {
        tally_->OnTaken(*request_, response_.body(), json_, now - sent_at_);
      } else {
        tally_->OnError(*request_, "HTTP " + std::to_string(response_.result_int()));
      }
      if (now < end_) Send();
    });
  }

  Tcp::socket socket_;
  const bool json_;
  RequestRound* round_;
  Tally* tally_;
  std::string head_, head_and_length_;
  const LoadRequest* request_ = nullptr;
  boost::beast::flat_buffer buffer_;
  http::response<http::string_body> response_;
  double sent_at_ = 0, end_ = 0;
};

// One thread with its connections.
struct Worker {
  Worker(const Load& load, const HostPort& server, int thread) : round(load, thread) {
    for (int c = thread; c < load.connections; c += load.threads) {
      connections.push_back(std::make_unique<Connection>(load, Connect(&context, server), &round, &tally));
    }
  }
  void Run(double end) {
    for (auto& connection : connections) connection->Start(end);
    context.run();
  }

  asio::io_context context{1};
  RequestRound round;
  Tally tally;
  std::vector<std::unique_ptr<Connection>> connections;
};

}  // namespace

LoadResult RunHttpLoad(const Load& load) {
  const auto server = ParseHostPort(load.address);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    std::exit(1);
  }
  const Load idle_load = IdleLoad(load);
  Worker idle(idle_load, *server, 0);
  idle.Run(0);
  std::vector<std::unique_ptr<Worker>> workers;
  for (int t = 0; t < load.threads; ++t) workers.push_back(std::make_unique<Worker>(load, *server, t));
  const double begin = WallTime();
  std::vector<std::thread> threads;
  for (auto& worker : workers) threads.emplace_back([&worker, end = begin + load.seconds] { worker->Run(end); });
  for (auto& thread : threads) thread.join();
  LoadResult result;
  result.idle_items_acked = idle.tally.items_acked;
  result.seconds = WallTime() - begin;
  for (const auto& worker : workers) result.tally += worker->tally;
  return result;
}

}  // namespace otlp_arrow::bench
