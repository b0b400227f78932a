#include "storage/ledger_file.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/platform/platform.h"
#include "storage/forward_positions.h"

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

DestinationLedgers DestinationsAt(const element& root) {
  DestinationLedgers destinations;
  simdjson::dom::object members;
  if (root["destinations"].get(members) != simdjson::SUCCESS) return destinations;
  for (const auto [name, signals] : members) {
    auto& destination = destinations[std::string(name)];
    for (Signal s : kAllSignals) {
      element signal;
      if (signals[SignalName(s)].get(signal) != simdjson::SUCCESS) continue;
      destination[static_cast<size_t>(s)] = {IntAt(signal, "sent"), IntAt(signal, "rejected"), CountsAt(signal, "given_up")};
    }
  }
  return destinations;
}

constexpr std::string_view kFoldedWriter = "folded";
constexpr std::string_view kSuffix = ".json";

std::string FoldedFile(const StoreLayout& layout) { return layout.LedgerFile(std::string(kFoldedWriter)); }

// Writers with a ledger file of their own.
Result<std::vector<std::string>> ListLedgers(const StoreLayout& layout) {
  OTLP_ASSIGN_OR_RETURN(const auto entries, platform::ListDirectory(layout.LedgersDir()));
  std::vector<std::string> writers;
  for (const auto& entry : entries) {
    if (!entry.name.ends_with(kSuffix)) continue;
    std::string writer = entry.name.substr(0, entry.name.size() - kSuffix.size());
    if (writer != kFoldedWriter) writers.push_back(std::move(writer));
  }
  return writers;
}

// The folder of a writer's journal, wherever it is by now.
std::optional<ForwardSnapshot> PositionsOf(const StoreLayout& layout, const std::string& writer) {
  for (const std::string& directory : {layout.WriterDir(writer), layout.LeftOverDir(writer)}) {
    if (auto found = ForwardSnapshot::Take(directory)) return found;
  }
  return std::nullopt;
}

// What the journal's own positions say is newer than the file.
void AddFile(const std::string& path, const std::optional<ForwardSnapshot>& positions, DirectoryLedger* ledger,
             std::set<std::string, std::less<>>* includes) {
  const auto json = platform::ReadFile(path);
  if (!json.ok()) return;  // removed meanwhile
  auto snapshot = SnapshotFromJson(*json);
  if (!snapshot.ok()) {
    ledger->damaged.emplace_back(path, snapshot.status().message());
    return;
  }
  if (positions) snapshot->ledger.destinations = positions->Counts();
  ++ledger->files;
  ledger->sum += snapshot->ledger;
  includes->insert(snapshot->includes.begin(), snapshot->includes.end());
}

std::string TextOrNothing(const std::string& path) {
  auto text = platform::ReadFile(path);
  return text.ok() ? *std::move(text) : std::string();
}

}  // namespace

std::string SnapshotToJson(const LedgerSnapshot& snapshot) {
  std::string json = snapshot.ledger.ToJson();
  json.pop_back();  // its closing brace
  json += fmt::format(R"(,"writer":"{}","last_sequence":{},"stored_through":{},"stored_sequences":{{)", snapshot.writer, snapshot.last_sequence,
                      snapshot.stored_through);
  for (Signal s : kAllSignals) {
    json += fmt::format(R"({}"{}":{})", s == Signal::kTraces ? "" : ",", SignalName(s), snapshot.stored_sequences[static_cast<size_t>(s)]);
  }
  json += "}";
  if (!snapshot.includes.empty()) json += fmt::format(R"(,"includes":["{}"])", fmt::join(snapshot.includes, R"(",")"));
  return json + "}\n";
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
    ledger.relayed = IntAt(signal, "relayed");
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
  snapshot.ledger.destinations = DestinationsAt(root);
  snapshot.last_sequence = static_cast<uint64_t>(IntAt(root, "last_sequence"));
  snapshot.stored_through = static_cast<uint64_t>(IntAt(root, "stored_through"));
  std::string_view writer;
  if (root["writer"].get(writer) == simdjson::SUCCESS) snapshot.writer = writer;
  simdjson::dom::array includes;
  if (root["includes"].get(includes) == simdjson::SUCCESS) {
    for (const element included : includes) {
      std::string_view name;
      if (included.get(name) == simdjson::SUCCESS) snapshot.includes.emplace_back(name);
    }
  }
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

DirectoryLedger ReadDirectoryLedger(const StoreLayout& layout) {
  constexpr int kTries = 5;
  for (int i = 0;; ++i) {
    DirectoryLedger ledger;
    const std::string folded = TextOrNothing(FoldedFile(layout));
    std::set<std::string, std::less<>> included;
    if (!folded.empty()) AddFile(FoldedFile(layout), std::nullopt, &ledger, &included);
    const auto writers = ListLedgers(layout);
    if (!writers.ok()) return ledger;
    std::set<std::string, std::less<>> none;
    for (const std::string& writer : *writers) {
      if (included.contains(writer)) continue;
      // Before the file: a journal that is gone by now has left its counts there.
      const auto positions = PositionsOf(layout, writer);
      AddFile(layout.LedgerFile(writer), positions, &ledger, &none);
    }
    // Folded while being summed: a writer may have been met twice or not at all.
    if (i + 1 == kTries || TextOrNothing(FoldedFile(layout)) == folded) return ledger;
  }
}

Status FoldLedgers(const StoreLayout& layout, size_t keep) {
  OTLP_ASSIGN_OR_RETURN(auto gone, ListLedgers(layout));
  std::erase_if(gone, [&](const std::string& writer) {
    return platform::Exists(layout.WriterDir(writer)) || platform::Exists(layout.LeftOverDir(writer));
  });
  if (gone.size() <= keep) return Status::Ok();
  LedgerSnapshot folded;
  if (platform::Exists(FoldedFile(layout))) {
    // Counts that cannot be read are not written over.
    OTLP_ASSIGN_OR_RETURN(const std::string json, platform::ReadFile(FoldedFile(layout)));
    auto read = SnapshotFromJson(json);
    if (!read.ok()) return Status::Io("'" + FoldedFile(layout) + "': " + read.status().message() + "; move it away");
    folded = *std::move(read);
  }
  folded.writer = kFoldedWriter;
  std::vector<std::string> summed;  // a damaged one stays, for `inspect` to tell of it
  for (const std::string& writer : gone) {
    const auto json = platform::ReadFile(layout.LedgerFile(writer));
    const auto snapshot = json.ok() ? SnapshotFromJson(*json) : Result<LedgerSnapshot>(json.status());
    if (!snapshot.ok()) continue;
    summed.push_back(writer);
    const bool included = std::find(folded.includes.begin(), folded.includes.end(), writer) != folded.includes.end();
    if (!included) folded.ledger += snapshot->ledger;
  }
  if (summed.empty()) return Status::Ok();
  folded.includes = summed;
  OTLP_RETURN_NOT_OK(WriteLedgerFile(layout, folded, true));
  for (const std::string& writer : summed) OTLP_RETURN_NOT_OK(platform::Remove(layout.LedgerFile(writer)));
  folded.includes.clear();  // a writer that counts again, as its files expire, starts a new file
  return WriteLedgerFile(layout, folded, false);
}

}  // namespace otlp_arrow
