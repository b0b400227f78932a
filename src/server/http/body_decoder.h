// From the body of an export as it was sent to the OTLP bytes that the pipeline takes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "otlp_arrow/signal.h"
#include "pipeline/pipeline.h"
#include "server/common/inflate.h"

namespace otlp_arrow {

struct BodyForm {
  bool is_json = false;
  InflateResult (*inflate)(std::span<const std::string_view>, uint64_t, Pipeline*) = nullptr;  // null: it is not compressed

  bool is_plain() const { return !is_json && !inflate; }
};

// Sets `form->inflate` by Content-Encoding: gzip, deflate, zstd, identity, or none. False where it is another.
bool SetEncoding(std::string_view content_encoding, BodyForm* form);

struct DecodedBody {
  enum class Outcome { kOk, kTooLarge, kMalformed };

  Outcome outcome = Outcome::kOk;
  Pipeline::WritableBytes bytes;    // where kOk
  std::string error;                // where kMalformed: a sentence for the sender
  std::string_view reason;          // where not kOk: for the ledger
};

// Of a body that is not plain. At most `limit` bytes come of inflating it. Throws only std::bad_alloc.
DecodedBody DecodeBody(const BodyForm& form, Signal signal, std::string_view body, uint64_t limit, Pipeline* pipeline);

}  // namespace otlp_arrow
