#include "ring/ring_reader.h"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "ring/file_view.h"
#include "ring/ring_input.h"

namespace otlp_arrow::ring {

class RingReader::Impl {
 public:
  Impl(std::unique_ptr<FileView> view, const ReaderOptions& options)
      : file(std::move(view)),
        inputs{RingInput(file.get(), RingKind::kEvents, options), RingInput(file.get(), RingKind::kSpans, options),
               RingInput(file.get(), RingKind::kMeasurements, options)} {}

  RingInput& Input(RingKind kind) { return inputs[static_cast<size_t>(kind)]; }

  std::unique_ptr<FileView> file;
  std::array<RingInput, kRingCount> inputs;
};

Result<std::unique_ptr<RingReader>> RingReader::Open(const std::string& path, const ReaderOptions& options) {
  OTLP_ASSIGN_OR_RETURN(auto file, FileView::Open(path, platform::SharedFile::Mode::kReadWrite));
  OTLP_ASSIGN_OR_RETURN(const bool locked, file->locks().TryLock(kConsumerLock));
  if (!locked) {
    return Status::Server("'" + path + "' is being read by another process; a file has one consumer: stop that one, or `otlp-arrow inspect` this file", true);
  }
  return std::unique_ptr<RingReader>(new RingReader(std::make_unique<Impl>(std::move(file), options)));
}

RingReader::RingReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RingReader::~RingReader() = default;

Result<std::span<const RecordView>> RingReader::Poll(RingKind ring, size_t most) {
  OTLP_RETURN_NOT_OK(impl_->file->CheckUnchanged());
  return impl_->Input(ring).Poll(most);
}

int64_t RingReader::last_read(RingKind ring) const { return impl_->Input(ring).last_read(); }
void RingReader::Advance(RingKind ring, int64_t sequence) {
  if (impl_->file->IsWhole()) impl_->Input(ring).Advance(sequence);
}

bool RingReader::HasData() const {
  if (!impl_->file->IsWhole()) return true;  // Poll says what is wrong
  return std::any_of(impl_->inputs.begin(), impl_->inputs.end(), [](const RingInput& input) { return input.HasData(); });
}

Result<std::string_view> RingReader::Entry(Ref ref) const { return impl_->file->Entry(ref); }
Result<std::vector<uint32_t>> RingReader::LiveWriters() const { return impl_->file->LiveWriters(); }
FileStats RingReader::stats() const { return impl_->file->stats(); }
const std::string& RingReader::path() const { return impl_->file->file().path(); }
bool RingReader::IsReplaced() const { return !impl_->file->file().IsAt(path()); }

uint64_t RingReader::skipped() const {
  uint64_t skipped = 0;
  for (const RingInput& input : impl_->inputs) skipped += input.skipped();
  return skipped;
}

bool WaitForData(std::span<RingReader* const> readers, std::chrono::milliseconds timeout) {
  using Duration = std::chrono::steady_clock::duration;
  constexpr Duration kLongest = std::chrono::milliseconds(10);
  const auto has_data = [](const RingReader* reader) { return reader->HasData(); };
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (Duration pause = std::chrono::microseconds(50);; pause = std::min(pause * 2, kLongest)) {
    if (std::any_of(readers.begin(), readers.end(), has_data)) return true;
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= Duration::zero()) return false;
    std::this_thread::sleep_for(std::min(pause, left));
  }
}

}  // namespace otlp_arrow::ring
