#include "service/replayer.h"

#include <algorithm>
#include <utility>

#include <arrow/record_batch.h>

#include "query/row_filter.h"
#include "query/stored_files.h"
#include "schema/encode.h"
#include "service/human_text.h"

namespace otlp_arrow {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

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

}  // namespace

Replayer::Replayer(const ReplayOptions& options, OtlpSender* sender, Hooks hooks)
    : options_(options),
      sender_(sender),
      hooks_(std::move(hooks)),
      backoff_(BackoffOptions(), hooks_.random),
      start_(hooks_.clock->SteadyNow()) {}

ReplayReport Replayer::Run(const std::vector<std::string>& files) {
  CountFiles(files);
  start_ = hooks_.clock->SteadyNow();
  for (const auto& f : files) {
    if (Done()) break;
    ReplayFile(f);
  }
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
    if (rows.ok()) report_.total += *rows;
  }
}

void Replayer::ReplayFile(const std::string& path) {
  const auto damaged = [&](const Status& status) {
    report_.damaged = true;
    hooks_.on_problem(path + ": " + status.message());
  };
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
    const Status status = ReplayBatch(file->signal(), *batch);
    if (!status.ok()) damaged(status);
  }
}

Status Replayer::ReplayBatch(Signal signal, const std::shared_ptr<arrow::RecordBatch>& batch) {
  OTLP_ASSIGN_OR_RETURN(const auto wanted, FilterRows(signal, FilterOf(options_), batch));
  report_.left_out += batch->num_rows() - wanted->num_rows();
  const EncodeOptions encoding{.max_items_per_request = options_.batch};
  // A multiple of the request size, so that only the last request of a batch is smaller.
  const int64_t step = options_.batch * std::max<int64_t>(1, kMinRowsPerStep / options_.batch);
  for (int64_t row = 0; row < wanted->num_rows() && !Done(); row += step) {
    const auto rows = wanted->Slice(row, std::min(step, wanted->num_rows() - row));
    auto requests = EncodeOtlp(signal, *rows, encoding);
    if (!requests.ok()) {
      report_.failed += rows->num_rows();
      return requests.status();
    }
    for (const EncodedRequest& r : *requests) {
      if (!Done()) SendRequest(signal, r.bytes, r.items);
    }
  }
  return Status::Ok();
}

void Replayer::SendRequest(Signal signal, const std::string& bytes, int64_t items) {
  Pace();
  if (report_.stopped) return;
  const SendOutcome outcome = options_.dry_run ? SendOutcome() : SendUntilSettled(signal, bytes);
  const std::string what = Counted(items, std::string(ItemName(signal)));
  switch (outcome.kind) {
    case SendOutcome::Kind::kTaken: {
      const int64_t rejected = std::min(outcome.rejected_items, items);
      report_.sent += items - rejected;
      report_.rejected += rejected;
      if (rejected > 0) {
        hooks_.on_problem("the peer left out " + std::to_string(rejected) + " of " + what + ": " + outcome.message);
      }
      break;
    }
    case SendOutcome::Kind::kRetryable:
      if (report_.stopped) return;  // these were not refused, only not sent
      report_.failed += items;
      report_.gave_up = true;
      hooks_.on_problem("gave up after " + Seconds(options_.retry_for) + ": " + outcome.message);
      break;
    case SendOutcome::Kind::kRefused:
      report_.failed += items;
      hooks_.on_problem("the peer refused " + what + ": " + outcome.message);
      break;
    case SendOutcome::Kind::kUnusable:
      report_.failed += items;
      report_.gave_up = true;
      hooks_.on_problem("cannot send to " + options_.sender.endpoint.ToString() + ": " + outcome.message);
      break;
  }
  ++report_.requests;
  report_.bytes += static_cast<int64_t>(bytes.size());
  hooks_.on_progress(report_);
}

SendOutcome Replayer::SendUntilSettled(Signal signal, const std::string& bytes) {
  const auto give_up_at = hooks_.clock->SteadyNow() + options_.retry_for;
  backoff_.Reset();
  for (;;) {
    SendOutcome outcome = sender_->Send(signal, bytes, options_.timeout);
    if (outcome.kind != SendOutcome::Kind::kRetryable) return outcome;
    const milliseconds delay = backoff_.Next(outcome.retry_after);
    if (hooks_.clock->SteadyNow() + delay > give_up_at) return outcome;
    hooks_.on_problem(outcome.message + "; next attempt in " + Seconds(delay));
    if (hooks_.stopping() || !hooks_.sleep(delay)) {
      report_.stopped = true;
      return outcome;
    }
  }
}

// Waits until what was sent so far fits the wanted rate.
void Replayer::Pace() {
  if (options_.items_per_second > 0) {
    const int64_t items = report_.sent + report_.rejected + report_.failed;
    const auto due = start_ + duration_cast<Clock::SteadyTime::duration>(std::chrono::duration<double>(
                                  static_cast<double>(items) / options_.items_per_second));
    const auto now = hooks_.clock->SteadyNow();
    if (due > now && !hooks_.sleep(std::chrono::ceil<milliseconds>(due - now))) report_.stopped = true;
  }
  if (hooks_.stopping()) report_.stopped = true;
}

}  // namespace otlp_arrow
