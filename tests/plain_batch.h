// The same values in other Arrow layouts: what other tools make of our tables, and a form without dictionaries that can
// be compared.
#pragma once

#include <memory>

#include <arrow/type_fwd.h>

namespace otlp_arrow::testing {

struct PlainOptions {
  enum class Text { kUtf8, kLargeUtf8, kUtf8View } text = Text::kUtf8;  // in place of dictionaries and utf8
  bool large_lists = false;                                            // large_list in place of list, and of map
};

// A deep copy; aborts where Arrow refuses something.
std::shared_ptr<arrow::RecordBatch> PlainBatch(const arrow::RecordBatch& batch, const PlainOptions& options = {});

}  // namespace otlp_arrow::testing
