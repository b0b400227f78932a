// Exporting a batch of recordables: what spans and log records have in common.
#pragma once

#include <chrono>
#include <memory>
#include <typeinfo>
#include <utility>

#include <opentelemetry/nostd/span.h>

#include "exporter_core.h"
#include "request_batch.h"
#include "scratch_writer.h"

namespace otlp_arrow::exporters {

// A batch goes to the library in requests of about this size, so that a large one finds room bit by bit.
inline constexpr size_t kRequestBytes = 4 << 20;

inline void AddOutcome(ExportOutcome&& part, ExportOutcome* total) {
  total->accepted_items += part.accepted_items;
  total->rejected_items += part.rejected_items;
  if (!part.rejected_reason.empty()) total->rejected_reason = std::move(part.rejected_reason);
}

inline Status SendBatch(OtlpLibrary& library, Signal signal, RequestBatch* batch, ExportOutcome* total) {
  ScratchWriter writer;
  batch->WriteRequest(writer.get());
  OTLP_ASSIGN_OR_RETURN(ExportOutcome outcome, library.ExportOtlpRef(signal, writer.get()->view()));
  AddOutcome(std::move(outcome), total);
  return Status::Ok();
}

// The recordable as the kind that our exporter makes; null for others, which do not belong here.
template <class Own, class Recordable>
Own* ToOwn(Recordable* recordable) {
  return recordable && typeid(*recordable) == typeid(Own) ? static_cast<Own*>(recordable) : nullptr;
}

template <class Own, class Recordable>
ExportResult ExportRecords(ExporterCore* core, Signal signal, const opentelemetry::nostd::span<std::unique_ptr<Recordable>>& items) noexcept {
  return core->Export(items.size(), [&](OtlpLibrary& library, ExportOutcome* total) {
    RequestBatch batch;
    for (const auto& item : items) {
      Own* own = ToOwn<Own>(item.get());
      if (!own) {
        AddOutcome({0, 1, "it was not made by this exporter's MakeRecordable"}, total);
        continue;
      }
      own->Seal();
      batch.Add(own);
      if (batch.bytes() >= kRequestBytes) OTLP_RETURN_NOT_OK(SendBatch(library, signal, &batch, total));
    }
    return batch.records() > 0 ? SendBatch(library, signal, &batch, total) : Status::Ok();
  });
}

// An exporter of the SDK (`Interface`, of this library) for one kind of records.
template <class Interface, class SdkRecordable, class Own, Signal kSignal>
class RecordExporter final : public Interface {
 public:
  RecordExporter(std::shared_ptr<OtlpLibrary> library, const char* items) : core_(std::move(library), items) {}

  std::unique_ptr<SdkRecordable> MakeRecordable() noexcept override { return std::unique_ptr<SdkRecordable>(new Own); }
  ExportResult Export(const opentelemetry::nostd::span<std::unique_ptr<SdkRecordable>>& items) noexcept override {
    return ExportRecords<Own>(&core_, kSignal, items);
  }
  bool ForceFlush(std::chrono::microseconds timeout) noexcept override { return core_.ForceFlush(timeout); }
  bool Shutdown(std::chrono::microseconds timeout) noexcept override { return core_.Shutdown(timeout); }
  Status last_error() const override { return core_.last_error(); }

 private:
  ExporterCore core_;
};

}  // namespace otlp_arrow::exporters
