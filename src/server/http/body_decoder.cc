#include "server/http/body_decoder.h"

#include <optional>
#include <utility>

#include "otlp/json_request.h"
#include "server/http/http_body.h"
#include "server/http/http_text.h"

namespace otlp_arrow {
namespace {

constexpr size_t kMaxSpareWire = 1 << 20;  // that a thread keeps for its next request

DecodedBody FromJson(Signal signal, std::string_view json, Pipeline* pipeline) {
  thread_local JsonRequestReader reader;
  thread_local std::string wire;
  const Status status = reader.ToWire(signal, json, &wire);
  if (!status.ok()) return {DecodedBody::Outcome::kMalformed, {}, status.message(), "malformed"};
  DecodedBody decoded{DecodedBody::Outcome::kOk, CopyOf(wire, pipeline), {}, {}};
  if (wire.capacity() > kMaxSpareWire) wire = std::string();
  return decoded;
}

}  // namespace

bool SetEncoding(std::string_view content_encoding, BodyForm* form) {
  form->inflate = nullptr;
  if (content_encoding.empty() || EqualsIgnoringCase(content_encoding, "identity")) return true;
  if (EqualsIgnoringCase(content_encoding, "gzip") || EqualsIgnoringCase(content_encoding, "x-gzip")) form->inflate = &Gunzip;
  if (EqualsIgnoringCase(content_encoding, "deflate")) form->inflate = &Undeflate;
  if (EqualsIgnoringCase(content_encoding, "zstd")) form->inflate = &Unzstd;
  return form->inflate != nullptr;
}

DecodedBody DecodeBody(const BodyForm& form, Signal signal, std::string_view body, uint64_t limit, Pipeline* pipeline) {
  InflateResult inflated;
  if (form.inflate) {
    inflated = form.inflate({&body, 1}, limit, pipeline);
    switch (inflated.outcome) {
      case InflateResult::Outcome::kTooLarge: return {DecodedBody::Outcome::kTooLarge, {}, {}, "too_large"};
      case InflateResult::Outcome::kMalformed: return {DecodedBody::Outcome::kMalformed, {}, std::move(inflated.error), "bad_compression"};
      case InflateResult::Outcome::kOk: break;
    }
    if (!form.is_json) return {DecodedBody::Outcome::kOk, std::move(inflated.bytes), {}, {}};
    body = {inflated.bytes.data, inflated.bytes.size};
  }
  return form.is_json ? FromJson(signal, body, pipeline) : DecodedBody{DecodedBody::Outcome::kOk, CopyOf(body, pipeline), {}, {}};
}

}  // namespace otlp_arrow
