// Log records and events of spans that were recorded in several parts. docs/formats/mmap.md
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "ring/records.h"

namespace otlp_arrow {

// The parts of one record, in their order, with what stands in pieces put together. Views of the parts stay views.
class EventParts {
 public:
  void Clear();
  void Add(const ring::EventView& part) { parts_.push_back(part); }
  // False where pieces are missing: then what is cut stays so.
  bool Join();
  bool empty() const { return parts_.empty(); }
  const std::vector<ring::EventView>& parts() const { return parts_; }

 private:
  std::vector<ring::EventView> parts_;
  std::deque<std::string> joined_;  // which some of the parts view
};

}  // namespace otlp_arrow
