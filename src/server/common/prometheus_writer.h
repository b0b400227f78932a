// Counters as Prometheus text. https://prometheus.io/docs/instrumenting/exposition_formats
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace otlp_arrow {

// Writes one family of metrics after the other: what it is, then its samples.
class PrometheusWriter {
 public:
  using Label = std::pair<std::string_view, std::string_view>;
  using Labels = std::initializer_list<Label>;

  // `type`: counter, gauge or histogram. `help` may hold anything.
  void Family(std::string_view name, std::string_view type, std::string_view help);

  // Of the family that was begun last. Values of labels may hold anything.
  void Sample(Labels labels, double value) { Line("", labels, {}, Number(value)); }
  template <class Integer>
    requires std::is_integral_v<Integer>
  void Sample(Labels labels, Integer value) {
    Line("", labels, {}, std::to_string(value));
  }

  // A histogram's lines: `counts` of each bucket alone, one more than there are upper `bounds`.
  template <class Counts>
  void Histogram(Labels labels, std::span<const double> bounds, const Counts& counts, double sum) {
    uint64_t total = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      total += static_cast<uint64_t>(counts[i]);
      Line("_bucket", labels, i < bounds.size() ? Number(bounds[i]) : "+Inf", std::to_string(total));
    }
    Line("_sum", labels, {}, Number(sum));
    Line("_count", labels, {}, std::to_string(total));
  }

  // A family of one sample without labels.
  template <class Value>
  void Single(std::string_view name, std::string_view type, std::string_view help, Value value) {
    Family(name, type, help);
    Sample({}, value);
  }

  std::string Take() { return std::move(text_); }

 private:
  static std::string Number(double value);  // the shortest text that reads back to the same
  void Line(std::string_view suffix, Labels labels, std::string_view upper_bound, std::string_view value);
  void AddLabel(std::string_view name, std::string_view value, bool* is_first);

  std::string text_;
  std::string family_;
};

}  // namespace otlp_arrow
