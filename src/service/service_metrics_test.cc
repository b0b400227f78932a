#include "service/service_metrics.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/platform/platform.h"
#include "fake_pipeline.h"
#include "manual_clock.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

void WriteFile(const std::string& path, size_t size) { std::ofstream(path) << std::string(size, 'x'); }

TEST(ServiceMetrics, CountsFilesBySignalAndFormat) {
  const testing::TempDir dir;
  const StoreLayout layout(dir.path());
  const auto clock = std::make_shared<ManualClock>();
  FileCounts counts(dir.path(), clock);
  EXPECT_EQ((counts.Get()[{Signal::kLogs, FileFormat::kArrow}].files), 0u);

  const std::string logs = layout.DataDir(Signal::kLogs);
  ASSERT_TRUE(platform::CreateDirectories(logs + "/date=2026-01-31").ok());
  WriteFile(logs + "/20260131T000000Z-0123456789ab-0000000001_0000000002.arrow", 10);
  WriteFile(logs + "/20260131T000000Z-0123456789ab-0000000003_0000000004.parquet", 20);
  WriteFile(logs + "/date=2026-01-31/20260131T000000Z-0123456789ab-merged.parquet", 30);
  WriteFile(logs + "/notes.txt", 40);
  EXPECT_EQ((counts.Get()[{Signal::kLogs, FileFormat::kArrow}].files), 0u) << "counted a moment ago";
  clock->Advance(std::chrono::seconds(6));
  auto now = counts.Get();
  EXPECT_EQ((now[{Signal::kLogs, FileFormat::kArrow}].files), 1u);
  EXPECT_EQ((now[{Signal::kLogs, FileFormat::kArrow}].bytes), 10u);
  EXPECT_EQ((now[{Signal::kLogs, FileFormat::kParquet}].files), 2u);
  EXPECT_EQ((now[{Signal::kLogs, FileFormat::kParquet}].bytes), 50u);
  EXPECT_EQ((now[{Signal::kTraces, FileFormat::kParquet}].files), 0u);
}

TEST(ServiceMetrics, TellsOfEachServer) {
  FakePipeline inner;
  MeasuredPipeline grpc("grpc", &inner), http("http", &inner);
  grpc.Accept(Signal::kLogs, SharedBytes::Take(std::string(100, 'x')), [](const AcceptResult&) {});
  http.CountRefused(Signal::kLogs, 0, "a \"reason\"");
  ReloadCounts reloads;
  reloads.failed = 3;
  const std::string text = ServiceMetricsText({&grpc, &http}, {{{Signal::kLogs, FileFormat::kParquet}, {2, 50}}}, reloads);
  EXPECT_THAT(text, AllOf(HasSubstr("otlp_arrow_requests_total{server=\"grpc\",signal=\"logs\",result=\"ok\"} 1\n"),
                          HasSubstr("otlp_arrow_requests_total{server=\"http\",signal=\"logs\",result=\"ok\"} 0\n"),
                          HasSubstr("otlp_arrow_request_bytes_total{server=\"grpc\",signal=\"logs\"} 100\n"),
                          HasSubstr("otlp_arrow_request_duration_seconds_bucket{server=\"grpc\",signal=\"logs\",le=\"+Inf\"} 1\n"),
                          HasSubstr("otlp_arrow_server_refusals_total{server=\"http\",reason=\"a \\\"reason\\\"\"} 1\n"),
                          HasSubstr("otlp_arrow_files{signal=\"logs\",format=\"parquet\"} 2\n"),
                          HasSubstr("otlp_arrow_file_bytes{signal=\"logs\",format=\"parquet\"} 50\n"),
                          HasSubstr("otlp_arrow_config_reloads_total{result=\"failed\"} 3\n"), HasSubstr("otlp_arrow_build_info{version=\"" OTLP_ARROW_VERSION "\"")));
  EXPECT_THAT(ServiceMetricsText({}, {}, {}), Not(HasSubstr("otlp_arrow_requests_total")));
}

}  // namespace
}  // namespace otlp_arrow
