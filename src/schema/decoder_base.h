// What the decoders of the three signals share: the walk over the containers, the limits of a batch, the hand-over.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "schema/context_columns.h"
#include "schema/decode.h"

namespace otlp_arrow {

class DecoderBase : public TableDecoder {
 public:
  DecoderBase(Signal signal, std::vector<PromotedAttribute> promoted, BatchHandler on_batch, DecoderOptions options);

  Status Append(std::string_view request, bool has_rejected_items, int64_t* items) override;
  Status Flush() override;
  int64_t pending_rows() const override { return rows_; }
  std::shared_ptr<arrow::RecordBatch> DictionaryBatch() override;
  int64_t DictionaryBytes() const override;
  void ResetDictionaries() override;
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

 protected:
  using Arrays = std::vector<std::shared_ptr<arrow::ArrayData>>;
  using Dictionaries = std::vector<TextDictionary*>;

  // Appends the item (span, log record) or items (metric) of a message to the columns; calls EndItem() after each row.
  virtual Status AppendItem(wire::Cursor body) = 0;
  // All columns but the promoted ones, in the schema's order.
  virtual void FinishColumns(Arrays* arrays) = 0;
  virtual void ClearColumns() = 0;
  virtual void AddDictionaries(Dictionaries* dictionaries) = 0;
  // After the dictionaries were cleared: forget indices into them.
  virtual void ForgetIndices() = 0;
  // Bytes of text in the columns, about.
  virtual int64_t TextBytes() const = 0;

  // Counts a finished row and hands the batch out when it is full.
  Status EndItem() {
    ++rows_;
    ++appended_;
    if (rows_ >= options_.max_rows) [[unlikely]] return Flush();
    return Status::Ok();
  }
  int64_t row() const { return rows_; }
  bool skip_rejected() const { return skip_rejected_; }

  PromotedColumns promoted_;
  ContextColumns context_;

 private:
  Status AppendResource(wire::Cursor container);
  Status AppendScope(wire::Cursor container);
  // Repeats the current resource and scope over the rows that lack theirs.
  void FillContext();
  std::shared_ptr<arrow::RecordBatch> Assemble();
  const Dictionaries& AllDictionaries() const;

  std::shared_ptr<arrow::Schema> schema_;
  BatchHandler on_batch_;
  DecoderOptions options_;
  int64_t rows_ = 0;
  int64_t appended_ = 0;
  bool skip_rejected_ = false;
  wire::Cursor scope_{nullptr, nullptr};  // the container being read
  bool scope_read_ = true;
  std::vector<std::string_view> scope_messages_;
  mutable Dictionaries all_dictionaries_;
};

// Index of a small enumeration's names in a dictionary, remembered for as long as the dictionary lives.
class EnumColumn {
 public:
  using NameOf = std::string (*)(int32_t);
  explicit EnumColumn(NameOf name_of) : name_of_(name_of) { Forget(); }
  int32_t IndexOf(int32_t value) {
    if (value >= 0 && value < kRemembered) {
      int32_t& index = indices_[value];
      if (index < 0) index = column_.Intern(name_of_(value));
      return index;
    }
    return column_.Intern(name_of_(value));
  }
  void Append(int32_t value) { column_.AppendIndex(IndexOf(value)); }
  void AppendNull() { column_.AppendNull(); }
  std::shared_ptr<arrow::ArrayData> Finish() { return column_.Finish(); }
  void Clear() { column_.Clear(); }
  TextDictionary* dictionary() { return &column_.dictionary(); }
  void Forget() {
    for (int32_t& index : indices_) index = -1;
  }

 private:
  static constexpr int32_t kRemembered = 8;
  NameOf name_of_;
  DictionaryColumn column_;
  int32_t indices_[kRemembered];
};

std::unique_ptr<TableDecoder> MakeTracesDecoder(std::vector<PromotedAttribute>, TableDecoder::BatchHandler, DecoderOptions);
std::unique_ptr<TableDecoder> MakeMetricsDecoder(std::vector<PromotedAttribute>, TableDecoder::BatchHandler, DecoderOptions);
std::unique_ptr<TableDecoder> MakeLogsDecoder(std::vector<PromotedAttribute>, TableDecoder::BatchHandler, DecoderOptions);

}  // namespace otlp_arrow
