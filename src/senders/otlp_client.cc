#include "otlp_arrow/otlp_client.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>

#include <unistd.h>

#include "forward/backoff.h"
#include "senders/sender_factory.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using Time = std::chrono::steady_clock::time_point;

constexpr milliseconds kLongestRetry{30'000};

class RetryingClient : public OtlpClient {
 public:
  RetryingClient(std::unique_ptr<OtlpSender> sender, Endpoint endpoint, milliseconds first_retry)
      : sender_(std::move(sender)), endpoint_(std::move(endpoint)), first_retry_(first_retry) {}

  // In a forked child the connection belongs to the parent, and whoever waits for its threads waits for good.
  ~RetryingClient() override {
    if (::getpid() != process_) (void)sender_.release();
  }

  Result<OtlpSendReport> Send(Signal signal, std::string_view request, milliseconds timeout) override {
    if (::getpid() != process_) return Status::Server("this client belongs to process " + std::to_string(process_) + "; a forked child makes its own");
    const Time deadline = std::chrono::steady_clock::now() + timeout;
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, deadline, [this] { return !is_sending_ || is_shut_down_; })) {
      return Status::Server(peer() + ": an earlier request took the " + std::to_string(timeout.count()) + " ms that there were", true);
    }
    if (is_shut_down_) return ShutDown();
    is_sending_ = true;
    auto result = Attempt(signal, request, timeout, deadline, &lock);
    is_sending_ = false;
    changed_.notify_all();
    return result;
  }

  void Shutdown() override {
    if (::getpid() != process_) return;
    std::lock_guard lock(mutex_);
    is_shut_down_ = true;
    changed_.notify_all();
  }

  std::string peer() const override { return (endpoint_.tls ? "https://" : "http://") + endpoint_.Authority(); }
  std::string protocol() const override { return std::string(ProtocolName(endpoint_.protocol)); }

 private:
  Status ShutDown() const { return Status::Shutdown("the client of " + peer() + " is shut down and sends nothing more; make another one"); }

  static milliseconds Until(Time deadline) {
    return std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now()));
  }

  Result<OtlpSendReport> Attempt(Signal signal, std::string_view request, milliseconds timeout, Time deadline, std::unique_lock<std::mutex>* lock) {
    Backoff backoff({.first = first_retry_, .longest = kLongestRetry}, [this] { return std::uniform_real_distribution<double>(0, 1)(random_); });
    for (int attempts = 1;; ++attempts) {
      lock->unlock();
      SendOutcome outcome = sender_->Send(signal, request, Until(deadline));
      lock->lock();
      if (outcome.taken()) return OtlpSendReport{outcome.rejected_items, std::move(outcome.message)};
      if (outcome.kind != SendOutcome::Kind::kRetryable) return Status::Server(peer() + ": " + outcome.message);
      const Time next = std::chrono::steady_clock::now() + backoff.Next(outcome.retry_after);
      if (next >= deadline) {
        return Status::Server(peer() + " took nothing within " + std::to_string(timeout.count()) + " ms, tried " + std::to_string(attempts) +
                                  (attempts == 1 ? " time: " : " times: ") + outcome.message,
                              true);
      }
      if (changed_.wait_until(*lock, next, [this] { return is_shut_down_; })) return ShutDown();
    }
  }

  const pid_t process_ = ::getpid();
  std::unique_ptr<OtlpSender> sender_;  // used by who has set is_sending_
  const Endpoint endpoint_;
  const milliseconds first_retry_;
  std::mt19937_64 random_{std::random_device{}()};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_sending_ = false;
  bool is_shut_down_ = false;
};

Result<std::optional<OtlpProtocol>> ReadProtocol(const std::string& name) {
  if (name.empty()) return std::optional<OtlpProtocol>();
  const auto protocol = ProtocolFromName(name);
  if (!protocol || *protocol == OtlpProtocol::kFlight) return Status::Config("protocol: '" + name + "' is unknown; allowed are grpc and http, or nothing for what the endpoint suggests");
  return protocol;
}

}  // namespace

Result<std::shared_ptr<OtlpClient>> OtlpClient::Make(OtlpClientOptions options) {
  OTLP_ASSIGN_OR_RETURN(const auto protocol, ReadProtocol(options.protocol));
  OTLP_ASSIGN_OR_RETURN(Endpoint endpoint, ParseEndpoint(options.endpoint, protocol));
  if (endpoint.protocol == OtlpProtocol::kFlight) endpoint.protocol = OtlpProtocol::kGrpc;  // only guessed, from the port
  endpoint.is_complete = options.endpoint_is_complete && endpoint.protocol == OtlpProtocol::kHttp;
  if (options.first_retry <= milliseconds(0)) {
    return Status::Config("first_retry is " + std::to_string(options.first_retry.count()) + " ms, and must be 1 ms or more");
  }
  SenderOptions sender_options;
  sender_options.endpoint = endpoint;
  if (options.gzip) sender_options.compression = RequestCompression::kGzip;
  sender_options.headers = std::move(options.headers);
  sender_options.tls = {.ca_file = options.ca_file, .cert_file = options.cert_file, .key_file = options.key_file, .server_name = options.server_name};
  OTLP_ASSIGN_OR_RETURN(auto sender, MakeSender(std::move(sender_options)));
  return std::shared_ptr<OtlpClient>(std::make_shared<RetryingClient>(std::move(sender), std::move(endpoint), options.first_retry));
}

}  // namespace otlp_arrow
