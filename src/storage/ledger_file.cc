#include "storage/ledger_file.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/platform/platform.h"

namespace otlp_arrow {
namespace {

using simdjson::dom::element;
using Counts = std::map<std::string, int64_t, std::less<>>;

int64_t IntAt(const element& object, std::string_view key) {
  int64_t value = 0;
  return object[key].get(value) == simdjson::SUCCESS ? value : 0;
}

Counts CountsAt(const element& object, std::string_view key) {
  Counts counts;
  simdjson::dom::object members;
  if (object[key].get(members) != simdjson::SUCCESS) return counts;
  for (const auto [reason, n] : members) {
    int64_t value = 0;
    if (n.get(value) == simdjson::SUCCESS) counts[std::string(reason)] = value;
  }
  return counts;
}

}  // namespace

std::string SnapshotToJson(const LedgerSnapshot& snapshot) {
  std::string json = snapshot.ledger.ToJson();
  json.pop_back();  // its closing brace
  json += fmt::format(R"(,"writer":"{}","last_sequence":{},"stored_sequences":{{)", snapshot.writer, snapshot.last_sequence);
  for (Signal s : kAllSignals) {
    json += fmt::format(R"({}"{}":{})", s == Signal::kTraces ? "" : ",", SignalName(s), snapshot.stored_sequences[static_cast<size_t>(s)]);
  }
  return json + "}}\n";
}

Result<LedgerSnapshot> SnapshotFromJson(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (const auto error = parser.parse(simdjson::padded_string(json)).get(root)) {
    return Status::Io(std::string("the ledger is no valid JSON: ") + simdjson::error_message(error));
  }
  LedgerSnapshot snapshot;
  for (Signal s : kAllSignals) {
    element signal;
    if (root[SignalName(s)].get(signal) != simdjson::SUCCESS) {
      return Status::Io("the ledger has no entry for " + std::string(SignalName(s)));
    }
    SignalLedger& ledger = snapshot.ledger[s];
    ledger.received = IntAt(signal, "received");
    ledger.stored = IntAt(signal, "stored");
    ledger.in_flight = IntAt(signal, "in_flight");
    ledger.expired = IntAt(signal, "expired");
    ledger.refused = CountsAt(signal, "refused");
    ledger.invalid = CountsAt(signal, "invalid");
    element sequences;
    if (root["stored_sequences"].get(sequences) == simdjson::SUCCESS) {
      snapshot.stored_sequences[static_cast<size_t>(s)] = static_cast<uint64_t>(IntAt(sequences, SignalName(s)));
    }
  }
  snapshot.ledger.unreadable_requests = CountsAt(root, "unreadable_requests");
  snapshot.last_sequence = static_cast<uint64_t>(IntAt(root, "last_sequence"));
  std::string_view writer;
  if (root["writer"].get(writer) == simdjson::SUCCESS) snapshot.writer = writer;
  return snapshot;
}

Status WriteLedgerFile(const StoreLayout& layout, const LedgerSnapshot& snapshot, bool sync) {
  return platform::ReplaceFile(layout.LedgerFile(snapshot.writer), SnapshotToJson(snapshot), sync);
}

LedgerSnapshot ReadLedgerFile(const StoreLayout& layout, const std::string& writer) {
  LedgerSnapshot empty;
  empty.writer = writer;
  const auto json = platform::ReadFile(layout.LedgerFile(writer));
  if (!json.ok()) return empty;
  auto snapshot = SnapshotFromJson(*json);
  if (!snapshot.ok()) return empty;
  snapshot->writer = writer;
  return *std::move(snapshot);
}

Result<Ledger> ReadDirectoryLedger(const StoreLayout& layout) {
  OTLP_ASSIGN_OR_RETURN(const auto entries, platform::ListDirectory(layout.LedgersDir()));
  Ledger sum;
  for (const auto& entry : entries) {
    if (!entry.name.ends_with(".json")) continue;
    const auto json = platform::ReadFile(layout.LedgersDir() + "/" + entry.name);
    if (!json.ok()) continue;  // removed meanwhile
    const auto snapshot = SnapshotFromJson(*json);
    if (snapshot.ok()) sum += snapshot->ledger;
  }
  return sum;
}

}  // namespace otlp_arrow
