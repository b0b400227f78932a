#include <algorithm>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "otlp_arrow/sdk/provider.h"
#include "sdk/environment.h"
#include "sdk/text.h"

namespace otlp_arrow::sdk {
namespace {

void AddMissing(std::string key, std::string value, Resource* resource) {
  if (!FindAttribute(resource->attributes, key)) resource->attributes.push_back({std::move(key), std::move(value)});
}

// "key1=value1,key2=value2", values percent-encoded.
void AddFromVariable(std::string_view text, Resource* resource) {
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view entry = Trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (entry.empty()) continue;
    const size_t equals = entry.find('=');
    const std::string_view key = Trim(entry.substr(0, equals));
    if (equals == std::string_view::npos || key.empty() || !IsUtf8(entry)) {
      spdlog::warn("OTEL_RESOURCE_ATTRIBUTES: '{}' is left out; entries are key=value, with a comma in between", ReplaceInvalidUtf8(entry));
      continue;
    }
    AddMissing(std::string(key), ReplaceInvalidUtf8(PercentDecoded(Trim(entry.substr(equals + 1)))), resource);
  }
}

}  // namespace

Resource CompleteResource(Resource resource) {
  const std::string_view name = Environment("OTEL_SERVICE_NAME");
  if (!name.empty()) AddMissing("service.name", ReplaceInvalidUtf8(name), &resource);
  AddFromVariable(Environment("OTEL_RESOURCE_ATTRIBUTES"), &resource);
  AddMissing("service.name", "unknown_service", &resource);
  AddMissing("telemetry.sdk.language", "cpp", &resource);
  AddMissing("telemetry.sdk.name", "otlp-arrow", &resource);
  AddMissing("telemetry.sdk.version", OTLP_ARROW_SDK_VERSION, &resource);
  return resource;
}

}  // namespace otlp_arrow::sdk
