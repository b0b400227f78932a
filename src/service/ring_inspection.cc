#include "service/ring_inspection.h"

#include <algorithm>
#include <cstring>
#include <variant>

#include <fmt/format.h>

#include "base/platform/platform.h"
#include "ring/records.h"
#include "service/human_text.h"
#include "base/json_writer.h"

namespace otlp_arrow {
namespace {

using ring::RingInspector;
using ring::RingKind;

constexpr size_t kMostText = 200;  // characters of a value
constexpr size_t kMostEntriesInText = 40;

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return text;
}

// What a terminal can show of it.
std::string Printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kMostText)) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown += c;
    }
  }
  return shown + (text.size() > kMostText ? "…" : "");
}

// Decodes what refers to the dictionary of one file.
class RecordText {
 public:
  explicit RecordText(const RingInspector& file) : file_(file) {}

  std::string Of(RingKind ring, std::string_view bytes) const {
    switch (ring) {
      case RingKind::kSpans: return OfSpan(bytes);
      case RingKind::kEvents: return OfEvent(bytes);
      case RingKind::kMeasurements: return OfMeasurement(bytes);
    }
    return "unreadable";
  }

  // What an entry is, only its users know; this says what it looks like.
  std::string OfEntry(std::string_view bytes) const {
    const bool is_text = std::none_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20; });
    if (is_text) return "\"" + Printable(bytes) + "\"";
    if (const auto metric = ring::ReadMetric(bytes); metric && !metric->name.empty() && metric->aggregation.index() != 0) {
      static constexpr const char* kKinds[] = {"", "gauge", "sum", "histogram", "exponential histogram"};
      return fmt::format("{} \"{}\"{}", kKinds[metric->aggregation.index()], Printable(metric->name), metric->unit.empty() ? "" : " in " + Printable(metric->unit));
    }
    if (const auto scope = ring::ReadScope(bytes); scope && scope->name != 0) return "scope " + Reference(scope->name) + Attributes(scope->attributes);
    if (const auto resource = ring::ReadResource(bytes)) return "resource" + Attributes(resource->attributes);
    return fmt::format("{} bytes", bytes.size());
  }

 private:
  std::string Reference(ring::Ref reference) const {
    const auto entry = file_.Entry(reference);
    return entry.ok() ? "\"" + Printable(*entry) + "\"" : fmt::format("(broken reference {})", reference);
  }

  std::string Key(ring::Ref reference) const {
    const auto entry = file_.Entry(reference);
    return entry.ok() ? Printable(*entry) : fmt::format("(broken reference {})", reference);
  }

  std::string Value(const ring::AnyView& value, int depth) const {
    using Type = ring::Value::Type;
    switch (value.type) {
      case Type::kString: return "\"" + Printable(value.bytes) + "\"";
      case Type::kBool: return value.boolean ? "true" : "false";
      case Type::kInt: return std::to_string(value.integer);
      case Type::kDouble: return fmt::format("{}", value.number);
      case Type::kBytes: return fmt::format("{} bytes", value.bytes.size());
      case Type::kRef: return Reference(value.integer);
      case Type::kArray:
      case Type::kMap: return depth > 4 ? "…" : Elements(value, depth);
      default: return "null";
    }
  }

  std::string Elements(const ring::AnyView& value, int depth) const {
    const bool is_map = value.type == ring::Value::Type::kMap;
    std::string text;
    for (std::string_view element : value.elements) {
      if (!text.empty()) text += ", ";
      if (is_map) {
        const auto pair = ring::ReadAttribute(element);
        text += Key(pair.key) + "=" + Value(pair.value, depth + 1);
      } else {
        text += Value(ring::ReadAny(element), depth + 1);
      }
    }
    return is_map ? "{" + text + "}" : "[" + text + "]";
  }

  std::string Attributes(const ring::Repeated& attributes) const {
    std::string text;
    for (std::string_view pair : attributes) {
      const auto attribute = ring::ReadAttribute(pair);
      text += " " + Key(attribute.key) + "=" + Value(attribute.value, 0);
    }
    return text;
  }

  static std::string Status(const ring::StatusView& status) {
    static constexpr const char* kCodes[] = {"unset", "ok", "error"};
    const char* code = status.code >= 0 && status.code < 3 ? kCodes[status.code] : "unknown status";
    return fmt::format(" {}{}", code, status.message.empty() ? "" : " \"" + Printable(status.message) + "\"");
  }

  static std::string Context(const std::optional<ring::ContextView>& context) {
    return context ? " in " + Hex(context->trace_id) + "/" + Hex(context->span_id) : "";
  }

  std::string OfSpan(std::string_view bytes) const {
    const auto record = ring::ReadSpanEvent(bytes);
    if (!record) return "unreadable";
    const std::string id = Hex(record->trace_id) + "/" + Hex(record->span_id);
    if (const auto* start = std::get_if<ring::StartSpanView>(&record->event)) {
      return fmt::format("start {} \"{}\" at {}{}", id, Printable(start->name), UtcTime(static_cast<int64_t>(start->start_time_unix_nano)), Attributes(start->attributes));
    }
    if (const auto* end = std::get_if<ring::EndSpanView>(&record->event)) {
      return fmt::format("end {} at {}{}", id, UtcTime(static_cast<int64_t>(end->end_time_unix_nano)), end->status ? Status(*end->status) : "");
    }
    if (const auto* name = std::get_if<ring::ChangeNameView>(&record->event)) return fmt::format("name {} \"{}\"", id, Printable(name->name));
    if (const auto* update = std::get_if<ring::UpdateAttributesView>(&record->event)) {
      if (update->part_id != 0) return fmt::format("piece {} of {} bytes", id, update->piece.size());
      return fmt::format("attributes {}{}{}", id, Attributes(update->attributes), update->status ? Status(*update->status) : "");
    }
    if (const auto* links = std::get_if<ring::AddLinkView>(&record->event)) {
      std::string text = "link " + id;
      for (std::string_view link : links->links) text += " to" + Context(ring::ReadLink(link).context).substr(3);
      return text;
    }
    return "nothing that is known, of " + id;
  }

  std::string OfEvent(std::string_view bytes) const {
    const auto event = ring::ReadEvent(bytes);
    if (!event) return "unreadable";
    if (!event->piece.empty()) return fmt::format("piece of {} bytes", event->piece.size());
    std::string text = "event at " + UtcTime(static_cast<int64_t>(event->time_unix_nano));
    if (event->event_name != 0) text += " " + Reference(event->event_name);
    if (event->severity_number != 0) text += fmt::format(" severity {}", event->severity_number);
    if (event->body) text += " " + Value(*event->body, 0);
    return text + Context(event->context) + Attributes(event->attributes);
  }

  std::string OfMeasurement(std::string_view bytes) const {
    const auto measurement = ring::ReadMeasurement(bytes);
    if (!measurement) return "unreadable";
    const auto entry = file_.Entry(measurement->metric);
    const auto metric = entry.ok() ? ring::ReadMetric(*entry) : std::nullopt;
    std::string value = "no value";
    if (const auto* whole = std::get_if<int64_t>(&measurement->value)) value = std::to_string(*whole);
    if (const auto* number = std::get_if<double>(&measurement->value)) value = fmt::format("{}", *number);
    return fmt::format("{} {} at {}{}{}", metric ? "\"" + Printable(metric->name) + "\"" : fmt::format("(broken reference {})", measurement->metric), value,
                       UtcTime(static_cast<int64_t>(measurement->time_unix_nano)), Attributes(measurement->attributes), Context(measurement->context));
  }

  const RingInspector& file_;
};

