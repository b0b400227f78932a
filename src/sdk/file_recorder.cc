#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/platform/fork.h"
#include "base/platform/platform.h"
#include "otlp_arrow/sdk/recorder.h"

namespace otlp_arrow::sdk {
namespace {

constexpr std::string_view kProcess = "{pid}";

class FileRecorder final : public Recorder, private platform::ForkParticipant {
 public:
  explicit FileRecorder(const FileRecorderOptions& options) : options_(options), process_(platform::ProcessId()) { platform::JoinForks(this); }
  ~FileRecorder() override { platform::LeaveForks(this); }

  // Opened without a lock: the ring joins forks itself. Where two threads open it, the second goes in vain.
  Result<ring::RingWriter*> Writer() override {
    {
      std::lock_guard lock(mutex_);
      if (is_shut_down()) return Status::Shutdown("the recorder of '" + options_.path + "' is shut down");
      if (current_) return current_;
    }
    OTLP_ASSIGN_OR_RETURN(auto writer, ring::RingWriter::Open(PathOf(process_), options_.ring));
    std::lock_guard lock(mutex_);
    if (!current_) {
      current_ = writer.get();
      writers_.push_back(std::move(writer));
    }
    return current_;
  }

  // Whatever is recorded is in the file.
  Status ForceFlush(std::chrono::milliseconds) override {
    if (is_shut_down()) return Status::Shutdown("the recorder of '" + options_.path + "' is shut down");
    return Status::Ok();
  }

  Status Shutdown(std::chrono::milliseconds) override {
    shut_down_.store(true, std::memory_order_release);
    return Status::Ok();
  }

 private:
  bool is_per_process() const { return options_.path.find(kProcess) != std::string::npos; }
  std::string PathOf(int process) const {
    std::string path = options_.path;
    for (size_t at = path.find(kProcess); at != std::string::npos; at = path.find(kProcess, at)) {
      path.replace(at, kProcess.size(), std::to_string(process));
    }
    return path;
  }

  void PrepareFork() override { mutex_.lock(); }
  void FinishForkInParent() override { mutex_.unlock(); }
  void FinishForkInChild() override {
    process_ = platform::ProcessId();
    epoch_.fetch_add(1, std::memory_order_release);
    if (is_per_process()) current_ = nullptr;
    mutex_.unlock();
  }

  const FileRecorderOptions options_;
  std::mutex mutex_;
  int process_;
  ring::RingWriter* current_ = nullptr;
  std::vector<std::unique_ptr<ring::RingWriter>> writers_;  // those of parents too: bindings of spans point to them
};

}  // namespace

Result<std::shared_ptr<Recorder>> OpenFileRecorder(const FileRecorderOptions& options) {
  if (options.path.empty()) return Status::Config("path: the name of a ring file is missing");
  OTLP_RETURN_NOT_OK(ring::Validate(options.ring));
  auto recorder = std::make_shared<FileRecorder>(options);
  OTLP_RETURN_NOT_OK(recorder->Writer().status());
  return std::shared_ptr<Recorder>(std::move(recorder));
}

}  // namespace otlp_arrow::sdk
