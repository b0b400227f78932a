// gRPC's own messages, in the project's log.
#pragma once

namespace otlp_arrow {

// From the first call on, what gRPC would print to stderr goes to the log. For the whole process.
void RouteGrpcLog();

}  // namespace otlp_arrow
