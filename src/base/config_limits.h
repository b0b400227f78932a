// The allowed range of every number in the configuration: Validate() enforces them, messages and the documentation
// quote them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "otlp_arrow/status.h"

namespace otlp_arrow::limits {

enum class Unit { kNone, kSeconds, kMilliseconds, kBytes };

struct Range {
  uint64_t min;
  uint64_t max;
  Unit unit = Unit::kNone;
};

inline constexpr uint64_t kKiB = 1ull << 10;
inline constexpr uint64_t kGiB = 1ull << 30;
inline constexpr uint64_t kTiB = 1ull << 40;
inline constexpr uint64_t kTenYears = 10ull * 365 * 24 * 3600;

inline constexpr Range kWriteIntervalSecs{1, 86400, Unit::kSeconds};
inline constexpr Range kMaxFileBytes{kKiB, 4 * kGiB, Unit::kBytes};
inline constexpr Range kMemoryBudget{kKiB, kTiB, Unit::kBytes};
inline constexpr Range kAdmissionTimeoutMs{0, 60000, Unit::kMilliseconds};
inline constexpr Range kJournalMaxBytes{kKiB, 1024 * kTiB, Unit::kBytes};
inline constexpr Range kWorkers{0, 256};
inline constexpr Range kShutdownTimeoutSecs{1, 3600, Unit::kSeconds};
inline constexpr Range kCleanupIntervalSecs{0, kTenYears, Unit::kSeconds};
inline constexpr Range kMaxTotalBytes{0, 1024 * 1024 * kTiB, Unit::kBytes};
inline constexpr Range kRequestBytes{kKiB, 2 * kGiB - 1, Unit::kBytes};  // gRPC counts message sizes in an int
inline constexpr Range kMaxConnections{1, 1000000};
inline constexpr Range kIdleTimeoutSecs{1, 86400, Unit::kSeconds};
inline constexpr Range kRequestTimeoutSecs{1, 3600, Unit::kSeconds};

inline constexpr Range kHeaderBytes{kKiB, kGiB / 1024, Unit::kBytes};
inline constexpr Range kReceiveBytes{kKiB, kTiB, Unit::kBytes};
inline constexpr Range kOptionalConnections{0, 1000000};
inline constexpr Range kKeepaliveSecs{1, 86400, Unit::kSeconds};
inline constexpr Range kConnectionSecs{0, 30 * 86400, Unit::kSeconds};
inline constexpr Range kCorsMaxAgeSecs{0, 86400, Unit::kSeconds};
inline constexpr Range kMaxStreams{1, 65536};
inline constexpr Range kMaxAttributes{1, 1u << 20};
inline constexpr Range kMaxValueDepth{1, 64};  // as deep as the tables' text form of values is read back
inline constexpr Range kRowGroupRows{1024, 16u << 20};
inline constexpr Range kCompactionIntervalSecs{1, 86400, Unit::kSeconds};
inline constexpr Range kCompactionMinAgeSecs{0, 30 * 86400, Unit::kSeconds};
inline constexpr Range kCompactionMinFiles{2, 100000};
inline constexpr Range kCompactionFileBytes{64 * kKiB, 16 * kGiB, Unit::kBytes};
inline constexpr Range kCompactionWindowSecs{60, 86400, Unit::kSeconds};
inline constexpr size_t kMaxAuthEntries = 64;  // tokens, and headers
inline constexpr Range kForwardBacklogMaxBytes{kKiB, 1024 * kTiB, Unit::kBytes};

inline constexpr size_t kMaxPromotedAttributes = 128;

// Of one destination.
inline constexpr Range kForwardBatchBytes{kKiB, kGiB, Unit::kBytes};
inline constexpr Range kForwardBatchDelayMs{0, 60'000, Unit::kMilliseconds};
inline constexpr Range kForwardInFlight{1, 64};  // each takes a thread
inline constexpr Range kForwardTimeoutMs{1, 3'600'000, Unit::kMilliseconds};
inline constexpr Range kForwardRetryMs{1, 3'600'000, Unit::kMilliseconds};
inline constexpr Range kForwardMaxRetrySecs{0, kTenYears, Unit::kSeconds};
inline constexpr Range kBreakerFailures{0, 1'000'000};
inline constexpr size_t kMaxDestinations = 32;  // as many have room in ForwardPositions
inline constexpr size_t kMaxDestinationNameBytes = 64;

// "1 to 86400 seconds", "1KiB to 4GiB".
std::string RangeText(const Range& range);

// OK, or "<key>: 0 is out of range; allowed are 1 to 86400 seconds".
Status CheckRange(std::string_view key, uint64_t value, const Range& range);

// The checks of the other kinds of keys: not empty, host:port, known level, no empty entry.
Status CheckPath(std::string_view key, const std::string& value);
Status CheckAddress(std::string_view key, const std::string& value);
Status CheckLogLevel(std::string_view key, const std::string& value);
Status CheckLogFormat(std::string_view key, const std::string& value);
// Secrets and headers: what they say is never quoted.
Status CheckSecret(std::string_view key, const std::string& value);
// "https://app.example", "http://localhost:3000", or "*".
Status CheckOrigin(std::string_view key, const std::string& value);
Status CheckHeaderName(std::string_view key, const std::string& name);
Status CheckHeader(std::string_view key, const std::string& name, const std::string& value);
// Of destinations; the protocol may be empty.
Status CheckDestinationName(std::string_view key, const std::string& value);
Status CheckProtocol(std::string_view key, const std::string& value);
Status CheckForwardCompression(std::string_view key, const std::string& value);
inline constexpr std::string_view kLogLevels[] = {"trace", "debug", "info", "warn", "error", "off"};

}  // namespace otlp_arrow::limits
