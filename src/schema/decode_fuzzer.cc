// Any bytes through the decoders; the first byte selects the signal. What the scan accepts must come back from the
// tables as a request that the scan accepts, with the same items, and stay the same from there on.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <arrow/record_batch.h>

#include "otlp/scan.h"
#include "schema/decode.h"
#include "schema/encode.h"

namespace otlp_arrow {
namespace {

void Require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "violated: %s\n", what.c_str());
  std::abort();
}

const std::vector<PromotedAttribute>& Promoted() {
  using Type = PromotedAttribute::Type;
  static const std::vector<PromotedAttribute> promoted = {
      {"http.route", Type::kString}, {"hits", Type::kInt64}, {"ratio", Type::kDouble}, {"flag", Type::kBool}};
  return promoted;
}

// Decodes and encodes again; returns the one request that comes out ("" without items).
std::string RoundTrip(Signal signal, std::string_view request, const ScanResult& scan) {
  std::string encoded;
  int64_t items = 0;
  int64_t rows = 0;
  auto decoder = TableDecoder::Make(signal, Promoted(), [&](const std::shared_ptr<arrow::RecordBatch>& batch) {
    const arrow::Status valid = batch->ValidateFull();
    Require(valid.ok(), valid.ToString());
    rows += batch->num_rows();
    EncodeOptions options;
    options.max_items_per_request = INT64_MAX;
    options.max_bytes_per_request = SIZE_MAX;
    auto requests = EncodeOtlp(signal, *batch, options);
    Require(requests.ok(), requests.status().ToString());
    for (const EncodedRequest& r : *requests) {
      const ScanResult again = ScanOtlp(signal, r.bytes);
      Require(again.ok, again.error);
      Require(again.items == r.items && again.rejected_items == 0, "the encoded request has the items that it says");
      items += r.items;
      encoded += r.bytes;  // requests of a signal put together are one request
    }
    return Status::Ok();
  });
  int64_t appended = 0;
  Require(decoder->Append(request, scan.rejected_items > 0, &appended).ok(), "decoding succeeds");
  Require(decoder->Flush().ok(), "flushing succeeds");
  Require(appended == scan.items, "as many items decoded as scanned");
  Require(rows == scan.items && items == scan.items, "as many rows and encoded items as scanned");
  return encoded;
}

void DecodeUnscanned(Signal signal, std::string_view bytes) {
  for (bool has_rejected_items : {false, true}) {
    auto decoder = TableDecoder::Make(signal, Promoted(), [](const std::shared_ptr<arrow::RecordBatch>& batch) {
      const arrow::Status valid = batch->Validate();  // texts may be any bytes here
      Require(valid.ok(), valid.ToString());
      return Status::Ok();
    });
    int64_t items = 0;
    (void)decoder->Append(bytes, has_rejected_items, &items);
    (void)decoder->Flush();
  }
}

}  // namespace
}  // namespace otlp_arrow

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace otlp_arrow;  // NOLINT
  if (size == 0) return 0;
  const auto signal = static_cast<Signal>(data[0] % kSignalCount);
  const std::string_view request(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ScanResult scan = ScanOtlp(signal, request);
  if (!scan.ok) {
    DecodeUnscanned(signal, request);
    return 0;
  }
  const std::string once = RoundTrip(signal, request, scan);
  const std::string twice = RoundTrip(signal, once, ScanOtlp(signal, once));
  Require(once == twice, "encoded bytes come back the same");
  return 0;
}
