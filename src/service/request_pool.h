// Threads that send requests at the same time, each over a sender of its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "forward/otlp_sender.h"
#include "otlp_arrow/signal.h"

namespace otlp_arrow {

struct ReplayRequest {
  uint64_t number = 0;
  Signal signal = Signal::kTraces;
  std::string bytes;
  int64_t items = 0;
};

struct ReplayAnswer {
  ReplayRequest request;
  SendOutcome outcome;
};

// Requests go in from one thread, which also takes the answers.
class RequestPool {
 public:
  // `send` is called from all threads, with the sender of the thread. None with fewer than two senders: then Add sends itself.
  using Send = std::function<SendOutcome(OtlpSender*, const ReplayRequest&)>;
  RequestPool(std::vector<OtlpSender*> senders, Send send);
  ~RequestPool();
  RequestPool(const RequestPool&) = delete;
  RequestPool& operator=(const RequestPool&) = delete;

  // Waits while as many are under way as there are senders, and gives the answers that have come meanwhile.
  std::vector<ReplayAnswer> Add(ReplayRequest request);
  // Waits for all that are under way.
  std::vector<ReplayAnswer> Finish();

 private:
  void Work(OtlpSender* sender);

  const std::vector<OtlpSender*> senders_;
  const Send send_;
  std::mutex mutex_;
  std::condition_variable added_, answered_;
  std::deque<ReplayRequest> requests_;
  std::vector<ReplayAnswer> answers_;
  size_t under_way_ = 0;  // added and not answered
  bool is_ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace otlp_arrow
