// What a completion queue of the gRPC server hands back.
#pragma once

namespace otlp_arrow {

// One operation under way on a completion queue. Each queue has one thread, so a tag's owner needs no lock for what
// only tags of its queue touch.
class CompletionTag {
 public:
  virtual ~CompletionTag() = default;
  // The operation ended; not `ok`: it did not take place, or the server is stopping. May delete the tag.
  virtual void Proceed(bool ok) = 0;
};

}  // namespace otlp_arrow
