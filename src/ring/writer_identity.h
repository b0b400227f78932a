// A producer process's place among the writers of a file: its number, and the lock that says that it lives.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/platform/fork.h"
#include "base/platform/shared_file.h"
#include "otlp_arrow/status.h"
#include "ring/layout.h"

namespace otlp_arrow::ring {

// Any thread. After a fork the child has no number until it asks for one.
class WriterIdentity final : private platform::ForkParticipant {
 public:
  // Both outlive it.
  WriterIdentity(const platform::SharedFile* file, FileHeader* header);
  ~WriterIdentity() override;

  // 0: none yet, or forked since.
  uint32_t number() const { return number_.load(std::memory_order_relaxed); }
  // The number; takes one where there is none.
  Result<uint32_t> Ensure();

  // Keeps others out of the dictionary, threads and processes, while it lives.
  class DictionaryLock {
   public:
    ~DictionaryLock();
    DictionaryLock(DictionaryLock&& other) noexcept : mutex_(std::move(other.mutex_)), locks_(std::exchange(other.locks_, nullptr)) {}

   private:
    friend class WriterIdentity;
    DictionaryLock(std::unique_lock<std::mutex> mutex, platform::RangeLocks* locks) : mutex_(std::move(mutex)), locks_(locks) {}
    std::unique_lock<std::mutex> mutex_;
    platform::RangeLocks* locks_;
  };
  // Errors: kExport, retryable: another process held it for seconds (it may be stopped).
  Result<DictionaryLock> LockDictionary();

 private:
  void PrepareFork() override;
  void FinishForkInParent() override;
  void FinishForkInChild() override;
  Result<uint32_t> EnsureLocked();

  const platform::SharedFile* file_;
  FileHeader* header_;
  std::mutex mutex_;
  std::optional<platform::RangeLocks> locks_;
  std::atomic<uint32_t> number_{0};
};

}  // namespace otlp_arrow::ring
