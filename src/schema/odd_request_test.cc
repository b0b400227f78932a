// Requests that no library would send: everything that the protobuf rules allow must read as libprotobuf reads it, and
// damaged bytes must be refused or read as it reads them.
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "odd_wire.h"
#include "otlp/scan.h"
#include "random_otlp.h"
#include "reference_otlp.h"
#include "schema/decode.h"
#include "schema/encode.h"

namespace otlp_arrow {
namespace {

// Damaged texts are expected here; libprotobuf would print a line for each.
const auto kQuiet = google::protobuf::SetLogHandler(nullptr);

using testing::Difference;
using testing::LogsRequest;
using testing::MetricsRequest;
using testing::ParseDeep;
using testing::RandomOtlp;
using testing::TraceRequest;

template <class Request>
constexpr Signal SignalOf() {
  if (std::is_same_v<Request, TraceRequest>) return Signal::kTraces;
  return std::is_same_v<Request, MetricsRequest> ? Signal::kMetrics : Signal::kLogs;
}

// Through the tables and back, as one canonical message.
template <class Request>
void RoundTrip(const std::string& bytes, Request* result) {
  auto batches = DecodeOtlp(SignalOf<Request>(), bytes);
  ASSERT_TRUE(batches.ok()) << batches.status().ToString();
  for (const auto& batch : *batches) {
    auto requests = EncodeOtlp(SignalOf<Request>(), *batch);
    ASSERT_TRUE(requests.ok()) << requests.status().ToString();
    for (const EncodedRequest& encoded : *requests) {
      Request part;
      ASSERT_TRUE(ParseDeep(encoded.bytes, &part));
      result->MergeFrom(part);
    }
  }
  testing::Canonicalize(result);
}

template <class Request>
void CheckOddForms(const Request& sent, std::mt19937_64* random) {
  const std::string bytes = testing::SerializeOddly(sent, random);
  Request parsed;
  ASSERT_TRUE(ParseDeep(bytes, &parsed));
  testing::StripUnknownFields(&parsed, testing::kFirstUnknownField);
  ASSERT_EQ(Difference(sent, parsed), "") << "the serializer of this test is wrong";

  const ScanResult scan = ScanOtlp(SignalOf<Request>(), bytes);
  ASSERT_TRUE(scan.ok) << scan.error;
  ASSERT_EQ(scan.rejected_items, 0) << ItemFaultMessage(scan.fault);
  Request wanted = sent;
  testing::Canonicalize(&wanted);
  Request received;
  ASSERT_NO_FATAL_FAILURE(RoundTrip(bytes, &received));
  // Exact attributes are kept as they came: with unknown fields, and different where only the form is.
  testing::StripUnknownFields(&received, testing::kFirstUnknownField);
  testing::Canonicalize(&received);
  ASSERT_EQ(Difference(wanted, received), "");
}

template <class Request, class Make, class Check>
void ForEachSeed(uint64_t cases, Make make, Check check) {
  const testing::Seeds seeds = testing::TestSeeds(cases);
  for (uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomOtlp requests(seed);
    std::mt19937_64 random(seed);
    check((requests.*make)(), &random);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(OddRequests, TracesReadAsLibprotobufReadsThem) {
  ForEachSeed<TraceRequest>(300, &RandomOtlp::Traces, CheckOddForms<TraceRequest>);
}
TEST(OddRequests, MetricsReadAsLibprotobufReadsThem) {
  ForEachSeed<MetricsRequest>(300, &RandomOtlp::Metrics, CheckOddForms<MetricsRequest>);
}
TEST(OddRequests, LogsReadAsLibprotobufReadsThem) {
  ForEachSeed<LogsRequest>(300, &RandomOtlp::Logs, CheckOddForms<LogsRequest>);
}

void Damage(std::mt19937_64* random, std::string* bytes) {
  if (bytes->empty()) return;
  for (uint64_t n = 1 + (*random)() % 3; n > 0; --n) {
    char& byte = (*bytes)[(*random)() % bytes->size()];
    switch ((*random)() % 3) {
      case 0: byte = static_cast<char>(byte ^ (1 << (*random)() % 8)); break;
      case 1: byte = static_cast<char>((*random)()); break;
      default: byte = static_cast<char>(byte + ((*random)() % 2 ? 1 : -1));
    }
  }
  if ((*random)() % 10 == 0) bytes->resize((*random)() % bytes->size());
}

// Removes the unknown fields; true if there was one.
bool StripAll(google::protobuf::Message* message) {
  const size_t size = message->ByteSizeLong();
  testing::StripUnknownFields(message, 0);
  return message->ByteSizeLong() != size;
}

// Of the damaged requests that libprotobuf reads and whose items are all valid, everything must be read alike.
// Unknown fields are left out of the comparison: nobody stores them.
template <class Request>
void CheckDamaged(const Request& sent, std::mt19937_64* random, int* compared) {
  Request known = sent;
  (void)StripAll(&known);
  const std::string whole = known.SerializeAsString();
  if (whole.size() > 4000) return;
  for (int i = 0; i < 20; ++i) {
    std::string bytes = whole;
    Damage(random, &bytes);
    const ScanResult scan = ScanOtlp(SignalOf<Request>(), bytes);
    Request wanted;
    if (!ParseDeep(bytes, &wanted)) continue;
    const bool all_known = !StripAll(&wanted);
    // libprotobuf takes tags of more than 32 bits, and is too old to look into entity_refs: unknown fields to it.
    ASSERT_TRUE(scan.ok || !all_known) << scan.error;
    if (!scan.ok || scan.rejected_items > 0) continue;
    ++*compared;
    Request received;
    ASSERT_NO_FATAL_FAILURE(RoundTrip(bytes, &received));
    (void)StripAll(&received);
    testing::Canonicalize(&wanted);
    testing::Canonicalize(&received);
    ASSERT_EQ(Difference(wanted, received), "");
  }
}

template <class Request, class Make>
void CheckAllDamaged(Make make) {
  int compared = 0;
  ForEachSeed<Request>(250, make, [&](const Request& sent, std::mt19937_64* random) { CheckDamaged(sent, random, &compared); });
  EXPECT_GT(compared, 300);
}

TEST(DamagedRequests, TracesReadAsLibprotobufReadsThem) { CheckAllDamaged<TraceRequest>(&RandomOtlp::Traces); }
TEST(DamagedRequests, MetricsReadAsLibprotobufReadsThem) { CheckAllDamaged<MetricsRequest>(&RandomOtlp::Metrics); }
TEST(DamagedRequests, LogsReadAsLibprotobufReadsThem) { CheckAllDamaged<LogsRequest>(&RandomOtlp::Logs); }

// A container without items has no item to reject, so its texts were never refused; they must not reach the file's
// dictionaries either, or no reader that checks UTF-8 could open it.
TEST(ContainersWithoutItems, LeaveNothingInTheTables) {
  TraceRequest good;
  good.add_resource_spans()->add_scope_spans()->add_spans()->set_name("kept");
  const std::string bad_scope("\x12\x06\x0a\x04\x0a\x02\xff\xfe", 8);        // ScopeSpans{scope{name}}
  const std::string bad_resource_url("\x12\x00\x1a\x02\xff\xfe", 6);         // ScopeSpans{}, schema_url
  const std::string whole_url("\x1a\x02\xff\xfe", 4);                        // schema_url
  for (const std::string& bad : {bad_scope, bad_resource_url, whole_url}) {
    const std::string container = std::string("\x0a") + static_cast<char>(bad.size()) + bad;
    for (const std::string& bytes : {good.SerializeAsString() + container, container + good.SerializeAsString()}) {
      const ScanResult scan = ScanOtlp(Signal::kTraces, bytes);
      ASSERT_TRUE(scan.ok) << scan.error;
      ASSERT_EQ(scan.items, 1);
      ASSERT_EQ(scan.rejected_items, 0);
      auto batches = DecodeOtlp(Signal::kTraces, bytes);
      ASSERT_TRUE(batches.ok());
      ASSERT_EQ(batches->size(), 1u);
      EXPECT_TRUE(batches->at(0)->ValidateFull().ok()) << batches->at(0)->ValidateFull();
      EXPECT_EQ(batches->at(0)->num_rows(), 1);
    }
  }
}

}  // namespace
}  // namespace otlp_arrow
