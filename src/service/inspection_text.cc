#include <algorithm>
#include <vector>

#include "service/human_text.h"
#include "service/inspection.h"
#include "base/json_writer.h"

namespace otlp_arrow {
namespace {

constexpr size_t kMaxServices = 20;  // in the text; JSON has them all

std::string TimeOrDash(const std::optional<int64_t>& time) { return time ? UtcTime(*time) : "-"; }

std::string SignalTable(const Inspection& inspection) {
  std::vector<std::vector<std::string>> rows = {{"", "files", "rows", "size", "from", "to"}};
  for (Signal s : kAllSignals) {
    const InspectedSignal& found = inspection[s];
    rows.push_back({std::string(SignalName(s)), GroupedNumber(found.files), GroupedNumber(found.rows),
                    HumanBytes(found.bytes), TimeOrDash(found.first_time), TimeOrDash(found.last_time)});
  }
  return AlignedTable(rows);
}

std::string ServiceTable(const Inspection& inspection) {
  std::map<std::string, std::array<int64_t, kSignalCount>> counts;
  for (size_t s = 0; s < kSignalCount; ++s) {
    for (const auto& [name, rows] : inspection.signals[s].services) counts[name][s] = rows;
  }
  if (counts.empty()) return "";
  std::vector<std::pair<std::string, std::array<int64_t, kSignalCount>>> sorted(counts.begin(), counts.end());
  const auto total = [](const auto& entry) { return entry.second[0] + entry.second[1] + entry.second[2]; };
  std::stable_sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) { return total(a) > total(b); });
  std::vector<std::vector<std::string>> rows = {{"service", "spans", "data points", "log records"}};
  for (size_t i = 0; i < std::min(sorted.size(), kMaxServices); ++i) {
    const auto& [name, n] = sorted[i];
    rows.push_back({name.empty() ? "(none)" : name, GroupedNumber(n[0]), GroupedNumber(n[1]), GroupedNumber(n[2])});
  }
  std::string text = "\n" + AlignedTable(rows);
  if (sorted.size() > kMaxServices) {
    text += "and " + std::to_string(sorted.size() - kMaxServices) + " more services; --json lists all\n";
  }
  return text;
}

std::string Reasons(const std::map<std::string, int64_t, std::less<>>& counts) {
  std::string text;
  for (const auto& [reason, n] : counts) text += (text.empty() ? "" : ", ") + reason + " " + GroupedNumber(n);
  return text.empty() ? "" : " (" + text + ")";
}

std::string LedgerTable(const Inspection& inspection) {
  if (inspection.ledgers == 0) return "";
  std::vector<std::vector<std::string>> rows = {
      {"ledger", "received", "stored", "relayed", "in flight", "refused", "invalid", "expired"}};
  std::string reasons;
  for (Signal s : kAllSignals) {
    const SignalLedger& l = inspection.ledger[s];
    rows.push_back({std::string(SignalName(s)), GroupedNumber(l.received), GroupedNumber(l.stored), GroupedNumber(l.relayed),
                    GroupedNumber(l.in_flight), GroupedNumber(l.RefusedTotal()), GroupedNumber(l.InvalidTotal()),
                    GroupedNumber(l.expired)});
    if (!l.refused.empty()) reasons += std::string(SignalName(s)) + " refused" + Reasons(l.refused) + "\n";
    if (!l.invalid.empty()) reasons += std::string(SignalName(s)) + " invalid" + Reasons(l.invalid) + "\n";
  }
  if (!inspection.ledger.unreadable_requests.empty()) {
    reasons += "unreadable requests" + Reasons(inspection.ledger.unreadable_requests) + "\n";
  }
  return "\n" + AlignedTable(rows) + reasons;
}

std::string DestinationTable(const DestinationLedgers& destinations) {
  std::vector<std::vector<std::string>> rows = {{"forwarded to", "", "sent", "rejected", "given up"}};
  std::string reasons;
  for (const auto& [name, signals] : destinations) {
    for (Signal s : kAllSignals) {
      const DestinationLedger& l = signals[static_cast<size_t>(s)];
      int64_t given_up = 0;
      for (const auto& [reason, n] : l.given_up) given_up += n;
      if (l.sent + l.rejected + given_up == 0) continue;
      rows.push_back({name, std::string(SignalName(s)), GroupedNumber(l.sent), GroupedNumber(l.rejected), GroupedNumber(given_up)});
      if (given_up > 0) reasons += name + ": " + std::string(SignalName(s)) + " given up" + Reasons(l.given_up) + "\n";
    }
  }
  return rows.size() == 1 ? "" : "\n" + AlignedTable(rows) + reasons;
}

