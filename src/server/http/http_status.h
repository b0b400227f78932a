// What the HTTP server answers where a request fails, and to a decision of the pipeline: the one place that knows
// HTTP's codes. Errors have a google.rpc.Status as body, in the request's encoding; for who sent no telemetry, a line of text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "otlp_arrow/signal.h"
#include "pipeline/pipeline.h"
#include "server/http/http_response.h"

namespace otlp_arrow {

// Who reads the response's body.
enum class Audience { kProtobuf, kJson, kText };

// 200 where the pipeline accepted; 400 malformed, 429 no room, 503 disk or shutdown, the last two with Retry-After.
HttpResponse ToHttpResponse(Audience audience, Signal signal, const AcceptResult& result);

HttpResponse BadRequest(Audience audience, std::string_view message);
// `hint`: what to send.
HttpResponse Unauthorized(Audience audience, std::string_view hint);
HttpResponse NotFound(Audience audience, std::string_view target);
HttpResponse MethodNotAllowed(Audience audience, std::string_view method, std::string_view target, std::string_view allow);
HttpResponse LengthRequired(Audience audience);
// `what` begins the sentence.
HttpResponse TooLarge(Audience audience, std::string_view what, uint64_t limit);
HttpResponse WrongContentType(Audience audience, std::string_view content_type);
HttpResponse WrongContentEncoding(Audience audience, std::string_view encoding);
HttpResponse NoRoomToReceive(Audience audience, uint64_t limit);
HttpResponse NoMemory(Audience audience);

// CORS: a page asks before it sends. `headers`: that it may add.
HttpResponse PreflightAllowed(std::string_view headers, uint32_t max_age_secs);
HttpResponse PreflightRefused(std::string_view origin);

// These end the connection. `key`: of the time-out that was exceeded.
HttpResponse BadVersion();
HttpResponse HeaderTooLarge(uint64_t limit);
HttpResponse TimedOut(Audience audience, std::string_view what, uint32_t seconds, std::string_view key);
HttpResponse TooManyConnections(uint32_t limit);
HttpResponse TooManyConnectionsOfClient(uint32_t limit);

}  // namespace otlp_arrow
