#include "server/flight/flight_port.h"

#include <atomic>
#include <utility>

#include <arrow/flight/types.h>

#include "server/common/listen_error.h"
#include "server/common/probe_address.h"

namespace otlp_arrow {
namespace {

namespace flight = arrow::flight;

constexpr std::string_view kKey = "flight.address";
// A server that is told to end gives its port free at once, if not on the same thread.
constexpr std::chrono::milliseconds kPause{10};
constexpr int kAttempts = 300;

}  // namespace

arrow::Status FlightPort::Listen(const Certificates* certificates) {
  ARROW_ASSIGN_OR_RAISE(const auto location, flight::Location::Parse((certificates ? "grpc+tls://" : "grpc+tcp://") + address_.ToString()));
  flight::FlightServerOptions options(location);
  options.middleware.emplace_back("guard", guard_);
  if (certificates) {
    options.tls_certificates = {flight::CertKeyPair{certificates->chain, certificates->key}};
    options.root_certificates = certificates->client_ca;
    options.verify_client = !certificates->client_ca.empty();
  }
  auto listener = std::make_unique<FlightListener>(service_);
  ARROW_RETURN_NOT_OK(listener->Init(options));
  address_.port = static_cast<uint16_t>(listener->port());
  listener_ = std::move(listener);
  return arrow::Status::OK();
}

Status FlightPort::Open(const HostPort& address, const Certificates* certificates) {
  address_ = address;
  OTLP_RETURN_NOT_OK(ProbeAddress(kKey, address));
  const arrow::Status listens = Listen(certificates);
  if (listens.ok()) return Status::Ok();
  return ListenError(kKey, address.ToString(), "gRPC refused it (" + listens.message() + "); choose another address");
}

Status FlightPort::Reopen(const Certificates* certificates) {
  Retire(kTimeToEnd);
  JoinRetired(false);
  Status free;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    free = ProbeAddress(kKey, address_);
    if (free.ok() && Listen(certificates).ok()) return Status::Ok();
    std::this_thread::sleep_for(kPause);
  }
  return free.ok() ? ListenError(kKey, address_.ToString(), "gRPC refused it; restart the service") : free;
}

void FlightPort::Retire(std::chrono::milliseconds time_to_end) {
  if (!listener_) return;
  Retired& retired = retired_.emplace_back();
  retired.listener = std::move(listener_);
  retired.ended = std::make_shared<std::atomic<bool>>(false);
  retired.thread = std::thread([listener = retired.listener.get(), ended = retired.ended, until = std::chrono::system_clock::now() + time_to_end] {
    (void)listener->Shutdown(&until);
    (void)listener->Wait();
    *ended = true;
  });
}

void FlightPort::JoinRetired(bool all) {
  for (auto retired = retired_.begin(); retired != retired_.end();) {
    if (!all && !*retired->ended) {
      ++retired;
      continue;
    }
    retired->thread.join();
    retired = retired_.erase(retired);
  }
}

void FlightPort::Close(std::chrono::milliseconds deadline) {
  Retire(deadline);
  JoinRetired(true);
}

}  // namespace otlp_arrow