std::string JournalLines(const Inspection& inspection) {
  std::string text;
  if (inspection.unsent_journals > 0) {
    text += "\njournals of writers that are gone, waiting to be forwarded: " + std::to_string(inspection.unsent_journals) + ", " +
            HumanBytes(inspection.unsent_bytes) + "; 'otlp-arrow serve' with their destinations sends them\n";
  }
  if (inspection.live_journals > 0) {
    text += "\njournals of writers at work: " + std::to_string(inspection.live_journals) + "\n";
  }
  if (inspection.left_journals > 0) {
    text += "\njournals left by writers that are gone: " + std::to_string(inspection.left_journals) + ", with up to " +
            GroupedNumber(inspection.left_items) + " items; 'otlp-arrow recover " + inspection.path +
            "' writes these to files\n";
  }
  return text;
}

std::string SchemaText(const Inspection& inspection) {
  std::string text;
  for (Signal s : kAllSignals) {
    if (inspection[s].columns.empty()) continue;
    text += "\ncolumns of " + std::string(SignalName(s)) + "\n";
    for (const auto& [name, type] : inspection[s].columns) text += "  " + name + ": " + type + "\n";
  }
  return text;
}

void WriteTime(JsonWriter* json, const char* key, const std::optional<int64_t>& time) {
  json->Key(key);
  if (time) {
    json->Text(UtcTime(*time));
  } else {
    json->Null();
  }
  json->Key(std::string(key) + "_unix_nano");
  if (time) {
    json->Number(*time);
  } else {
    json->Null();
  }
}

void WriteSignal(JsonWriter* json, const InspectedSignal& found, bool schema) {
  json->BeginObject();
  json->Key("files").Number(found.files).Key("rows").Number(found.rows).Key("bytes").Number(found.bytes);
  WriteTime(json, "first_time", found.first_time);
  WriteTime(json, "last_time", found.last_time);
  json->Key("services").BeginObject();
  for (const auto& [name, rows] : found.services) json->Key(name).Number(rows);
  json->EndObject();
  if (schema) {
    json->Key("columns").BeginArray();
    for (const auto& [name, type] : found.columns) {
      json->BeginObject().Key("name").Text(name).Key("type").Text(type).EndObject();
    }
    json->EndArray();
  }
  json->EndObject();
}

}  // namespace

std::string InspectionText(const Inspection& inspection, bool schema) {
  std::string text =
      inspection.path + "\n\n" + SignalTable(inspection) + ServiceTable(inspection) + LedgerTable(inspection);
  text += DestinationTable(inspection.ledger.destinations) + JournalLines(inspection);
  for (const auto& d : inspection.damaged) text += "\ndamaged: " + d.path + ": " + d.reason + "\n";
  return schema ? text + SchemaText(inspection) : text;
}

std::string InspectionJson(const Inspection& inspection, bool schema) {
  JsonWriter json;
  json.BeginObject().Key("path").Text(inspection.path).Key("signals").BeginObject();
  for (Signal s : kAllSignals) {
    json.Key(SignalName(s));
    WriteSignal(&json, inspection[s], schema);
  }
  json.EndObject().Key("damaged").BeginArray();
  for (const auto& d : inspection.damaged) {
    json.BeginObject().Key("path").Text(d.path).Key("reason").Text(d.reason).EndObject();
  }
  json.EndArray().Key("journals").BeginObject().Key("live").Number(inspection.live_journals);
  json.Key("left")
      .Number(inspection.left_journals)
      .Key("left_items")
      .Number(inspection.left_items)
      .EndObject()
      .Key("unsent")
      .BeginObject()
      .Key("journals")
      .Number(inspection.unsent_journals)
      .Key("bytes")
      .Number(inspection.unsent_bytes)
      .EndObject()
      .Key("ledger");
  if (inspection.ledgers > 0) {
    json.Raw(inspection.ledger.ToJson());
  } else {
    json.Null();
  }
  return json.EndObject().json();
}

}  // namespace otlp_arrow
