// The file that `otlp-arrow replay --resume-file` keeps: what is settled, so that a later replay goes on there.
//
// Lines of text: "otlp-arrow replay 1", "options <what is replayed where>", then "done <file>" for each file that is through and
// "at <batch> <row> <file>" for those that are not; the last line of a file counts, and a line without its end does not.
#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Up to where the items of a file are settled: rows of a batch are counted behind the filter.
struct ReplayPosition {
  int batch = 0;
  int64_t row = 0;
  bool is_done = false;
};

class ReplayState {
 public:
  // Makes the file, or reads it. Errors: kConfig where it is no such file or was written with other options; kIo.
  static Result<std::unique_ptr<ReplayState>> Open(const std::string& path, const std::string& options, std::shared_ptr<Clock> clock);

  ReplayPosition At(const std::string& file) const;
  // Writes now and then; whatever is not written yet is sent again after a crash.
  void OnSettled(const std::string& file, ReplayPosition position);
  // Writes what is left. Errors: kIo: at this or an earlier time.
  Status Close();

 private:
  ReplayState(std::string path, std::shared_ptr<Clock> clock) : path_(std::move(path)), clock_(std::move(clock)) {}
  Status Read(const std::string& options);
  bool ReadLine(const std::string& line);
  void Write(const std::string& file);
  static std::string LineOf(const std::string& file, const ReplayPosition& position);

  const std::string path_;
  const std::shared_ptr<Clock> clock_;
  std::map<std::string, ReplayPosition> files_;
  std::ofstream out_;
  std::string unwritten_;  // the file whose position moved since the last line
  Clock::SteadyTime last_write_{};
};

}  // namespace otlp_arrow
