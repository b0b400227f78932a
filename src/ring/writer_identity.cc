#include "ring/writer_identity.h"

#include <chrono>
#include <string>
#include <thread>

namespace otlp_arrow::ring {
namespace {

constexpr auto kDictionaryPatience = std::chrono::seconds(2);
constexpr int kNumbersTried = 1000;  // of writers that hold the lock of a number that was not given out: a damaged header

}  // namespace

WriterIdentity::WriterIdentity(const platform::SharedFile* file, FileHeader* header) : file_(file), header_(header) {
  platform::JoinForks(this);
}

WriterIdentity::~WriterIdentity() { platform::LeaveForks(this); }

Result<uint32_t> WriterIdentity::Ensure() {
  std::lock_guard lock(mutex_);
  return EnsureLocked();
}

Result<uint32_t> WriterIdentity::EnsureLocked() {
  if (const uint32_t number = this->number()) return number;
  OTLP_ASSIGN_OR_RETURN(platform::RangeLocks locks, platform::RangeLocks::Open(*file_));
  for (int i = 0; i < kNumbersTried; ++i) {
    const uint32_t number = (header_->writers.fetch_add(1, std::memory_order_relaxed) + 1) & ~kNativeFile;
    if (number == 0 || number > kMaxWriterNumber) {
      return Status::Io("'" + file_->path() + "' has had " + std::to_string(kMaxWriterNumber) + " writers; move it away, so that a new one is created");
    }
    OTLP_ASSIGN_OR_RETURN(const bool locked, locks.TryLock(kFirstWriterLock + number));
    if (!locked) continue;
    locks_ = std::move(locks);
    number_.store(number, std::memory_order_relaxed);
    return number;
  }
  return Status::Io("'" + file_->path() + "': the numbers of its writers are all taken; is its header damaged? Move it away, so that a new one is created");
}

Result<WriterIdentity::DictionaryLock> WriterIdentity::LockDictionary() {
  std::unique_lock lock(mutex_);
  OTLP_RETURN_NOT_OK(EnsureLocked().status());
  const auto until = std::chrono::steady_clock::now() + kDictionaryPatience;
  for (auto pause = std::chrono::microseconds(20);; pause = std::min<std::chrono::microseconds>(pause * 2, std::chrono::milliseconds(5))) {
    OTLP_ASSIGN_OR_RETURN(const bool locked, locks_->TryLock(kDictionaryLock));
    if (locked) return DictionaryLock(std::move(lock), &*locks_);
    if (std::chrono::steady_clock::now() > until) {
      return Status::BufferFull("another process keeps the dictionary of '" + file_->path() + "' locked; is a writer of it stopped?");
    }
    std::this_thread::sleep_for(pause);
  }
}

WriterIdentity::DictionaryLock::~DictionaryLock() {
  if (locks_) locks_->Unlock(kDictionaryLock);
}

void WriterIdentity::PrepareFork() { mutex_.lock(); }

void WriterIdentity::FinishForkInParent() { mutex_.unlock(); }

// The descriptor behind the locks is closed already, and they stay with the parent.
void WriterIdentity::FinishForkInChild() {
  number_.store(0, std::memory_order_relaxed);
  locks_.reset();
  mutex_.unlock();
}

}  // namespace otlp_arrow::ring
