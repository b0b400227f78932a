// Several threads that turn the requests of one journal into files. Each file holds adjoining requests of one signal, so
// that its name says what it holds, whichever of them are finished when the process dies.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "storage/journal.h"

namespace otlp_arrow {

// Requests of one signal with no other of that signal between them; what becomes a file.
class ReplayChunk {
 public:
  explicit ReplayChunk(Signal signal) : signal_(signal) {}

  // Copies the request.
  void Add(const JournalRecord& record);
  // Calls `visit` for each record in order, until one fails.
  Status ForEach(const std::function<Status(const JournalRecord&)>& visit) const;

  Signal signal() const { return signal_; }
  bool empty() const { return records_.empty(); }
  size_t byte_size() const { return bytes_.size(); }
  uint64_t last_sequence() const { return records_.back().sequence; }

 private:
  Signal signal_;
  std::vector<JournalRecord> records_;  // their `request` is not set
  std::vector<size_t> ends_;            // of the requests in bytes_
  std::string bytes_;
};

class ReplayLanes {
 public:
  // Writes a chunk; called on the thread of the lane (0 to count - 1), one at a time for each lane.
  using WriteChunk = std::function<Status(size_t lane, const ReplayChunk&)>;

  ReplayLanes(size_t count, WriteChunk write);
  ~ReplayLanes();

  // Gives a chunk to the next free lane, waiting while two for each lane are under way. After an error of any chunk
  // this returns it and takes no more.
  Status Give(ReplayChunk chunk);
  // Waits for all; the first error, if any.
  Status Finish();

 private:
  void Run(size_t lane);

  const WriteChunk write_;
  std::mutex mutex_;
  std::condition_variable given_, taken_;
  std::deque<ReplayChunk> waiting_;
  Status error_;
  bool finished_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace otlp_arrow
