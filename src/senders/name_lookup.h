// Addresses of a host, for someone who cannot wait as long as the system's resolver does.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

class NameLookup {
 public:
  using Addresses = std::vector<boost::asio::ip::tcp::endpoint>;

  // Errors (server): no such name, no answer before `deadline`, cancelled.
  Result<Addresses> Find(const std::string& host, uint16_t port, std::chrono::steady_clock::time_point deadline);
  // From any thread: Find returns at once, and so do later ones.
  void Cancel();

 private:
  struct Search;  // outlives the one who waits for it

  std::mutex mutex_;
  std::shared_ptr<Search> search_;  // the newest
  bool is_cancelled_ = false;
};

}  // namespace otlp_arrow
