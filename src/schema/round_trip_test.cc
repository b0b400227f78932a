// OTLP into tables, through a file on disk, and back into OTLP: equal to the reference implementation's reading of both.
#include <bit>
#include <cmath>
#include <filesystem>
#include <functional>
#include <optional>

#include <arrow/api.h>
#include <arrow/device.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "otlp/scan.h"
#include "plain_batch.h"
#include "random_otlp.h"
#include "reference_otlp.h"
#include "schema/decode.h"
#include "schema/encode.h"

namespace otlp_arrow {
namespace {

using testing::Canonicalize;
using testing::Difference;
using testing::LogsRequest;
using testing::MetricsRequest;
using testing::ParseDeep;
using testing::PlainBatch;
using testing::PlainOptions;
using testing::RandomOtlp;
using testing::TraceRequest;

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

const std::vector<PromotedAttribute>& Promoted() {
  using Type = PromotedAttribute::Type;
  static const std::vector<PromotedAttribute> promoted = {{"http.route", Type::kString}, {"hits", Type::kInt64}, {"ratio", Type::kDouble},
                                                          {"flag", Type::kBool}, {"k", Type::kString}};
  return promoted;
}

class RoundTrip : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::temp_directory_path() / ("round_trip_" + std::to_string(::getpid()) + ".arrow")).string();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  // Through an Arrow IPC file.
  Batches ThroughFile(const Batches& batches, Signal signal) {
    auto schema = TableSchema(signal, Promoted());
    auto file = arrow::io::FileOutputStream::Open(path_).ValueOrDie();
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.unify_dictionaries = true;
    auto table = arrow::Table::FromRecordBatches(schema, batches).ValueOrDie();
    auto writer = arrow::ipc::MakeFileWriter(file, schema, options).ValueOrDie();
    EXPECT_TRUE(writer->WriteTable(*table).ok());
    EXPECT_TRUE(writer->Close().ok() && file->Close().ok());
    auto input = arrow::io::ReadableFile::Open(path_).ValueOrDie();
    auto reader = arrow::ipc::RecordBatchFileReader::Open(input).ValueOrDie();
    EXPECT_EQ(SignalOfSchema(*reader->schema()), signal);
    Batches read;
    for (int i = 0; i < reader->num_record_batches(); ++i) {
      read.push_back(reader->ReadRecordBatch(i).ValueOrDie());
      EXPECT_TRUE(read.back()->ValidateFull().ok()) << read.back()->ValidateFull();
    }
    return read;
  }

  std::string path_;
};

template <class Request>
constexpr Signal SignalOf() {
  if (std::is_same_v<Request, TraceRequest>) return Signal::kTraces;
  return std::is_same_v<Request, MetricsRequest> ? Signal::kMetrics : Signal::kLogs;
}

// The requests of all batches as one message; also counts items and scans each.
template <class Request>
Request EncodeAll(const Batches& batches, const EncodeOptions& options = {}) {
  Request whole;
  for (const auto& batch : batches) {
    auto requests = EncodeOtlp(SignalOf<Request>(), *batch, options);
    EXPECT_TRUE(requests.ok()) << requests.status().ToString();
    if (!requests.ok()) continue;
    int64_t items = 0;
    for (const EncodedRequest& request : *requests) {
      const ScanResult scan = ScanOtlp(SignalOf<Request>(), request.bytes);
      EXPECT_TRUE(scan.ok) << scan.error;
      EXPECT_EQ(scan.items, request.items);
      EXPECT_LE(request.items, options.max_items_per_request);
      items += request.items;
      Request part;
      EXPECT_TRUE(ParseDeep(request.bytes, &part));
      whole.MergeFrom(part);
    }
    EXPECT_EQ(items, batch->num_rows());
  }
  return whole;
}

Batches Decode(Signal signal, const std::string& bytes) {
  const ScanResult scan = ScanOtlp(signal, bytes);
  EXPECT_TRUE(scan.ok) << scan.error;
  EXPECT_EQ(scan.rejected_items, 0) << ItemFaultMessage(scan.fault);
  auto batches = DecodeOtlp(signal, bytes, Promoted());
  EXPECT_TRUE(batches.ok()) << batches.status().ToString();
  int64_t rows = 0;
  for (const auto& batch : *batches) {
    EXPECT_TRUE(batch->ValidateFull().ok()) << batch->ValidateFull();
    EXPECT_TRUE(batch->schema()->Equals(*TableSchema(signal, Promoted()))) << batch->schema()->ToString();
    rows += batch->num_rows();
  }
  EXPECT_EQ(rows, scan.items);
  return *batches;
}

template <class Request>
Request Canonical(Request request) {
  Canonicalize(&request);
  return request;
}

