// OTLP through libprotobuf, brought into one form so that two requests can be compared.
#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/message.h>

#include "random_otlp.h"

namespace otlp_arrow::testing {

// Parses at any nesting that the scan takes. False for bytes that are no such message.
bool ParseDeep(std::string_view bytes, google::protobuf::Message* message);

// Drops containers and metrics without items and joins equal neighbours: what a table of items cannot keep apart.
void Canonicalize(TraceRequest* request);
void Canonicalize(MetricsRequest* request);
void Canonicalize(LogsRequest* request);

// Where two messages differ, for people; empty if their bytes are the same.
std::string Difference(const google::protobuf::Message& wanted, const google::protobuf::Message& got);

}  // namespace otlp_arrow::testing
