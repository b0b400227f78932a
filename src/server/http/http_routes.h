// Which path does what.
#pragma once

#include <string_view>

#include "otlp_arrow/signal.h"
#include "pipeline/pipeline.h"
#include "server/http/http_response.h"

namespace otlp_arrow {

inline constexpr std::string_view kExportMethods = "POST";

struct Route {
  enum class Kind { kExport, kOptions, kHealthz, kReadyz, kMetrics, kHome, kNotFound, kMethodNotAllowed };

  Kind kind = Kind::kNotFound;
  Signal signal = Signal::kTraces;  // of kExport, and of kOptions, which asks what an export may be
  std::string_view allow;           // of kExport, kOptions and kMethodNotAllowed
};

// `target` is the request target, with or without a query; a slash at its end makes no difference.
Route FindRoute(std::string_view method, std::string_view target);

// The response of the kinds that are neither an export nor an error.
HttpResponse ServePage(Route::Kind kind, const Pipeline& pipeline);

// What Content-Type says, with or without parameters.
enum class BodyType { kProtobuf, kJson, kOther };
BodyType BodyTypeOf(std::string_view content_type);

}  // namespace otlp_arrow
