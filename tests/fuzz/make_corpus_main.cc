// Writes seed corpora for the fuzz targets from random OTLP: the same files on every run.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "odd_json.h"
#include "random_otlp.h"

namespace otlp_arrow::testing {
namespace {

constexpr int kFilesPerSignal = 12;
constexpr size_t kSmallest = 100;
constexpr size_t kLargest = 1500;

void WriteInput(const std::filesystem::path& folder, const std::string& name, char first_byte, const std::string& bytes) {
  std::filesystem::create_directories(folder);
  std::ofstream out(folder / name, std::ios::binary);
  out << first_byte << bytes;
}

// Requests of a size that a fuzzer can work with.
void WriteRequests(const std::filesystem::path& corpus, Signal signal) {
  int written = 0;
  for (uint64_t seed = 1; written < kFilesPerSignal; ++seed) {
    const std::string request = RandomOtlp(seed).Request(signal);
    if (request.size() < kSmallest || request.size() > kLargest) continue;
    const std::string name = std::string(SignalName(signal)) + "_" + std::to_string(written++);
    for (const char* target : {"scan_fuzzer", "decode_fuzzer", "split_fuzzer"}) {
      WriteInput(corpus / target, name, static_cast<char>(signal), request);
    }
  }
}

// The same as JSON, plain and odd, and what has a way of its own through the reader.
void WriteJson(const std::filesystem::path& corpus) {
  const std::filesystem::path folder = corpus / "json_request_fuzzer";
  std::mt19937_64 random(1);
  int written = 0;
  const auto write = [&](Signal signal, const google::protobuf::Message& message) {
    const std::string json = OddJson(message, &random);
    if (json.size() < kSmallest || json.size() > 2 * kLargest) return;
    WriteInput(folder, std::string(SignalName(signal)) + "_odd_" + std::to_string(written), static_cast<char>(signal), json);
    WriteInput(folder, std::string(SignalName(signal)) + "_plain_" + std::to_string(written++), static_cast<char>(signal), PlainJson(message));
  };
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    RandomOtlp requests(seed);
    write(Signal::kTraces, requests.Traces());
    write(Signal::kMetrics, requests.Metrics());
    write(Signal::kLogs, requests.Logs());
  }
  const char* logs[] = {
      "{}", " {\n} ", "\xef\xbb\xbf{}", "null", "{\"resourceLogs\":null}", "{\"resourceSpans\":[]}", "{\"a\":[[[[{\"b\":[]}]]]]}",
      R"({"resource_logs":[{"scope_logs":[{"log_records":[{"body":{"string_value":"\ud83d\ude80\ud83d"},"trace_id":"5B8E","severityNumber":"SEVERITY_NUMBER_INFO"}]}]}]})",
      R"({"resourceLogs":[{"resource":{"entityRefs":[{"type":"t","idKeys":["a"]}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":1.5e18,"body":{"arrayValue":{"values":[null,{"bytesValue":"-_8"},{"doubleValue":"-Infinity"},{"intValue":"12e1"}]}}}]}]}]})"};
  for (const char* json : logs) WriteInput(folder, "logs_typed_" + std::to_string(written++), static_cast<char>(Signal::kLogs), json);
}

void WriteValues(const std::filesystem::path& corpus) {
  const std::filesystem::path folder = corpus / "any_value_text_fuzzer";
  int written = 0;
  for (uint64_t seed = 1; written < kFilesPerSignal; ++seed) {
    const LogsRequest request = RandomOtlp(seed).Logs();
    if (request.resource_logs().empty() || request.resource_logs(0).scope_logs().empty()) continue;
    for (const auto& record : request.resource_logs(0).scope_logs(0).log_records()) {
      const std::string value = record.body().SerializeAsString();
      if (!record.body().has_array_value() && !record.body().has_kvlist_value()) continue;
      if (value.size() < 20 || value.size() > kLargest) continue;
      WriteInput(folder, "value_" + std::to_string(written++), '\0', value);
      break;
    }
  }
  const std::pair<char, const char*> texts[] = {{'i', "-9223372036854775808"}, {'d', "-1.5e-300"}, {'d', "NaN"},      {'b', "true"},
                                                {'x', "Zm9vYg=="},             {'n', ""},          {'s', "plain"},
                                                {'a', "[1,1.0,\"\\u00e9\\n\",null,true,[],{}]"},
                                                {'m', "{\"a\":{\"b\":[1e300,-0.0]},\"\":null}"}};
  for (const auto& [type, text] : texts) WriteInput(folder, std::string("text_") + type + "_" + std::to_string(written++), type, text);
}

// Records of all signals; whole, and with damage at a few places.
void WriteJournals(const std::filesystem::path& corpus) {
  const std::filesystem::path folder = corpus / "journal_fuzzer";
  const std::string three = std::string("\x00\x20\x01\x80\x02\x21", 6);  // signal and length each
  WriteInput(folder, "whole", '\3', three);
  WriteInput(folder, "empty", '\0', "");
  WriteInput(folder, "no_segment_header", '\3', three + std::string("\x00\x00X", 3));
  WriteInput(folder, "no_record_header", '\3', three + std::string("\x40\x00X", 3));
  WriteInput(folder, "request", '\3', three + std::string("\x85\x00X", 3));
  WriteInput(folder, "length", '\3', three + std::string("\x50\x00\xff\x51\x00\xff", 6));
}

}  // namespace
}  // namespace otlp_arrow::testing

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  for (otlp_arrow::Signal signal : otlp_arrow::kAllSignals) otlp_arrow::testing::WriteRequests(argv[1], signal);
  otlp_arrow::testing::WriteJson(argv[1]);
  otlp_arrow::testing::WriteValues(argv[1]);
  otlp_arrow::testing::WriteJournals(argv[1]);
}
