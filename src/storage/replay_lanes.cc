#include "storage/replay_lanes.h"

#include <utility>

namespace otlp_arrow {

void ReplayChunk::Add(const JournalRecord& record) {
  bytes_.append(record.request);
  ends_.push_back(bytes_.size());
  records_.push_back(record);
  records_.back().request = {};
}

Status ReplayChunk::ForEach(const std::function<Status(const JournalRecord&)>& visit) const {
  size_t begin = 0;
  for (size_t i = 0; i < records_.size(); ++i) {
    JournalRecord record = records_[i];
    record.request = std::string_view(bytes_).substr(begin, ends_[i] - begin);
    OTLP_RETURN_NOT_OK(visit(record));
    begin = ends_[i];
  }
  return Status::Ok();
}

ReplayLanes::ReplayLanes(size_t count, WriteChunk write) : write_(std::move(write)) {
  for (size_t lane = 0; lane < count; ++lane) threads_.emplace_back([this, lane] { Run(lane); });
}

ReplayLanes::~ReplayLanes() { (void)Finish(); }

Status ReplayLanes::Give(ReplayChunk chunk) {
  std::unique_lock lock(mutex_);
  taken_.wait(lock, [this] { return waiting_.size() < threads_.size() || !error_.ok(); });
  if (!error_.ok()) return error_;
  waiting_.push_back(std::move(chunk));
  given_.notify_one();
  return Status::Ok();
}

Status ReplayLanes::Finish() {
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
    given_.notify_all();
  }
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  return error_;
}

void ReplayLanes::Run(size_t lane) {
  std::unique_lock lock(mutex_);
  while (true) {
    given_.wait(lock, [this] { return !waiting_.empty() || finished_; });
    if (waiting_.empty()) return;
    const ReplayChunk chunk = std::move(waiting_.front());
    waiting_.pop_front();
    taken_.notify_one();
    if (!error_.ok()) continue;  // what is left stays in the journal
    lock.unlock();
    Status status = write_(lane, chunk);
    lock.lock();
    if (!status.ok() && error_.ok()) {
      error_ = std::move(status);
      taken_.notify_all();
    }
  }
}

}  // namespace otlp_arrow
