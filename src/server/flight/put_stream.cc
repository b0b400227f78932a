#include "server/flight/put_stream.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/record_batch.h>

#include "base/json_writer.h"
#include "server/flight/flight_status.h"

namespace otlp_arrow {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kShortestPause{10};
constexpr std::chrono::milliseconds kLongestPause{500};

std::string_view RefusedReason(const Status& status) { return status.message().find("max_batch_bytes") != std::string::npos ? "too_large" : "malformed"; }

}  // namespace

PutStream::PutStream(Environment environment, const arrow::flight::ServerCallContext* context, PutRows rows, bool acknowledge_each)
    : environment_(environment), context_(context), rows_(std::move(rows)), acknowledge_each_(acknowledge_each) {}

arrow::Status PutStream::Run(arrow::flight::FlightMessageReader* reader, arrow::flight::FlightMetadataWriter* writer) {
  for (int64_t batch = 0;;) {
    ARROW_ASSIGN_OR_RAISE(const auto chunk, reader->Next());
    if (!chunk.data && !chunk.app_metadata) return acknowledge_each_ ? arrow::Status::OK() : Acknowledge(writer, batch);
    if (!chunk.data) continue;
    if (*environment_.stopping) return FlightUnavailable("the server is shutting down; send what is not acknowledged again, to another one or later");
    ARROW_RETURN_NOT_OK(Take(*chunk.data));
    ++batch;
    if (!acknowledge_each_) continue;
    ARROW_RETURN_NOT_OK(Acknowledge(writer, batch - 1));
    accepted_ = rejected_ = 0;
    rejected_reason_.clear();
  }
}

arrow::Status PutStream::Take(const arrow::RecordBatch& batch) {
  auto requests = rows_.Encode(batch);
  if (!requests.ok()) {
    environment_.pipeline->CountRefused(rows_.signal(), batch.num_rows(), RefusedReason(requests.status()));
    return ToFlightStatus(requests.status());
  }
  int64_t kept = 0;
  for (auto& request : *requests) {
    const AcceptResult result = Accept(std::exchange(request.bytes, {}));
    if (!result.status.ok()) {
      std::string message = result.status.message();
      if (kept > 0) message += "; the first " + std::to_string(kept) + " rows of the batch are kept";
      return ToFlightStatus({result.status.code(), std::move(message), result.status.retryable()});
    }
    kept += request.items;
    accepted_ += result.accepted_items;
    rejected_ += result.rejected_items;
    if (!result.rejected_reason.empty()) rejected_reason_ = result.rejected_reason;
  }
  return arrow::Status::OK();
}

AcceptResult PutStream::Accept(std::string request) {
  const SharedBytes bytes = SharedBytes::Take(std::move(request));
  const auto deadline = SteadyClock::now() + environment_.patience;
  for (auto pause = kShortestPause;; pause = std::min(pause * 2, kLongestPause)) {
    AcceptResult result = environment_.pipeline->AcceptAndWait(rows_.signal(), bytes);
    const bool try_again = result.status.code() == StatusCode::kExport && result.status.retryable();
    if (!try_again || IsOver() || SteadyClock::now() + pause > deadline) return result;
    std::this_thread::sleep_for(pause);
  }
}

arrow::Status PutStream::Acknowledge(arrow::flight::FlightMetadataWriter* writer, int64_t batch) const {
  JsonWriter text;
  text.BeginObject().Key(acknowledge_each_ ? "batch" : "batches").Number(batch).Key("accepted").Number(accepted_);
  text.Key("rejected").Number(rejected_);
  if (rejected_ > 0) text.Key("reason").Text(rejected_reason_);
  text.EndObject();
  return writer->WriteMetadata(*arrow::Buffer::FromString(text.json()));
}

}  // namespace otlp_arrow
