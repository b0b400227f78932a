// OTLP/JSON requests, as people and browsers send them over HTTP, into the wire bytes that everything else here takes.
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// One for each thread that reads requests: it keeps its memory between them. Never throws but for std::bad_alloc.
//
// Ids are hexadecimal, 64-bit integers numbers or strings, enumerations numbers or names, bytes base64 (also URL-safe or
// unpadded); names are lowerCamelCase or as in the .proto files, null means absent, unknown fields are stepped over. A field
// that comes twice is what protobuf makes of a field that comes twice. Texts may hold halves of surrogate pairs: these become U+FFFD.
class JsonRequestReader {
 public:
  static constexpr size_t kWindowBytes = 64 << 10;

  // The text is indexed in windows of about `window_bytes`, so that memory does not grow with it.
  explicit JsonRequestReader(size_t window_bytes = kWindowBytes);
  ~JsonRequestReader();
  JsonRequestReader(JsonRequestReader&&) noexcept;
  JsonRequestReader& operator=(JsonRequestReader&&) noexcept;

  // Replaces `wire` by the Export…ServiceRequest that `json` stands for; at most about as long as `json`. `wire` keeps its memory.
  // Errors: kExport, not retryable, for what is no such request; the message names the place and what is allowed:
  // "resourceSpans[0].scopeSpans[0].spans[3].traceId: ... (byte 1234)". `wire` is empty then.
  // What makes an item invalid but can be written as protobuf (an id of the wrong length, values nested too deep) passes:
  // the scan judges it, as it does for protobuf.
  Status ToWire(Signal signal, std::string_view json, std::string* wire);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace otlp_arrow
