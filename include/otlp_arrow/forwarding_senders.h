// Handing senders from one module that has this library in it to another of the same build, which has its own: the shared libraries'
// components and the Python package's extension modules do. Programs call EnableForwarding of service.h.
#pragma once

#include <memory>

#include "otlp_arrow/export.h"

namespace otlp_arrow {

class SenderFactory;

// This module's senders: null where none are registered.
OTLP_ARROW_EXPORT void RegisterSenderFactory(std::shared_ptr<SenderFactory> factory);
OTLP_ARROW_EXPORT std::shared_ptr<SenderFactory> RegisteredSenderFactory();

}  // namespace otlp_arrow
