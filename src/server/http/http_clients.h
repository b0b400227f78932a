// Who is connected, by address.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include <boost/asio/ip/address.hpp>

#include "server/http/receive_budget.h"

namespace otlp_arrow {

// Thread-safe.
class HttpClients {
 public:
  // Counts a connection from the address. IPv6 addresses of one /64 are one client: whoever has one of them has them all.
  std::shared_ptr<HttpClient> Enter(const boost::asio::ip::address& address);
  // Counts it down.
  void Leave(const std::shared_ptr<HttpClient>& client);
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<HttpClient>> clients_;
};

}  // namespace otlp_arrow
