#include "service/replayer.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <arrow/record_batch.h>

#include "forward/backoff.h"
#include "query/row_filter.h"
#include "query/stored_files.h"
#include "schema/encode.h"
#include "service/human_text.h"

namespace otlp_arrow {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using Kind = SendOutcome::Kind;

// Rows that are turned into requests at a time, at least one full request's.
constexpr int64_t kMinRowsPerStep = 4096;

RowFilter FilterOf(const ReplayOptions& options) {
  RowFilter filter;
  if (options.since) filter.start = options.since->time_since_epoch().count();
  if (options.until) filter.end = options.until->time_since_epoch().count();
  return filter;
}

std::string Seconds(milliseconds time) {
  std::string text = std::to_string(time.count() / 1000) + "." + std::to_string(time.count() % 1000 / 100);
  return text + " s";
}

// The same wherever the directory is mounted.
std::string NameInState(const std::string& root, const std::string& path) {
  const std::string name = std::filesystem::path(path).lexically_relative(root).string();
  return name.empty() || name == "." ? std::filesystem::path(path).filename().string() : name;
}

}  // namespace

Replayer::Replayer(const ReplayOptions& options, std::vector<OtlpSender*> senders, Hooks hooks, ReplayState* state)
    : options_(options),
      hooks_(std::move(hooks)),
      state_(state),
      start_(hooks_.clock->SteadyNow()),
      pool_(std::move(senders), [this](OtlpSender* sender, const ReplayRequest& request) {
        return options_.dry_run ? SendOutcome() : SendUntilSettled(sender, request);
      }) {}

ReplayReport Replayer::Run(const std::vector<std::string>& files) {
  CountFiles(files);
  start_ = hooks_.clock->SteadyNow();
  for (const auto& f : files) {
    if (Done()) break;
    ReplayFile(f);
  }
  TakeAnswers(pool_.Finish());
  report_.stopped = is_stopped_;
  return report_;
}

bool Replayer::Wanted(Signal signal) const {
  return options_.signals.empty() ||
         std::find(options_.signals.begin(), options_.signals.end(), signal) != options_.signals.end();
}

// For progress; what is wrong with a file is told when it is its turn.
void Replayer::CountFiles(const std::vector<std::string>& files) {
  for (const auto& f : files) {
    auto file = StoredFile::Open(f);
    if (!file.ok() || !Wanted(file->signal())) continue;
    auto rows = file->CountRows();
    if (!rows.ok()) continue;
    report_.total += *rows;
    if (state_ != nullptr && state_->At(NameInState(options_.path, f)).is_done) report_.earlier += *rows;
  }
}

void Replayer::ReplayFile(const std::string& path) {
  bool is_whole = true;
  const auto damaged = [&](const Status& status) {
    is_whole = false;
    report_.damaged = true;
    Problem(path + ": " + status.message());
  };
  file_ = NameInState(options_.path, path);
  resume_ = state_ == nullptr ? ReplayPosition() : state_->At(file_);
  if (resume_.is_done) return;
  auto file = StoredFile::Open(path);
  if (!file.ok()) return damaged(file.status());
  if (!Wanted(file->signal())) return;
  ++report_.files;
  for (int i = 0; i < file->batch_count() && !Done(); ++i) {
    auto batch = file->ReadBatch(i);
    if (!batch.ok()) {
      damaged(batch.status());
      continue;
    }
    if (i < resume_.batch) {
      report_.earlier += (*batch)->num_rows();
      continue;
    }
    const Status status = ReplayBatch(file->signal(), i, *batch);
    if (!status.ok()) damaged(status);
  }
  if (is_whole && !Done()) AddPlace({.batch = 0, .row = 0, .is_done = true}, true);
}

Status Replayer::ReplayBatch(Signal signal, int index, const std::shared_ptr<arrow::RecordBatch>& batch) {
  OTLP_ASSIGN_OR_RETURN(const auto wanted, FilterRows(signal, FilterOf(options_), batch));
  report_.left_out += batch->num_rows() - wanted->num_rows();
  const EncodeOptions encoding{.max_items_per_request = options_.batch};
  // A multiple of the request size, so that only the last request of a batch is smaller.
  const int64_t step = options_.batch * std::max<int64_t>(1, kMinRowsPerStep / options_.batch);
  const int64_t first = index == resume_.batch ? std::min(resume_.row, wanted->num_rows()) : 0;
  report_.earlier += first;
  for (int64_t row = first; row < wanted->num_rows() && !Done(); row += step) {
    const auto rows = wanted->Slice(row, std::min(step, wanted->num_rows() - row));
    auto requests = EncodeOtlp(signal, *rows, encoding);
    if (!requests.ok()) {
      report_.failed += rows->num_rows();
      return requests.status();
    }
    int64_t end = row;
    for (EncodedRequest& r : *requests) {
      end += r.items;
      if (!Done()) AddRequest(signal, std::move(r.bytes), r.items, {.batch = index, .row = end, .is_done = false});
    }
  }
  return Status::Ok();
}

