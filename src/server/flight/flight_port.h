// The port of the Flight server. Arrow's servers keep the certificate that they began with, so that another certificate takes another
// server: this opens one on the same port while the streams of the one before come to their end.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "base/host_port.h"
#include "otlp_arrow/status.h"
#include "server/common/certificate_files.h"
#include "server/flight/call_guard.h"
#include "server/flight/flight_listener.h"

namespace otlp_arrow {

// Used by one thread at a time.
class FlightPort {
 public:
  // How long streams of the server before may go on; then they are cut off, and their clients send again what was not acknowledged.
  static constexpr std::chrono::seconds kTimeToEnd{20};

  FlightPort(FlightService* service, std::shared_ptr<CallGuard> guard) : service_(service), guard_(std::move(guard)) {}
  ~FlightPort() { Close(std::chrono::milliseconds{0}); }

  // `certificates` null: without TLS. Errors: kServer naming the address, the reason and the way out.
  Status Open(const HostPort& address, const Certificates* certificates);
  // The same on the same port. Until the new server listens there, for some milliseconds, clients that connect have to try again. After an
  // error nothing listens.
  Status Reopen(const Certificates* certificates);
  bool is_open() const { return listener_ != nullptr; }
  const HostPort& address() const { return address_; }

  // Streams go on until `deadline` from now. Waits for all of them, also those of servers before.
  void Close(std::chrono::milliseconds deadline);

 private:
  struct Retired {
    std::unique_ptr<FlightListener> listener;
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> ended;
  };

  arrow::Status Listen(const Certificates* certificates);
  void Retire(std::chrono::milliseconds time_to_end);
  void JoinRetired(bool all);

  FlightService* const service_;
  const std::shared_ptr<CallGuard> guard_;
  HostPort address_;
  std::unique_ptr<FlightListener> listener_;
  std::list<Retired> retired_;
};

}  // namespace otlp_arrow
