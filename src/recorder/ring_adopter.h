// Takes over the rings that programs left in a store's directory: killed ones, and children that ended without a shutdown.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "collector/ring_drain.h"
#include "collector/sink.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

inline constexpr char kRingSuffix[] = ".ring";
inline constexpr char kOpeningSuffix[] = ".opening";  // of one whose writer has not got its lock yet

// Removes a ring that nobody uses any more, with what its collector knew.
Status RemoveRing(const std::string& path);

struct AdoptionReport {
  int64_t rings = 0;       // drained and removed
  DrainCounters counters;  // of these
  std::vector<std::string> busy;     // their programs are alive
  std::vector<std::string> damaged;  // "<path>: <what>"; they stay where they are
};

// Not thread-safe. Several processes may adopt in one directory at once.
class RingAdopter {
 public:
  // `sink` outlives it.
  RingAdopter(std::string output_dir, CollectorSink* sink) : output_dir_(std::move(output_dir)), sink_(sink) {}

  // Looks for rings whose programs are gone, but not for `except`.
  void Scan(const std::string& except = {});
  // Does a piece of the work that the last Scan found. False: none is left, or the sink has no room now.
  bool Step();
  bool is_done() const { return !current_ && found_.empty(); }
  const AdoptionReport& report() const { return report_; }

 private:
  void Open(const std::string& path);
  void Finish();
  static void RemoveUnopened(const std::string& path);
  static bool IsAlive(const std::string& path);
  void TellDamaged(const std::string& path, const Status& why);

  const std::string output_dir_;
  CollectorSink* sink_;
  std::deque<std::string> found_;
  std::unique_ptr<RingDrain> current_;
  std::set<std::string> told_;
  AdoptionReport report_;
};

// All that there is, in at most `timeout`; what it does not suffice for waits for the next start.
AdoptionReport AdoptRings(const std::string& output_dir, CollectorSink* sink, std::chrono::milliseconds timeout);

}  // namespace otlp_arrow
