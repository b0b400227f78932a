// What the HTTP server answers where a request fails, and to a decision of the pipeline: the one place that knows
// HTTP's codes. Errors of protobuf requests have a google.rpc.Status as body, others a line of text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/pipeline.h"
#include "server/http/http_response.h"

namespace otlp_arrow {

// Who reads the response's body.
enum class Audience { kProtobuf, kText };

// 200 where the pipeline accepted; 400 malformed, 429 no room, 503 disk or shutdown, the last two with Retry-After.
HttpResponse ToHttpResponse(const AcceptResult& result);

HttpResponse BadRequest(Audience audience, std::string_view message);
HttpResponse NotFound(Audience audience, std::string_view target);
// `allow` must outlive the response.
HttpResponse MethodNotAllowed(Audience audience, std::string_view method, std::string_view target,
                              std::string_view allow);
// `what` begins the sentence.
HttpResponse TooLarge(Audience audience, std::string_view what, uint64_t limit);
HttpResponse WrongContentType(std::string_view content_type);
HttpResponse WrongContentEncoding(Audience audience, std::string_view encoding);
HttpResponse NoMemory(Audience audience);

// These end the connection.
HttpResponse BadVersion();
HttpResponse HeaderTooLarge(uint64_t limit);
HttpResponse TimedOut(uint32_t seconds);
HttpResponse TooManyConnections(uint32_t limit);

}  // namespace otlp_arrow
