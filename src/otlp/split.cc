#include "otlp/split.h"

#include <span>
#include <vector>

#include "otlp/wire.h"
#include "otlp_arrow/wire_writer.h"

namespace otlp_arrow {
namespace {

using wire::Cursor;

// The fields of a message in which the next level's messages stand: a bit for each field number.
using FieldMask = uint32_t;
constexpr FieldMask Field(uint32_t number) { return 1u << number; }
constexpr FieldMask kMetricData = Field(5) | Field(7) | Field(9) | Field(10) | Field(11);

// Request > Resource… > Scope… > item, and for metrics > data > data point.
constexpr FieldMask kItemLevels[] = {Field(1), Field(2), Field(2)};
constexpr FieldMask kPointLevels[] = {Field(1), Field(2), Field(2), kMetricData, Field(1)};
std::span<const FieldMask> LevelsOf(Signal signal) {
  if (signal == Signal::kMetrics) return kPointLevels;
  return kItemLevels;
}

struct FieldBytes {
  uint32_t number = 0;
  bool is_child = false;
  std::string_view all;   // tag, length and body
  std::string_view body;  // of a child
};

// Data is a oneof: another kind replaces what came before, the same kind adds to it.
void KeepLastData(std::vector<FieldBytes>* fields) {
  uint32_t last = 0;
  bool replaced = false;
  for (size_t i = fields->size(); i-- > 0;) {
    const FieldBytes& field = (*fields)[i];
    if (!field.is_child) continue;
    if (last == 0) last = field.number;
    replaced |= field.number != last;
    if (replaced) fields->erase(fields->begin() + static_cast<std::ptrdiff_t>(i));
  }
}

bool ReadFields(std::string_view message, FieldMask children, std::vector<FieldBytes>* fields) {
  Cursor c(message);
  while (!c.done()) {
    const uint8_t* begin = c.p;
    uint32_t tag = 0;
    if (!wire::ReadTag(&c, &tag)) return false;
    FieldBytes field;
    field.number = tag >> 3;
    if ((tag & 7) == wire::kLen && field.number < 32 && (children & Field(field.number))) {
      Cursor body(nullptr, nullptr);
      if (!wire::ReadLen(&c, &body)) return false;
      field.is_child = true;
      field.body = body.rest();
    } else if (!wire::SkipValue(&c, tag)) {
      return false;
    }
    field.all = {reinterpret_cast<const char*>(begin), static_cast<size_t>(c.p - begin)};
    fields->push_back(field);
  }
  if (children == kMetricData) KeepLastData(fields);
  return true;
}

void AppendChild(uint32_t number, std::string_view body, std::string* out) {
  wire::Writer writer;
  writer.Bytes(number, body);
  out->append(writer.view());
}

// How many of the children go to the first half: at least one, and not all.
size_t FirstHalf(const std::vector<FieldBytes>& fields, size_t children) {
  size_t total = 0, taken = 0, count = 0;
  for (const FieldBytes& field : fields) total += field.is_child ? field.all.size() : 0;
  for (const FieldBytes& field : fields) {
    if (!field.is_child) continue;
    if (count > 0 && (taken + field.all.size() / 2 >= total / 2 || count + 1 == children)) break;
    taken += field.all.size();
    ++count;
  }
  return count;
}

std::optional<RequestHalves> Split(std::string_view message, std::span<const FieldMask> levels) {
  if (levels.empty()) return std::nullopt;
  std::vector<FieldBytes> fields;
  if (!ReadFields(message, levels[0], &fields)) return std::nullopt;
  size_t children = 0;
  for (const FieldBytes& field : fields) children += field.is_child;
  if (children == 0) return std::nullopt;
  RequestHalves halves;
  std::optional<RequestHalves> inner;
  size_t first = 0;
  if (children == 1) {
    for (const FieldBytes& field : fields) {
      if (field.is_child) inner = Split(field.body, levels.subspan(1));
    }
    if (!inner) return std::nullopt;
  } else {
    first = FirstHalf(fields, children);
  }
  size_t seen = 0;
  for (const FieldBytes& field : fields) {
    if (!field.is_child) {
      halves.first.append(field.all);
      halves.second.append(field.all);
    } else if (inner) {
      AppendChild(field.number, inner->first, &halves.first);
      AppendChild(field.number, inner->second, &halves.second);
    } else {
      (seen++ < first ? halves.first : halves.second).append(field.all);
    }
  }
  return halves;
}

// --- without what is rejected ---

// What a container says of all that is in it: its fields but the children.
std::string OwnFields(const std::vector<FieldBytes>& fields) {
  std::string own;
  for (const FieldBytes& field : fields) {
    if (!field.is_child) own.append(field.all);
  }
  return own;
}

bool IsValidItem(Signal signal, uint32_t data_field, std::string_view item, const ScanLimits& limits) {
  switch (signal) {
    case Signal::kTraces: return CheckSpan(item, limits) == ItemFault::kNone;
    case Signal::kLogs: return CheckLogRecord(item, limits) == ItemFault::kNone;
    case Signal::kMetrics: return CheckDataPoint(data_field, item, limits) == ItemFault::kNone;
  }
  return false;
}

// Which check a message at this depth needs besides that of its items: 1 resource, 2 scope, 3 metric.
bool IsValidContainer(size_t depth, std::string_view own, const ScanLimits& limits) {
  switch (depth) {
    case 1: return CheckContainer(Container::kResource, own, limits) == ItemFault::kNone;
    case 2: return CheckContainer(Container::kScope, own, limits) == ItemFault::kNone;
    case 3: return CheckContainer(Container::kMetric, own, limits) == ItemFault::kNone;
    default: return true;
  }
}

// Appends what is left of `message`; false where nothing is.
bool Prune(Signal signal, const ScanLimits& limits, size_t depth, uint32_t number, std::string_view message, std::string* out) {
  const auto levels = LevelsOf(signal);
  if (depth == levels.size()) {
    if (!IsValidItem(signal, number, message, limits)) return false;
    out->append(message);
    return true;
  }
  std::vector<FieldBytes> fields;
  if (!ReadFields(message, levels[depth], &fields) || !IsValidContainer(depth, OwnFields(fields), limits)) return false;
  bool any_child = false, any_left = false;
  std::string kept;
  for (const FieldBytes& field : fields) {
    if (!field.is_child) {
      kept.append(field.all);
      continue;
    }
    any_child = true;
    std::string body;
    // A data point is checked by the kind of its metric: the field that its data stands in.
    if (!Prune(signal, limits, depth + 1, depth + 1 == levels.size() ? number : field.number, field.body, &body)) continue;
    AppendChild(field.number, body, &kept);
    any_left = true;
  }
  if (any_child && !any_left) return false;
  out->append(kept);
  return true;
}

}  // namespace

std::optional<RequestHalves> SplitOtlp(Signal signal, std::string_view request) { return Split(request, LevelsOf(signal)); }

std::string WithoutRejectedItems(Signal signal, std::string_view request, const ScanLimits& limits) {
  std::string kept;
  if (!Prune(signal, limits, 0, 0, request, &kept)) kept.clear();
  return kept;
}

}  // namespace otlp_arrow
