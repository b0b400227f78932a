// Outcomes of requests and the messages in them.
#pragma once

#include <string>

#include "forward/otlp_sender.h"
#include "senders/sender_factory.h"

namespace otlp_arrow {

SendOutcome Failed(SendOutcome::Kind kind, std::string message);
// Of a sender that was told to Cancel.
SendOutcome Cancelled();

// The outcome with a message that can stand in a log line: bounded, printable UTF-8 on one line, and without what is secret.
SendOutcome Tidy(const SenderOptions& options, SendOutcome outcome);

}  // namespace otlp_arrow
