#include "server/http/http_routes.h"

#include <optional>
#include <string>

#include "server/http/http_text.h"
#include "server/http/prometheus_text.h"

namespace otlp_arrow {
namespace {

constexpr std::string_view kHome =
    "otlp-arrow records OpenTelemetry data as Apache Arrow files.\n"
    "\n"
    "Send (OTLP/HTTP, binary protobuf or JSON, with gzip, deflate, zstd or neither):\n"
    "  POST /v1/traces  POST /v1/metrics  POST /v1/logs\n"
    "An OpenTelemetry SDK needs OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf and\n"
    "OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:PORT with this server's host and port.\n"
    "OTLP/gRPC has a port of its own, 4317 by default.\n"
    "\n"
    "Look after:\n"
    "  GET /healthz  the process serves\n"
    "  GET /readyz   it takes data; 503 with the reason where not\n"
    "  GET /metrics  what became of every item, for Prometheus\n"
    "\n"
    "Query: everything is in files under OUTPUT_DIR/otlp/{traces,metrics,logs}/,\n"
    "one row per span, data point or log record.\n"
    "  command line  otlp-arrow query\n"
    "  Python        otlp_arrow_library.open(\"OUTPUT_DIR\")\n"
    "  any reader of Arrow IPC files: pyarrow.dataset, pandas.read_feather, polars.scan_ipc\n";

struct Page {
  std::string_view path;
  Route::Kind kind;
};
constexpr Page kPages[] = {
    {"/", Route::Kind::kHome},
    {"/healthz", Route::Kind::kHealthz},
    {"/readyz", Route::Kind::kReadyz},
    {"/metrics", Route::Kind::kMetrics},
};

// Without the query and, for requests through a proxy, without scheme and authority (RFC 9112, 3.2.2).
std::string_view PathOf(std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  if (const size_t scheme_end = path.find("://"); scheme_end != path.npos && !path.starts_with('/')) {
    const size_t path_start = path.find('/', scheme_end + 3);
    path = path_start == path.npos ? std::string_view("/") : path.substr(path_start);
  }
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::optional<Signal> ExportSignal(std::string_view path) {
  constexpr std::string_view kPrefix = "/v1/";
  if (!path.starts_with(kPrefix)) return std::nullopt;
  return SignalFromName(path.substr(kPrefix.size()));
}

HttpResponse Readyz(const Pipeline& pipeline) {
  std::string why;
  HttpResponse response;
  if (pipeline.Ready(&why)) {
    response.body = "ready\n";
  } else {
    response.status = 503;
    response.body = "not ready: " + why + "\n";
  }
  return response;
}

HttpResponse Metrics(const Pipeline& pipeline) {
  HttpResponse response;
  response.content_type = kPrometheusType;
  response.body = PrometheusText(pipeline);
  return response;
}

}  // namespace

Route FindRoute(std::string_view method, std::string_view target) {
  const std::string_view path = PathOf(target);
  Route route;
  if (const auto signal = ExportSignal(path)) {
    route.kind = method == "POST" ? Route::Kind::kExport : method == "OPTIONS" ? Route::Kind::kOptions : Route::Kind::kMethodNotAllowed;
    route.signal = *signal;
    route.allow = kExportMethods;
    return route;
  }
  for (const Page& page : kPages) {
    if (page.path != path) continue;
    route.kind = method == "GET" || method == "HEAD" ? page.kind : Route::Kind::kMethodNotAllowed;
    route.allow = "GET, HEAD";
  }
  return route;
}

HttpResponse ServePage(Route::Kind kind, const Pipeline& pipeline) {
  HttpResponse response;
  switch (kind) {
    case Route::Kind::kReadyz: return Readyz(pipeline);
    case Route::Kind::kMetrics: return Metrics(pipeline);
    case Route::Kind::kHealthz: response.body = "ok\n"; break;
    default: response.body = kHome; break;
  }
  return response;
}

BodyType BodyTypeOf(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ') || content_type.ends_with('\t')) content_type.remove_suffix(1);
  if (EqualsIgnoringCase(content_type, kProtobufType)) return BodyType::kProtobuf;
  return EqualsIgnoringCase(content_type, kJsonType) ? BodyType::kJson : BodyType::kOther;
}

}  // namespace otlp_arrow
