#include "reference_otlp.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/message_differencer.h>

namespace otlp_arrow::testing {
namespace {

namespace metrics = opentelemetry::proto::metrics::v1;

// Joins `next` onto `last` where everything but the field `items` is equal; bytes are compared, so that NaN is NaN and
// negative zero is not zero.
template <class Message, class Items>
bool JoinIfSame(Message* last, Message* next, Items items) {
  Message left_items;
  Message right_items;
  items(*last)->Swap(items(left_items));
  items(*next)->Swap(items(right_items));
  const bool same = last->SerializeAsString() == next->SerializeAsString();
  items(*last)->Swap(items(left_items));
  items(*next)->Swap(items(right_items));
  if (same) items(*last)->MergeFrom(*items(*next));
  return same;
}

// Rebuilds a repeated field without its empty messages and with equal neighbours joined.
template <class List, class Items>
void JoinNeighbours(List* list, Items items) {
  List joined;
  for (auto& message : *list) {
    if (items(message)->empty()) continue;
    if (!joined.empty() && JoinIfSame(&joined[joined.size() - 1], &message, items)) continue;
    *joined.Add() = message;
  }
  list->Swap(&joined);
}

bool IsEmpty(const metrics::Metric& metric) {
  return metric.gauge().data_points().empty() && metric.sum().data_points().empty() && metric.histogram().data_points().empty() &&
         metric.exponential_histogram().data_points().empty() && metric.summary().data_points().empty();
}

bool JoinMetric(metrics::Metric* last, metrics::Metric* next) {
  if (last->data_case() != next->data_case()) return false;
  switch (last->data_case()) {
    case metrics::Metric::kGauge: return JoinIfSame(last, next, [](auto& m) { return m.mutable_gauge()->mutable_data_points(); });
    case metrics::Metric::kSum: return JoinIfSame(last, next, [](auto& m) { return m.mutable_sum()->mutable_data_points(); });
    case metrics::Metric::kHistogram: return JoinIfSame(last, next, [](auto& m) { return m.mutable_histogram()->mutable_data_points(); });
    case metrics::Metric::kExponentialHistogram:
      return JoinIfSame(last, next, [](auto& m) { return m.mutable_exponential_histogram()->mutable_data_points(); });
    case metrics::Metric::kSummary: return JoinIfSame(last, next, [](auto& m) { return m.mutable_summary()->mutable_data_points(); });
    default: return false;
  }
}

template <class List>
void JoinMetrics(List* list) {
  List joined;
  for (auto& metric : *list) {
    if (IsEmpty(metric)) continue;
    if (!joined.empty() && JoinMetric(&joined[joined.size() - 1], &metric)) continue;
    *joined.Add() = metric;
  }
  list->Swap(&joined);
}

}  // namespace

bool ParseDeep(std::string_view bytes, google::protobuf::Message* message) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetRecursionLimit(1000);
  return message->ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage();
}

// Scopes are joined again after their resources were: joining brings new neighbours together.
void Canonicalize(TraceRequest* request) {
  auto scopes = [](auto& r) { return r.mutable_scope_spans(); };
  auto join_scopes = [&] {
    for (auto& r : *request->mutable_resource_spans()) JoinNeighbours(scopes(r), [](auto& s) { return s.mutable_spans(); });
  };
  join_scopes();
  JoinNeighbours(request->mutable_resource_spans(), scopes);
  join_scopes();
}

void Canonicalize(LogsRequest* request) {
  auto scopes = [](auto& r) { return r.mutable_scope_logs(); };
  auto join_scopes = [&] {
    for (auto& r : *request->mutable_resource_logs()) JoinNeighbours(scopes(r), [](auto& s) { return s.mutable_log_records(); });
  };
  join_scopes();
  JoinNeighbours(request->mutable_resource_logs(), scopes);
  join_scopes();
}

void Canonicalize(MetricsRequest* request) {
  auto scopes = [](auto& r) { return r.mutable_scope_metrics(); };
  auto join_scopes = [&] {
    for (auto& r : *request->mutable_resource_metrics()) {
      for (auto& s : *scopes(r)) JoinMetrics(s.mutable_metrics());
      JoinNeighbours(scopes(r), [](auto& s) { return s.mutable_metrics(); });
      for (auto& s : *scopes(r)) JoinMetrics(s.mutable_metrics());
    }
  };
  join_scopes();
  JoinNeighbours(request->mutable_resource_metrics(), scopes);
  join_scopes();
}

std::string Difference(const google::protobuf::Message& wanted, const google::protobuf::Message& got) {
  if (wanted.SerializeAsString() == got.SerializeAsString()) return "";
  std::string report;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&report);
  (void)differencer.Compare(wanted, got);
  return report.empty() ? "the bytes differ, though the messages compare as equal" : report;
}

}  // namespace otlp_arrow::testing