template <class Request>
void CheckRoundTrip(const Request& sent, const std::function<Batches(const Batches&)>& through_file) {
  constexpr Signal kSignal = SignalOf<Request>();
  const Batches decoded = Decode(kSignal, sent.SerializeAsString());
  const Batches stored = through_file(decoded);
  const Request received = EncodeAll<Request>(stored);
  const Request wanted = Canonical(sent);
  ASSERT_EQ(Difference(wanted, Canonical(received)), "");

  // What the encoder wrote decodes into the same rows, derived and promoted columns included.
  const Batches again = Decode(kSignal, received.SerializeAsString());
  ASSERT_EQ(again.size(), stored.size());
  for (size_t i = 0; i < again.size(); ++i) {
    ASSERT_TRUE(PlainBatch(*again[i])->Equals(*PlainBatch(*stored[i]), false, arrow::EqualOptions().nans_equal(true).signed_zeros_equal(false)));
  }
}

template <class Request, class Make>
void ForEachSeed(uint64_t cases, Make make, const std::function<void(const Request&)>& check) {
  const testing::Seeds seeds = testing::TestSeeds(cases);
  for (uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomOtlp random(seed);
    check((random.*make)());
    if (::testing::Test::HasFailure()) return;
  }
}

TEST_F(RoundTrip, Traces) {
  ForEachSeed<TraceRequest>(1000, &RandomOtlp::Traces, [&](const TraceRequest& request) {
    CheckRoundTrip(request, [&](const Batches& b) { return ThroughFile(b, Signal::kTraces); });
  });
}

TEST_F(RoundTrip, Metrics) {
  ForEachSeed<MetricsRequest>(1000, &RandomOtlp::Metrics, [&](const MetricsRequest& request) {
    CheckRoundTrip(request, [&](const Batches& b) { return ThroughFile(b, Signal::kMetrics); });
  });
}

TEST_F(RoundTrip, Logs) {
  ForEachSeed<LogsRequest>(1000, &RandomOtlp::Logs, [&](const LogsRequest& request) {
    CheckRoundTrip(request, [&](const Batches& b) { return ThroughFile(b, Signal::kLogs); });
  });
}

// Batches handed out in the middle of a request, a scope, a metric; and dictionaries started anew between requests.
template <class Request>
void CheckSmallBatches(const Request& sent) {
  const std::string bytes = sent.SerializeAsString();
  for (int64_t max_rows : {1, 3}) {
    Batches batches;
    DecoderOptions options;
    options.max_rows = max_rows;
    auto decoder = TableDecoder::Make(
        SignalOf<Request>(), Promoted(),
        [&](const std::shared_ptr<arrow::RecordBatch>& batch) {
          EXPECT_LE(batch->num_rows(), max_rows);
          EXPECT_TRUE(batch->ValidateFull().ok()) << batch->ValidateFull();
          batches.push_back(batch->CopyTo(arrow::default_cpu_memory_manager()).ValueOrDie());
          return Status::Ok();
        },
        options);
    for (int round = 0; round < 3; ++round) {
      batches.clear();
      int64_t items = 0;
      ASSERT_TRUE(decoder->Append(bytes, false, &items).ok());
      ASSERT_TRUE(decoder->Flush().ok());
      ASSERT_EQ(decoder->pending_rows(), 0);
      ASSERT_EQ(Difference(Canonical(sent), Canonical(EncodeAll<Request>(batches))), "") << "round " << round;
      if (round == 1) decoder->ResetDictionaries();
    }
  }
}

TEST(SmallBatches, Traces) { ForEachSeed<TraceRequest>(100, &RandomOtlp::Traces, CheckSmallBatches<TraceRequest>); }
TEST(SmallBatches, Metrics) { ForEachSeed<MetricsRequest>(100, &RandomOtlp::Metrics, CheckSmallBatches<MetricsRequest>); }
TEST(SmallBatches, Logs) { ForEachSeed<LogsRequest>(100, &RandomOtlp::Logs, CheckSmallBatches<LogsRequest>); }

// Other layouts of the same values encode to the same OTLP.
template <class Request>
void CheckLayouts(const Request& sent) {
  using Text = PlainOptions::Text;
  const Request wanted = Canonical(sent);
  const Batches decoded = Decode(SignalOf<Request>(), sent.SerializeAsString());
  for (const PlainOptions& options : {PlainOptions{Text::kUtf8, false}, {Text::kLargeUtf8, true}, {Text::kUtf8View, false}}) {
    Batches plain;
    for (const auto& batch : decoded) plain.push_back(PlainBatch(*batch, options));
    ASSERT_EQ(Difference(wanted, Canonical(EncodeAll<Request>(plain))), "");
  }
  Batches slices;
  for (const auto& batch : decoded) {
    const int64_t cut = batch->num_rows() / 3;
    slices.push_back(batch->Slice(0, cut));
    slices.push_back(batch->Slice(cut, cut));
    slices.push_back(batch->Slice(2 * cut));
    slices.push_back(PlainBatch(*slices.back()));
    slices[slices.size() - 2] = slices[slices.size() - 2]->Slice(0, 0);
  }
  ASSERT_EQ(Difference(wanted, Canonical(EncodeAll<Request>(slices))), "");
  EncodeOptions small;
  small.max_items_per_request = 2;
  ASSERT_EQ(Difference(wanted, Canonical(EncodeAll<Request>(decoded, small))), "");
  small.max_bytes_per_request = 1;
  ASSERT_EQ(Difference(wanted, Canonical(EncodeAll<Request>(decoded, small))), "");
}

