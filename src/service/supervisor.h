// What a service tells the supervisor that started it, such as systemd (Type=notify), as it goes on.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace otlp_arrow {

class Supervisor {
 public:
  // Asks the environment for a watchdog.
  Supervisor();

  void Ready(const std::string& status) const;
  void Reloading() const;
  void Stopping(std::chrono::seconds at_most) const;
  // A line for people.
  void Says(const std::string& status) const;
  // A sign of life, with what there is to say.
  void Alive(const std::string& status) const;

  // How often Alive() is wanted; nullopt where nobody listens.
  std::optional<std::chrono::milliseconds> interval() const { return interval_; }

 private:
  std::optional<std::chrono::milliseconds> interval_;
};

}  // namespace otlp_arrow
