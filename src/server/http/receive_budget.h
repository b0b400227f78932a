// The memory that bodies coming in may take, of all connections together and of each client's.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace otlp_arrow {

// What the connections from one address have. Shared by them.
struct HttpClient {
  std::string key;                      // of HttpClients
  std::atomic<uint32_t> connections{0};
  std::atomic<uint64_t> body_bytes{0};
};

struct ReceiveBudget {
  std::atomic<uint64_t> body_bytes{0};
};

// What one request holds of the budget. Used by one thread at a time.
class ReceiveLease {
 public:
  ReceiveLease(ReceiveBudget* all, HttpClient* client) : all_(all), client_(client) {}
  ~ReceiveLease() { Release(); }
  ReceiveLease(const ReceiveLease&) = delete;
  ReceiveLease& operator=(const ReceiveLease&) = delete;

  // Takes `more` bytes, unless that were more than `limit` for all, or more than half of it for this client where it holds
  // something already: one client cannot take everything.
  bool Take(uint64_t more, uint64_t limit) {
    const uint64_t of_client = client_->body_bytes.fetch_add(more) + more;
    const uint64_t of_all = all_->body_bytes.fetch_add(more) + more;
    held_ += more;
    const bool fits = of_all <= limit && (of_client == held_ || of_client <= limit / 2);
    // A body that is larger than the limit gets through alone: http.max_body_bytes is its limit.
    if (fits || of_all == held_) return true;
    Release(more);
    return false;
  }
  void Release() { Release(held_); }

 private:
  void Release(uint64_t bytes) {
    if (bytes == 0) return;
    client_->body_bytes -= bytes;
    all_->body_bytes -= bytes;
    held_ -= bytes;
  }

  ReceiveBudget* const all_;
  HttpClient* const client_;
  uint64_t held_ = 0;
};

}  // namespace otlp_arrow
