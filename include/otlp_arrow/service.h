// The service inside another program: its command line, its senders, and servers for tests that keep what they receive in memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "otlp_arrow/config.h"
#include "otlp_arrow/export.h"
#include "otlp_arrow/forwarding_senders.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Runs the program otlp-arrow with these arguments, the program's name first, and returns its exit code. `environment` is
// a list of NAME=value that ends with a null pointer. Writes to standard output and error, and takes SIGINT, SIGTERM and
// SIGHUP until it returns: for the main thread alone.
OTLP_ARROW_EXPORT int RunCommandLine(std::vector<std::string> arguments, char** environment);

// What sends over gRPC, HTTP and Flight; the core has none of these.
OTLP_ARROW_EXPORT std::shared_ptr<SenderFactory> ForwardingSenders();

// Lets every OtlpLibrary of this process forward to the destinations of its Config. Call it before OtlpLibrary::Create, as often as you like.
inline void EnableForwarding() { RegisterSenderFactory(ForwardingSenders()); }

// The settings of a YAML file, as the program reads them (docs/configuration.md), and defaults for the rest; the environment is
// left to ConfigBuilder. Errors: kConfig, naming file, line and key.
OTLP_ARROW_EXPORT Result<Config> ReadYamlConfig(const std::string& path);

// A request that a mock server has taken.
struct ReceivedRequest {
  Signal signal = Signal::kTraces;
  std::string protocol;  // "grpc" or "http"
  std::string bytes;     // an OTLP Export…ServiceRequest
};

// An answer other than "taken".
enum class MockAnswer {
  kUnavailable,  // try again: gRPC UNAVAILABLE, HTTP 503
  kOverloaded,   // try again later: gRPC RESOURCE_EXHAUSTED with RetryInfo, HTTP 429 with Retry-After
  kRefused,      // never try again: gRPC INVALID_ARGUMENT, HTTP 400
};

struct MockServerOptions {
  GrpcConfig grpc{.enabled = true, .address = "127.0.0.1:0"};
  HttpConfig http{.enabled = true, .address = "127.0.0.1:0"};
};

// OTLP over gRPC and HTTP, checked as the service checks it, nothing stored. Thread-safe.
class OTLP_ARROW_EXPORT MockOtlpServer {
 public:
  // Errors: kServer where an address cannot be listened on.
  static Result<std::unique_ptr<MockOtlpServer>> Start(const MockServerOptions& options = {});
  virtual ~MockOtlpServer() = default;

  // host:port with the port that was taken; empty where the server is not enabled.
  virtual std::string grpc_address() const = 0;
  virtual std::string http_address() const = 0;

  // The next `count` requests of whatever signal get this answer and are not kept. The newest call counts.
  virtual void AnswerNext(uint64_t count, MockAnswer answer, const std::string& message) = 0;
  // Requests that were answered otherwise than taken: as AnswerNext said, and malformed ones.
  virtual uint64_t refused_requests() const = 0;

  // Gives away what was received since the last call, in the order of arrival.
  virtual std::vector<ReceivedRequest> TakeRequests() = 0;
  // Returns when there is something to take, when the time is over, or after Stop.
  virtual void WaitForRequests(std::chrono::milliseconds timeout) = 0;

  // Stops listening; what was received can still be taken. Later calls do nothing.
  virtual void Stop() = 0;

 protected:
  MockOtlpServer() = default;
};

}  // namespace otlp_arrow
