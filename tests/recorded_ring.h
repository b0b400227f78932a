// What a program recorded into a ring file, as a collector hands it on.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <opentelemetry/proto/logs/v1/logs.pb.h>
#include <opentelemetry/proto/metrics/v1/metrics.pb.h>
#include <opentelemetry/proto/trace/v1/trace.pb.h>

namespace otlp_arrow::testing {

struct RecordedRing {
  std::vector<opentelemetry::proto::trace::v1::ResourceSpans> resource_spans;
  std::vector<opentelemetry::proto::trace::v1::Span> spans;
  std::vector<opentelemetry::proto::logs::v1::LogRecord> logs;
  std::vector<opentelemetry::proto::metrics::v1::Metric> metrics;

  // Those of this name; a failed test where there is not exactly one.
  opentelemetry::proto::trace::v1::Span Span(const std::string& name) const;
  opentelemetry::proto::metrics::v1::Metric Metric(const std::string& name) const;
};

// Takes all that is in the file, open spans too, and a point of each metric. What was taken before is not taken again.
RecordedRing TakeRecorded(const std::string& path);

// Attributes as text: strings as they are, others as in protobuf's short form.
template <class List>
std::map<std::string, std::string> Texts(const List& attributes) {
  std::map<std::string, std::string> texts;
  for (const auto& attribute : attributes) {
    texts[attribute.key()] = attribute.value().has_string_value() ? attribute.value().string_value() : attribute.value().ShortDebugString();
  }
  return texts;
}

}  // namespace otlp_arrow::testing