void Replayer::AddRequest(Signal signal, std::string bytes, int64_t items, ReplayPosition after) {
  Pace();
  if (is_stopped_) return;
  paced_items_ += items;
  const uint64_t number = first_place_ + places_.size();
  AddPlace(after, false);
  TakeAnswers(pool_.Add({number, signal, std::move(bytes), items}));
}

void Replayer::AddPlace(ReplayPosition after, bool is_settled) {
  places_.push_back({file_, after, is_settled});
  if (is_settled) Settle(first_place_ + places_.size() - 1);
}

void Replayer::TakeAnswers(std::vector<ReplayAnswer> answers) {
  for (const ReplayAnswer& a : answers) TakeAnswer(a);
}

void Replayer::TakeAnswer(const ReplayAnswer& answer) {
  const bool was_retryable = answer.outcome.kind == Kind::kRetryable;
  if (was_retryable && is_stopped_) return;  // these were not refused, only not sent
  if (Count(answer)) Settle(answer.request.number);
  ++report_.requests;
  report_.bytes += static_cast<int64_t>(answer.request.bytes.size());
  std::lock_guard lock(hooks_mutex_);
  hooks_.on_progress(report_);
}

bool Replayer::Count(const ReplayAnswer& answer) {
  const int64_t items = answer.request.items;
  const std::string what = Counted(items, std::string(ItemName(answer.request.signal)));
  const std::string& message = answer.outcome.message;
  switch (answer.outcome.kind) {
    case Kind::kTaken: {
      const int64_t rejected = std::min(answer.outcome.rejected_items, items);
      report_.sent += items - rejected;
      report_.rejected += rejected;
      if (rejected > 0) Problem("the peer left out " + std::to_string(rejected) + " of " + what + ": " + message);
      return true;
    }
    case Kind::kRefused:
      report_.failed += items;
      Problem("the peer refused " + what + ": " + message);
      return true;
    case Kind::kRetryable:
      Problem("gave up after " + Seconds(options_.retry_for) + ": " + message);
      break;
    case Kind::kUnusable:
      Problem("cannot send to " + options_.sender.endpoint.ToString() + ": " + message);
      break;
  }
  report_.failed += items;
  report_.gave_up = true;
  return false;
}

// Writes down how far everything is settled.
void Replayer::Settle(uint64_t number) {
  places_[number - first_place_].is_settled = true;
  for (; !places_.empty() && places_.front().is_settled; ++first_place_) {
    if (state_ != nullptr && !options_.dry_run) state_->OnSettled(places_.front().file, places_.front().after);
    places_.pop_front();
  }
}

SendOutcome Replayer::SendUntilSettled(OtlpSender* sender, const ReplayRequest& request) {
  const auto give_up_at = hooks_.clock->SteadyNow() + options_.retry_for;
  Backoff backoff(BackoffOptions(), [this] {
    std::lock_guard lock(hooks_mutex_);
    return hooks_.random();
  });
  for (;;) {
    SendOutcome outcome = sender->Send(request.signal, request.bytes, options_.timeout);
    if (outcome.kind == Kind::kUnusable) has_given_up_ = true;
    if (outcome.kind != Kind::kRetryable) return outcome;
    const milliseconds delay = backoff.Next(outcome.retry_after);
    if (has_given_up_ || hooks_.clock->SteadyNow() + delay > give_up_at) {
      has_given_up_ = true;  // the others need not wait as long again
      return outcome;
    }
    Problem(outcome.message + "; next attempt in " + Seconds(delay));
    if (hooks_.stopping() || !hooks_.sleep(delay)) {
      is_stopped_ = true;
      return outcome;
    }
  }
}

void Replayer::Problem(const std::string& text) {
  std::lock_guard lock(hooks_mutex_);
  hooks_.on_problem(text);
}

// Waits until what was sent so far fits the wanted rate.
void Replayer::Pace() {
  if (options_.items_per_second > 0) {
    const auto due = start_ + duration_cast<Clock::SteadyTime::duration>(
                                  std::chrono::duration<double>(static_cast<double>(paced_items_) / options_.items_per_second));
    const auto now = hooks_.clock->SteadyNow();
    if (due > now && !hooks_.sleep(std::chrono::ceil<milliseconds>(due - now))) is_stopped_ = true;
  }
  if (hooks_.stopping()) is_stopped_ = true;
}

}  // namespace otlp_arrow
