#include "server/common/prometheus_writer.h"

#include <array>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

TEST(PrometheusWriter, Samples) {
  PrometheusWriter writer;
  writer.Family("requests_total", "counter", "What came.");
  writer.Sample({{"server", "grpc"}, {"signal", "logs"}}, int64_t{3});
  writer.Sample({}, 0.25);
  writer.Single("start", "gauge", "Help.", 1e300);
  EXPECT_EQ(writer.Take(),
            "# HELP requests_total What came.\n# TYPE requests_total counter\n"
            "requests_total{server=\"grpc\",signal=\"logs\"} 3\nrequests_total 0.25\n"
            "# HELP start Help.\n# TYPE start gauge\nstart 1e+300\n");
}

TEST(PrometheusWriter, EscapesWhatOthersMayHaveNamed) {
  PrometheusWriter writer;
  writer.Family("x", "gauge", "a\\b\nc \"d\"");
  writer.Sample({{"name", "a\\b\n\"c\""}}, 1);
  EXPECT_EQ(writer.Take(), "# HELP x a\\\\b\\nc \"d\"\n# TYPE x gauge\nx{name=\"a\\\\b\\n\\\"c\\\"\"} 1\n");
}

TEST(PrometheusWriter, HistogramsAreCumulative) {
  PrometheusWriter writer;
  writer.Family("d", "histogram", "Durations.");
  const double bounds[] = {0.1, 1};
  const std::array<uint64_t, 3> counts{2, 0, 3};
  writer.Histogram({{"s", "a"}}, bounds, counts, 7.5);
  EXPECT_EQ(writer.Take(),
            "# HELP d Durations.\n# TYPE d histogram\n"
            "d_bucket{s=\"a\",le=\"0.1\"} 2\nd_bucket{s=\"a\",le=\"1\"} 2\nd_bucket{s=\"a\",le=\"+Inf\"} 5\nd_sum{s=\"a\"} 7.5\nd_count{s=\"a\"} 5\n");
}

TEST(PrometheusWriter, NumbersThatAreNone) {
  PrometheusWriter writer;
  for (const double value : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    writer.Sample({}, value);
  }
  EXPECT_EQ(writer.Take(), " +Inf\n -Inf\n NaN\n");
}

}  // namespace
}  // namespace otlp_arrow
