#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "otlp/scan.h"
#include "otlp_arrow/service.h"
#include "pipeline/pipeline.h"
#include "server/grpc/otlp_grpc_server.h"
#include "server/http/otlp_http_server.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

constexpr size_t kSlack = 64;  // readable bytes behind a request
constexpr milliseconds kStopTime{1000};

// What both servers put their requests into.
class ReceivedRequests {
 public:
  void Add(ReceivedRequest request) {
    std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    changed_.notify_all();
  }

  std::vector<ReceivedRequest> Take() {
    std::lock_guard lock(mutex_);
    return std::exchange(requests_, {});
  }

  void Wait(milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return stopped_ || !requests_.empty(); });
  }

  void Stop() {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

  void AnswerNext(uint64_t count, AcceptResult answer) {
    std::lock_guard lock(mutex_);
    to_refuse_ = count;
    answer_ = std::move(answer);
  }

  // False where the request is to be kept.
  bool Refuse(AcceptResult* answer) {
    std::lock_guard lock(mutex_);
    if (to_refuse_ == 0) return false;
    --to_refuse_;
    ++refused_;
    *answer = answer_;
    return true;
  }

  void CountRefused() {
    std::lock_guard lock(mutex_);
    ++refused_;
  }

  uint64_t refused() const {
    std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ReceivedRequest> requests_;
  AcceptResult answer_;
  uint64_t to_refuse_ = 0;
  uint64_t refused_ = 0;
  bool stopped_ = false;
};

// The door of one server. It keeps nothing of its own.
class MockPipeline final : public Pipeline {
 public:
  MockPipeline(std::string protocol, ReceivedRequests* received) : protocol_(std::move(protocol)), received_(received) {}

  void Accept(Signal signal, SharedBytes bytes, AcceptCallback done) override {
    AcceptResult answer;
    if (!received_->Refuse(&answer)) answer = Keep(signal, bytes.data);
    done(std::move(answer));
  }

  WritableBytes Allocate(size_t size) override {
    std::shared_ptr<void> owner(std::calloc(size + kSlack, 1), std::free);
    char* data = static_cast<char*>(owner.get());
    return {std::move(owner), data, size};
  }

  void CountRefused(Signal, int64_t, std::string_view) override { received_->CountRefused(); }
  Status Flush(milliseconds) override { return Status::Ok(); }
  Status Shutdown(milliseconds) override { return Status::Ok(); }
  bool Ready(std::string*) const override { return true; }
  Ledger GetLedger() const override { return {}; }
  uint64_t QueuedBytes() const override { return 0; }

 private:
  AcceptResult Keep(Signal signal, std::string_view bytes) {
    AcceptResult answer;
    const ScanResult scan = ScanOtlp(signal, bytes);
    if (!scan.ok) {
      received_->CountRefused();
      answer.status = Status::Export("malformed request: " + scan.error);
      return answer;
    }
    answer.accepted_items = scan.items;
    answer.rejected_items = scan.rejected_items;
    if (scan.rejected_items > 0) answer.rejected_reason = ItemFaultMessage(scan.fault);
    received_->Add({signal, protocol_, std::string(bytes)});
    return answer;
  }

  std::string protocol_;
  ReceivedRequests* received_;
};

AcceptResult ResultOf(MockAnswer answer, const std::string& message) {
  AcceptResult result;
  switch (answer) {
    case MockAnswer::kUnavailable:
      result.status = Status::Io(message, true);
      result.retry_after = milliseconds(1);
      break;
    case MockAnswer::kOverloaded:
      result.status = Status::BufferFull(message);
      result.retry_after = milliseconds(1);
      break;
    case MockAnswer::kRefused: result.status = Status::Export(message); break;
  }
  return result;
}

class Server final : public MockOtlpServer {
 public:
  Server() : grpc_pipeline_("grpc", &received_), http_pipeline_("http", &received_) {}
  ~Server() override { Stop(); }

  Status Listen(const MockServerOptions& options) {
    if (options.grpc.enabled) {
      Config config;
      config.grpc = options.grpc;
      OTLP_ASSIGN_OR_RETURN(grpc_, OtlpGrpcServer::Start(config, &grpc_pipeline_));
    }
    if (options.http.enabled) {
      Config config;
      config.http = options.http;
      OTLP_ASSIGN_OR_RETURN(http_, OtlpHttpServer::Start(config, &http_pipeline_));
    }
    return Status::Ok();
  }

  std::string grpc_address() const override { return grpc_ ? grpc_->address() : ""; }
  std::string http_address() const override { return http_ ? http_->address() : ""; }
  void AnswerNext(uint64_t count, MockAnswer answer, const std::string& message) override {
    received_.AnswerNext(count, ResultOf(answer, message));
  }
  uint64_t refused_requests() const override { return received_.refused(); }
  std::vector<ReceivedRequest> TakeRequests() override { return received_.Take(); }
  void WaitForRequests(milliseconds timeout) override { received_.Wait(timeout); }

  void Stop() override {
    if (http_) http_->Shutdown(kStopTime);
    if (grpc_) grpc_->Shutdown(kStopTime);
    received_.Stop();
  }

 private:
  ReceivedRequests received_;
  MockPipeline grpc_pipeline_;
  MockPipeline http_pipeline_;
  // They hold pointers to the pipelines and go first.
  std::unique_ptr<OtlpGrpcServer> grpc_;
  std::unique_ptr<OtlpHttpServer> http_;
};

}  // namespace

Result<std::unique_ptr<MockOtlpServer>> MockOtlpServer::Start(const MockServerOptions& options) {
  auto server = std::make_unique<Server>();
  OTLP_RETURN_NOT_OK(server->Listen(options));
  return std::unique_ptr<MockOtlpServer>(std::move(server));
}

}  // namespace otlp_arrow
