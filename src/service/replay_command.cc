#include <cstdio>
#include <random>

#include <unistd.h>

#include "query/stored_files.h"
#include "service/commands.h"
#include "service/human_text.h"
#include "service/replay_state.h"
#include "service/replayer.h"
#include "service/signal_watch.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

// One line that is overwritten on a terminal, a line now and then elsewhere.
class Progress {
 public:
  Progress(const Console& console, bool quiet, std::shared_ptr<Clock> clock)
      : console_(console),
        quiet_(quiet),
        is_terminal_(isatty(STDERR_FILENO) == 1),
        clock_(std::move(clock)),
        start_(clock_->SteadyNow()),
        last_(start_) {}

  void Show(const ReplayReport& report) {
    const auto now = clock_->SteadyNow();
    const auto interval = is_terminal_ ? milliseconds(100) : milliseconds(5000);
    if (quiet_ || now - last_ < interval) return;
    last_ = now;
    const std::string line = Line(report, now);
    if (!is_terminal_) {
      console_.err << line << std::endl;
    } else {
      console_.err << "\r\033[K" << line << std::flush;
      line_shown_ = true;
    }
  }

  // The same problem is told once, and its repetitions counted.
  void Problem(const std::string& text) {
    if (text == last_problem_) {
      ++repetitions_;
      return;
    }
    EndRepetitions();
    last_problem_ = text;
    console_.err << "otlp-arrow: " << text << std::endl;
  }

  void End() {
    EndRepetitions();
    Clear();
  }

 private:
  void EndRepetitions() {
    Clear();
    if (repetitions_ > 0) {
      console_.err << "otlp-arrow: (the same " << Counted(repetitions_, "more time") << ")" << std::endl;
    }
    repetitions_ = 0;
  }

  void Clear() {
    if (line_shown_) console_.err << "\r\033[K" << std::flush;
    line_shown_ = false;
  }

  std::string Line(const ReplayReport& report, Clock::SteadyTime now) const {
    constexpr int kBarWidth = 30;
    const int64_t done = report.earlier + report.left_out + report.sent + report.rejected + report.failed;
    const double part = report.total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(report.total);
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const auto filled = static_cast<size_t>(part * kBarWidth);
    char percent[16];
    std::snprintf(percent, sizeof(percent), " %3.0f %%  ", part * 100);
    const std::string bar =
        is_terminal_ ? "[" + std::string(filled, '=') + std::string(kBarWidth - filled, ' ') + "]" : "";
    return bar + percent + GroupedNumber(report.sent) + " sent, " +
           GroupedNumber(static_cast<int64_t>(static_cast<double>(report.sent) / seconds)) + "/s";
  }

  const Console& console_;
  bool quiet_;
  bool is_terminal_;
  bool line_shown_ = false;
  std::string last_problem_;
  int64_t repetitions_ = 0;
  std::shared_ptr<Clock> clock_;
  Clock::SteadyTime start_;
  Clock::SteadyTime last_;
};

void PrintReport(const ReplayReport& report, const ReplayOptions& options, const Console& console) {
  console.out << (options.dry_run ? "would send " : "sent ") << Counted(report.sent, "item") << " from "
              << Counted(report.files, "file") << " in " << Counted(report.requests, "request") << " ("
              << HumanBytes(report.bytes) << ") to " << options.sender.endpoint.ToString();
  if (report.earlier > 0) console.out << ", " << GroupedNumber(report.earlier) << " sent earlier";
  if (report.rejected > 0) console.out << ", " << GroupedNumber(report.rejected) << " rejected";
  if (report.failed > 0) console.out << ", " << GroupedNumber(report.failed) << " failed";
  if (report.left_out > 0) console.out << ", " << GroupedNumber(report.left_out) << " outside the wanted time";
  if (report.unsent() > 0) console.out << ", " << GroupedNumber(report.unsent()) << " not sent";
  console.out << std::endl;
}

int ExitCodeOf(const ReplayReport& report, int signal) {
  if (report.complete()) return kExitOk;
  ReplayReport so_far = report;
  so_far.stopped = false;
  if (!so_far.complete()) return kExitFailure;
  return signal == SIGTERM ? kExitOk : 128 + signal;
}

Result<std::vector<std::unique_ptr<OtlpSender>>> MakeSenders(const ReplayOptions& options) {
  std::vector<std::unique_ptr<OtlpSender>> senders;
  for (int i = 0; i < options.max_in_flight; ++i) {
    OTLP_ASSIGN_OR_RETURN(auto sender, MakeSender(options.sender));
    senders.push_back(std::move(sender));
  }
  return senders;
}

// What a resume file belongs to: positions in it count the rows that this takes.
std::string Identity(const ReplayOptions& options) {
  std::string text = options.sender.endpoint.ToString();
  for (const Signal s : options.signals) text += " " + std::string(SignalName(s));
  if (options.since) text += " since " + std::to_string(options.since->time_since_epoch().count());
  if (options.until) text += " until " + std::to_string(options.until->time_since_epoch().count());
  return text;
}

}  // namespace

int RunReplay(const ReplayOptions& options, const Console& console) {
  SignalWatch watch;
  auto files = FindStoredFiles(options.path);
  if (!files.ok()) return Report(files.status(), console);
  if (files->empty()) return Report(Status::Io("there are no .arrow or .parquet files in '" + options.path + "'"), console);
  auto senders = MakeSenders(options);
  if (!senders.ok()) return Report(senders.status(), console);
  std::unique_ptr<ReplayState> state;
  if (!options.resume_file.empty()) {
    auto opened = ReplayState::Open(options.resume_file, Identity(options), Clock::System());
    if (!opened.ok()) return Report(opened.status(), console);
    state = *std::move(opened);
  }
  std::vector<OtlpSender*> borrowed;
  for (const auto& s : *senders) borrowed.push_back(s.get());

  std::mt19937_64 engine(std::random_device{}());
  Progress progress(console, options.quiet, Clock::System());
  Replayer::Hooks hooks;
  hooks.clock = Clock::System();
  hooks.sleep = [&](milliseconds time) { return watch.SleepFor(time); };
  hooks.stopping = [&] { return watch.received() != 0; };
  hooks.random = [&] { return std::uniform_real_distribution<double>(0, 1)(engine); };
  hooks.on_progress = [&](const ReplayReport& report) { progress.Show(report); };
  hooks.on_problem = [&](const std::string& text) { progress.Problem(text); };
  const ReplayReport report = Replayer(options, borrowed, std::move(hooks), state.get()).Run(*files);
  progress.End();
  PrintReport(report, options, console);
  if (const Status status = state ? state->Close() : Status::Ok(); !status.ok()) return Report(status, console);
  return ExitCodeOf(report, watch.received());
}

}  // namespace otlp_arrow
