#include "service/replay_state.h"

#include <cerrno>
#include <cstring>
#include <sstream>

#include "base/platform/platform.h"

namespace otlp_arrow {
namespace {

constexpr std::string_view kFirstLine = "otlp-arrow replay 1";
constexpr std::string_view kOptions = "options ";
constexpr std::string_view kDone = "done ";
constexpr std::string_view kAt = "at ";
constexpr std::chrono::milliseconds kWriteInterval{100};
constexpr size_t kLargestFile = size_t{1} << 30;

}  // namespace

Result<std::unique_ptr<ReplayState>> ReplayState::Open(const std::string& path, const std::string& options, std::shared_ptr<Clock> clock) {
  std::unique_ptr<ReplayState> state(new ReplayState(path, std::move(clock)));
  if (platform::Exists(path)) OTLP_RETURN_NOT_OK(state->Read(options));
  // Anew, without what later lines replaced and what a crash left of the last one.
  std::string text = std::string(kFirstLine) + "\n" + std::string(kOptions) + options + "\n";
  for (const auto& [file, position] : state->files_) text += LineOf(file, position);
  OTLP_RETURN_NOT_OK(platform::ReplaceFile(path, text, true));
  state->out_.open(path, std::ios::binary | std::ios::app);
  if (!state->out_) return Status::Io("cannot write '" + path + "': " + std::strerror(errno));
  return state;
}

Status ReplayState::Read(const std::string& options) {
  OTLP_ASSIGN_OR_RETURN(std::string text, platform::ReadFile(path_, kLargestFile));
  text.resize(text.rfind('\n') + 1);  // npos + 1 is 0
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line) || line != kFirstLine) {
    return Status::Config("--resume-file: '" + path_ + "' is there and no file of a replay; name another one");
  }
  if (!std::getline(lines, line) || line != std::string(kOptions) + options) {
    return Status::Config("--resume-file: '" + path_ + "' belongs to a replay with other options (" + line.substr(std::min(line.size(), kOptions.size())) +
                          "; now " + options + "); name another file, delete it, or use the same options, with times that are not relative");
  }
  while (std::getline(lines, line)) {
    if (!ReadLine(line)) return Status::Config("--resume-file: '" + path_ + "' is damaged at the line '" + line + "'; delete it to send everything again");
  }
  return Status::Ok();
}

bool ReplayState::ReadLine(const std::string& line) {
  if (line.starts_with(kDone)) {
    files_[line.substr(kDone.size())] = {.batch = 0, .row = 0, .is_done = true};
    return true;
  }
  if (!line.starts_with(kAt)) return false;
  std::istringstream parts(line.substr(kAt.size()));
  ReplayPosition position;
  if (!(parts >> position.batch >> position.row) || position.batch < 0 || position.row < 0 || parts.get() != ' ') return false;
  std::string file;
  std::getline(parts, file);
  files_[file] = position;
  return !file.empty();
}

ReplayPosition ReplayState::At(const std::string& file) const {
  const auto found = files_.find(file);
  return found == files_.end() ? ReplayPosition() : found->second;
}

void ReplayState::OnSettled(const std::string& file, ReplayPosition position) {
  if (!unwritten_.empty() && unwritten_ != file) Write(unwritten_);
  files_[file] = position;
  unwritten_ = file;
  if (position.is_done || clock_->SteadyNow() - last_write_ >= kWriteInterval) Write(file);
}

std::string ReplayState::LineOf(const std::string& file, const ReplayPosition& position) {
  if (position.is_done) return std::string(kDone) + file + "\n";
  return std::string(kAt) + std::to_string(position.batch) + " " + std::to_string(position.row) + " " + file + "\n";
}

void ReplayState::Write(const std::string& file) {
  out_ << LineOf(file, files_[file]) << std::flush;
  unwritten_.clear();
  last_write_ = clock_->SteadyNow();
}

Status ReplayState::Close() {
  if (!unwritten_.empty()) Write(unwritten_);
  out_.close();
  return out_ ? Status::Ok() : Status::Io("cannot write '" + path_ + "'; a later replay sends more than is needed again");
}

}  // namespace otlp_arrow
