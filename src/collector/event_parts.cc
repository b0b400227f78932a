#include "collector/event_parts.h"

#include <utility>

namespace otlp_arrow {

void EventParts::Clear() {
  parts_.clear();
  joined_.clear();
}

bool EventParts::Join() {
  std::vector<ring::EventView> whole_parts;
  bool all = true;
  for (size_t i = 0; i < parts_.size();) {
    if (parts_[i].piece.empty()) {
      whole_parts.push_back(parts_[i++]);
      continue;
    }
    std::string& bytes = joined_.emplace_back();
    for (; i < parts_.size() && !parts_[i].piece.empty(); ++i) bytes += parts_[i].piece;
    const auto whole = ring::ReadEvent(bytes);
    if (!whole || whole_parts.empty() || !whole_parts.back().is_cut) {
      all = false;
      continue;
    }
    ring::EventView& cut = whole_parts.back();
    if (whole->body) cut.body = whole->body;
    if (!whole->attributes.empty()) cut.attributes = whole->attributes;
  }
  parts_ = std::move(whole_parts);
  return all;
}

}  // namespace otlp_arrow