RingRecord Describe(RingKind ring, const RingInspector::Slot& slot, const RecordText& text) {
  RingRecord record{ring, slot.sequence, slot.read ? "read" : "waiting", ""};
  switch (slot.state) {
    case ring::SlotState::kPublished:
      if (slot.bytes.empty()) {
        record.state = "given up";
      } else {
        record.text = text.Of(ring, slot.bytes);
      }
      break;
    case ring::SlotState::kMarked:
      record.state = "being written";
      record.text = fmt::format("by writer {}", slot.writer);
      break;
    case ring::SlotState::kRevoking: record.state = "given up"; break;
    default: record.state = "empty"; break;
  }
  return record;
}

}  // namespace

bool LooksLikeRingFile(const std::string& path) {
  auto file = platform::File::Open(path, platform::File::Mode::kRead);
  if (!file.ok()) return false;
  const auto head = file->ReadAt(0, sizeof(int64_t));
  int64_t version = 0;
  if (!head.ok() || head->size() != sizeof(version)) return false;
  std::memcpy(&version, head->data(), sizeof(version));
  return version == ring::kVersion;
}

Result<RingInspection> InspectRing(const std::string& path, size_t records_of_each_ring) {
  OTLP_ASSIGN_OR_RETURN(const auto file, RingInspector::Open(path));
  RingInspection found;
  found.path = path;
  found.stats = file->stats();
  found.has_consumer = file->HasConsumer();
  OTLP_ASSIGN_OR_RETURN(found.live_writers, file->LiveWriters());
  const RecordText text(*file);
  const auto entries = file->Entries();
  if (!entries.ok()) {
    found.dictionary_problem = entries.status().message();
  } else {
    for (const auto& entry : *entries) found.dictionary.push_back(fmt::format("{}: {}", entry.ref, text.OfEntry(entry.bytes)));
  }
  for (RingKind ring : ring::kAllRings) {
    for (const auto& slot : file->LastSlots(ring, records_of_each_ring)) found.records.push_back(Describe(ring, slot, text));
  }
  return found;
}