TEST(EncodeLayouts, TracesInOtherArrowLayouts) {
  ForEachSeed<TraceRequest>(100, &RandomOtlp::Traces, CheckLayouts<TraceRequest>);
}
TEST(EncodeLayouts, MetricsInOtherArrowLayouts) {
  ForEachSeed<MetricsRequest>(100, &RandomOtlp::Metrics, CheckLayouts<MetricsRequest>);
}
TEST(EncodeLayouts, LogsInOtherArrowLayouts) {
  ForEachSeed<LogsRequest>(100, &RandomOtlp::Logs, CheckLayouts<LogsRequest>);
}

using Attributes = google::protobuf::RepeatedPtrField<opentelemetry::proto::common::v1::KeyValue>;

// Keeps negative zero apart; all NaNs are one.
std::string DoubleBits(double value) { return std::isnan(value) ? "NaN" : std::to_string(std::bit_cast<uint64_t>(value)); }

// What the promoted column of a key holds for these attributes, as text: the first value of the key, if of its type.
std::optional<std::string> PromotedValue(const Attributes& attributes, const PromotedAttribute& promoted) {
  for (const auto& attribute : attributes) {
    if (attribute.key() != promoted.key) continue;
    const auto& value = attribute.value();
    switch (promoted.type) {
      case PromotedAttribute::Type::kString:
        return value.has_string_value() ? std::optional(value.string_value()) : std::nullopt;
      case PromotedAttribute::Type::kInt64:
        return value.has_int_value() ? std::optional(std::to_string(value.int_value())) : std::nullopt;
      case PromotedAttribute::Type::kDouble:
        return value.has_double_value() ? std::optional(DoubleBits(value.double_value())) : std::nullopt;
      case PromotedAttribute::Type::kBool:
        return value.has_bool_value() ? std::optional<std::string>(value.bool_value() ? "true" : "false") : std::nullopt;
    }
  }
  return std::nullopt;
}

// The same read from a column of a PlainBatch.
std::optional<std::string> ColumnValue(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return std::nullopt;
  switch (column.type_id()) {
    case arrow::Type::STRING: return std::string(static_cast<const arrow::StringArray&>(column).GetView(row));
    case arrow::Type::INT64: return std::to_string(static_cast<const arrow::Int64Array&>(column).Value(row));
    case arrow::Type::DOUBLE:
      return DoubleBits(static_cast<const arrow::DoubleArray&>(column).Value(row));
    case arrow::Type::BOOL: return static_cast<const arrow::BooleanArray&>(column).Value(row) ? "true" : "false";
    default: ADD_FAILURE() << column.type()->ToString(); return std::nullopt;
  }
}

// `rows` are the attributes of the items in row order.
void CheckPromoted(const Batches& batches, const std::vector<const Attributes*>& rows) {
  size_t next = 0;
  for (const auto& batch : batches) {
    const auto plain = PlainBatch(*batch);
    for (int64_t row = 0; row < plain->num_rows(); ++row, ++next) {
      ASSERT_LT(next, rows.size());
      for (const PromotedAttribute& promoted : Promoted()) {
        ASSERT_EQ(ColumnValue(*plain->GetColumnByName(promoted.key), row), PromotedValue(*rows[next], promoted)) << promoted.key;
      }
    }
  }
  ASSERT_EQ(next, rows.size());
}

TEST(PromotedAttributes, HoldTheFirstValueOfTheirKeyAndType) {
  ForEachSeed<TraceRequest>(200, &RandomOtlp::Traces, [](const TraceRequest& request) {
    std::vector<const Attributes*> rows;
    for (const auto& r : request.resource_spans()) {
      for (const auto& s : r.scope_spans()) {
        for (const auto& span : s.spans()) rows.push_back(&span.attributes());
      }
    }
    CheckPromoted(Decode(Signal::kTraces, request.SerializeAsString()), rows);
  });
  ForEachSeed<LogsRequest>(200, &RandomOtlp::Logs, [](const LogsRequest& request) {
    std::vector<const Attributes*> rows;
    for (const auto& r : request.resource_logs()) {
      for (const auto& s : r.scope_logs()) {
        for (const auto& record : s.log_records()) rows.push_back(&record.attributes());
      }
    }
    CheckPromoted(Decode(Signal::kLogs, request.SerializeAsString()), rows);
  });
}

}  // namespace
}  // namespace otlp_arrow
