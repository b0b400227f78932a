// A client that sends exactly the bytes it is told to, and reads responses with Boost.Beast's parser.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace otlp_arrow {

struct RawHttpResponse {
  int status = 0;
  std::string body;
  boost::beast::http::fields headers;

  std::string Header(std::string_view name) const {
    const auto value = headers[boost::beast::string_view(name.data(), name.size())];
    return {value.data(), value.size()};
  }
};

class RawHttpClient {
 public:
  explicit RawHttpClient(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawHttpClient() { Close(); }
  RawHttpClient(const RawHttpClient&) = delete;
  RawHttpClient& operator=(const RawHttpClient&) = delete;

  bool connected() const { return connected_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  // Says that nothing more will be sent.
  void ShutdownSend() { shutdown(fd_, SHUT_WR); }

  // False where the server has closed the connection.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  // Nullopt where the connection ends first, or nothing comes for 20 s. `head`: the response has no body.
  std::optional<RawHttpResponse> Read(bool head = false) {
    namespace http = boost::beast::http;
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    parser.skip(head);
    while (!parser.is_done()) {
      if (input_.empty() && !Fill()) return std::nullopt;
      boost::beast::error_code error;
      const size_t used = parser.put(boost::asio::buffer(input_), error);
      input_.erase(0, used);
      if (error == http::error::need_more) {
        if (!Fill()) return std::nullopt;
      } else if (error) {
        return std::nullopt;
      }
    }
    auto message = parser.release();
    return RawHttpResponse{static_cast<int>(message.result_int()), std::move(message.body()), std::move(message.base())};
  }

  // Does the server close the connection, with nothing more to say?
  bool AtEnd() { return input_.empty() && !Fill() && !timed_out_; }

 private:
  bool Fill() {
    pollfd wait{fd_, POLLIN, 0};
    timed_out_ = poll(&wait, 1, 20'000) == 0;
    char bytes[4096];
    const ssize_t n = timed_out_ ? 0 : recv(fd_, bytes, sizeof(bytes), 0);
    if (n <= 0) return false;
    input_.append(bytes, static_cast<size_t>(n));
    return true;
  }

  int fd_;
  bool connected_ = false;
  bool timed_out_ = false;
  std::string input_;
};

// "POST <path>" with Host, Content-Type, `headers` (each "Name: value\r\n") and Content-Length.
inline std::string Post(std::string_view path, std::string_view body, std::string_view headers = "",
                        std::string_view content_type = "application/x-protobuf") {
  std::string out("POST ");
  out.append(path).append(" HTTP/1.1\r\nHost: test\r\nContent-Type: ").append(content_type).append("\r\n").append(headers);
  out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return out;
}

}  // namespace otlp_arrow