std::string RingInspectionText(const RingInspection& found) {
  const ring::FileStats& stats = found.stats;
  std::string text = fmt::format("{}: OTLP-MMAP file, {}, begun {}\n", found.path, stats.native ? "created by otlp-arrow" : "created by another implementation",
                                 UtcTime(static_cast<int64_t>(stats.time_unix_nano)));
  text += fmt::format("{} alive, {} given a number so far; {}\n\n", Counted(static_cast<int64_t>(found.live_writers.size()), "writer"), stats.last_writer,
                      found.has_consumer ? "a collector is reading" : "no collector is reading");
  std::vector<std::vector<std::string>> rows = {{"ring", "slots", "slot size", "waiting", "full", "written so far"}};
  for (RingKind ring : ring::kAllRings) {
    const ring::RingStats& one = stats.rings[static_cast<size_t>(ring)];
    const double full = one.slots == 0 ? 0 : 100.0 * static_cast<double>(one.filled()) / static_cast<double>(one.slots);
    rows.push_back({std::string(ring::RingName(ring)), GroupedNumber(static_cast<int64_t>(one.slots)), HumanBytes(static_cast<int64_t>(one.slot_bytes)),
                    GroupedNumber(static_cast<int64_t>(one.filled())), fmt::format("{:.0f} %", full), GroupedNumber(one.writer_index + 1)});
  }
  text += AlignedTable(rows);
  text += fmt::format("\n{} records dropped as there was no room, {} values cut or left out, {} claims of dead writers given up\n", GroupedNumber(stats.dropped),
                      GroupedNumber(stats.truncated), GroupedNumber(stats.revoked));
  text += fmt::format("\ndictionary: {} entries, {}\n", GroupedNumber(static_cast<int64_t>(found.dictionary.size())), HumanBytes(static_cast<int64_t>(stats.dictionary_bytes)));
  for (size_t i = 0; i < std::min(found.dictionary.size(), kMostEntriesInText); ++i) text += "  " + found.dictionary[i] + "\n";
  if (found.dictionary.size() > kMostEntriesInText) text += fmt::format("  and {} more; --json has them all\n", found.dictionary.size() - kMostEntriesInText);
  if (!found.dictionary_problem.empty()) text += "  damaged: " + found.dictionary_problem + "\n";
  for (RingKind ring : ring::kAllRings) {
    bool first = true;
    for (const RingRecord& record : found.records) {
      if (record.ring != ring) continue;
      if (first) text += fmt::format("\nlast of {}\n", ring::RingName(ring));
      first = false;
      text += fmt::format("  {} {}{}\n", record.sequence, record.state, record.text.empty() ? "" : ": " + record.text);
    }
  }
  return text;
}

std::string RingInspectionJson(const RingInspection& found) {
  const ring::FileStats& stats = found.stats;
  JsonWriter json;
  json.BeginObject().Key("path").Text(found.path).Key("kind").Text("otlp-mmap");
  json.Key("native").Bool(stats.native).Key("time_unix_nano").Raw(std::to_string(stats.time_unix_nano));
  json.Key("live_writers").BeginArray();
  for (uint32_t writer : found.live_writers) json.Number(writer);
  json.EndArray().Key("last_writer").Number(stats.last_writer).Key("has_consumer").Bool(found.has_consumer);
  json.Key("dropped").Number(stats.dropped).Key("truncated").Number(stats.truncated).Key("revoked").Number(stats.revoked);
  json.Key("rings").BeginObject();
  for (RingKind ring : ring::kAllRings) {
    const ring::RingStats& one = stats.rings[static_cast<size_t>(ring)];
    json.Key(ring::RingName(ring)).BeginObject().Key("slots").Number(static_cast<int64_t>(one.slots));
    json.Key("slot_bytes").Number(static_cast<int64_t>(one.slot_bytes)).Key("waiting").Number(static_cast<int64_t>(one.filled()));
    json.Key("reader_index").Number(one.reader_index).Key("writer_index").Number(one.writer_index).EndObject();
  }
  json.EndObject().Key("dictionary_bytes").Number(static_cast<int64_t>(stats.dictionary_bytes)).Key("dictionary").BeginArray();
  for (const std::string& entry : found.dictionary) json.Text(entry);
  json.EndArray().Key("damaged").Text(found.dictionary_problem).Key("records").BeginArray();
  for (const RingRecord& record : found.records) {
    json.BeginObject().Key("ring").Text(ring::RingName(record.ring)).Key("sequence").Number(record.sequence);
    json.Key("state").Text(record.state).Key("text").Text(record.text).EndObject();
  }
  json.EndArray().EndObject();
  return json.json();
}

}  // namespace otlp_arrow
