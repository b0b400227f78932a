// The command line of otlp-arrow, parsed and checked; running a command is commands.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "collector/ring_drain.h"
#include "senders/sender_factory.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "service/compact_arguments.h"
#include "service/config_loader.h"

namespace otlp_arrow {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;  // the command line or the configuration is wrong

struct ServeOptions {
  std::string config_file;
  std::vector<std::pair<std::string, std::vector<std::string>>> settings;  // configuration key and texts
  std::vector<std::string> forward;  // endpoints
  bool check_config = false;
};

struct RecoverOptions {
  std::string directory;
  std::string config_file;
};

struct InspectOptions {
  std::string path;
  bool json = false;
  bool schema = false;
  size_t records = 10;  // of each ring of an OTLP-MMAP file
};

struct ReplayOptions {
  using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

  std::string path;
  SenderOptions sender;
  std::vector<Signal> signals;                  // empty: all
  double items_per_second = 0;                  // 0: as fast as the peer takes them
  int64_t batch = 1000;                         // items in one request
  std::chrono::milliseconds timeout{10000};     // for the answer to one request
  std::chrono::milliseconds retry_for{300000};  // how long one request is tried again
  std::optional<Time> since;                    // items before this are left out …
  std::optional<Time> until;                    // … and those at or after this
  int max_in_flight = 1;                        // requests under way at a time; 1: the peer sees them in order
  std::string resume_file;                      // keeps what is settled, for a later replay to go on; empty: none
  bool dry_run = false;
  bool quiet = false;
};

struct CollectOptions {
  std::vector<std::string> inputs;  // OTLP-MMAP files and directories of them
  std::string config_file;
  std::vector<std::pair<std::string, std::vector<std::string>>> settings;  // of the store: configuration key and texts
  std::optional<SenderOptions> sender;                                     // instead of the store
  std::chrono::milliseconds timeout{10000};                                // for the answer to one request
  DrainOptions drain;
  bool once = false;  // end when all is collected and nobody writes
};

// What to print instead of running a command: help, the version, or what is wrong with the arguments.
struct PrintOptions {
  std::string text;
  int exit_code = kExitOk;
};

using Command = std::variant<PrintOptions, ServeOptions, RecoverOptions, InspectOptions, ReplayOptions, CollectOptions, CompactArguments>;

// `arguments` with the program's name first; as "otlp-arrow-service" it means "otlp-arrow serve". `now` is what
// relative times count from. `environment` has what
// `collect` is not told.
Command ParseCommandLine(std::vector<std::string> arguments, ReplayOptions::Time now, const Environment& environment = {});

// Reads "2024-05-06", "2024-05-06T07:08:09.123Z" (UTC), or "90s", "15m", "2h", "7d": that long before `now`.
Result<ReplayOptions::Time> ParseTime(const std::string& text, ReplayOptions::Time now);

}  // namespace otlp_arrow
