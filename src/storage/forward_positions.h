// How far each destination has come in a journal: a small file beside the segments, mapped, so that a position is safe from
// the death of the process as soon as it is set. docs/formats/journal.md
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/platform/shared_file.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "storage/journal.h"

namespace otlp_arrow {

// Thread-safe; one destination's position is set by one thread at a time.
class ForwardPositions {
 public:
  static constexpr size_t kMaxDestinations = 32;
  static constexpr size_t kMaxNameBytes = 64;

  // Opens the file of a writer's directory, or creates it. Errors: kIo.
  static Result<std::unique_ptr<ForwardPositions>> Open(const std::string& writer_dir);
  static std::string PathIn(const std::string& writer_dir) { return writer_dir + "/forwarded"; }

  // The place of a destination, which is made where there is none, beginning at zeros. Errors: kConfig: the name is empty or too
  // long, or there are too many.
  Result<size_t> PlaceOf(std::string_view name);
  // Those that have a place.
  std::vector<std::string> names() const;

  // Everything of a signal up to this sequence number needs sending no more.
  StoredSequences Get(size_t place) const;
  void Set(size_t place, Signal signal, uint64_t sequence);

 private:
  struct Layout;
  explicit ForwardPositions(platform::Mapping mapping) : mapping_(std::move(mapping)) {}
  Layout* layout() const;

  platform::Mapping mapping_;
};

}  // namespace otlp_arrow
