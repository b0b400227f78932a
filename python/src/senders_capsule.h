// How _service, which has gRPC, hands its senders to _native, which has none: a capsule around a std::shared_ptr<SenderFactory>. Its
// name holds what both must have been built with.
#pragma once

#include "otlp_arrow/forwarding_senders.h"

namespace otlp_arrow::python {

inline constexpr char kSendersCapsule[] = "otlp_arrow_library senders " OTLP_ARROW_BUILD " " __VERSION__;

}  // namespace otlp_arrow::python
