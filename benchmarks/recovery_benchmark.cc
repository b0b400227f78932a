// How fast is what a dead writer left in its journal written to files (a million spans a second and more are wanted),
// compared with a plain read of the same bytes? The ratio is one of CPU seconds.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/clock.h"
#include "measure.h"
#include "otlp/scan.h"
#include "sample_requests.h"
#include "storage/journal.h"
#include "storage/layout.h"
#include "storage/recovery.h"
#include "temporary_directory.h"

namespace otlp_arrow::bench {
namespace {

namespace fs = std::filesystem;

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

// A directory whose `writers` writers died, each with the requests in its journal.
class DeadDirectory {
 public:
  explicit DeadDirectory(int writers) : writers_(writers) { config_.output_dir = directory_.path(); }

  void Fill(Signal signal, const std::vector<std::string>& requests) {
    const StoreLayout layout(directory_.path());
    fs::remove_all(layout.DataDir(signal));
    for (int w = 0; w < writers_; ++w) {
      const std::string own = layout.WriterDir(NewWriterId());
      Check(platform::CreateDirectories(own));
      auto journal = Journal::Create(own);
      Check(journal.status());
      for (const auto& r : requests) Check((*journal)->Append(signal, r, ScanOtlp(signal, r).items, 0).status());
    }
  }

  int64_t Recover() {
    auto report = RecoverDirectory(config_, Clock::System());
    Check(report.status());
    if (!report->damaged.empty()) Check(Status::Io(report->damaged[0]));
    return report->items_recovered;
  }

  size_t ReadPlainly() const {
    size_t bytes = 0;
    std::vector<char> buffer(1 << 20);
    for (const auto& entry : fs::recursive_directory_iterator(StoreLayout(directory_.path()).JournalsDir())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || file.gcount() > 0) bytes += static_cast<size_t>(file.gcount());
    }
    return bytes;
  }

 private:
  const int writers_;
  TemporaryDirectory directory_;
  Config config_;
};

void Compare(Signal signal, bool quick) {
  const auto requests = SampleRequests(signal, quick ? 200 : 1000, 100);
  const int cores = static_cast<int>(std::max(2u, std::thread::hardware_concurrency()));
  DeadDirectory one(1), many(cores);
  size_t bytes = 0;
  int64_t recovered_one = 0, recovered_many = 0;
  const auto costs = CostsInTurn(quick ? 1 : 5, {
      {[&] { bytes = one.ReadPlainly(); }, [&] { one.Fill(signal, requests); }},
      // The journal that was just read: recovery finds the same pages.
      {[&] { recovered_one = one.Recover(); }},
      {[&] { recovered_many = many.Recover(); }, [&] { many.Fill(signal, requests); }},
  });
  auto line = [&](const std::string& name, const Cost& cost, int64_t items, double read_bytes) {
    const auto n = static_cast<double>(items);
    std::printf("  %-22s %7.3f CPU s/M  %6.2f M/CPU s  %6.2f M items/s  %6.3f GB/s  %6.4f x plain read\n", name.c_str(), cost.cpu / n * 1e6,
                n / cost.cpu / 1e6, n / cost.wall / 1e6, read_bytes / cost.wall / 1e9,
                (read_bytes / cost.cpu) / (static_cast<double>(bytes) / costs[0].cpu));
  };
  const auto size = static_cast<double>(bytes);
  std::printf("%s: %lld items, %.0f B an item in the journal (aim: 1 M items/s)\n", std::string(SignalName(signal)).c_str(),
              static_cast<long long>(recovered_one), size / static_cast<double>(recovered_one));
  line("plain read", costs[0], recovered_one, size);
  line("recovery, 1 journal", costs[1], recovered_one, size);
  line("recovery, " + std::to_string(cores) + " journals", costs[2], recovered_many, size * cores);
}

}  // namespace
}  // namespace otlp_arrow::bench

int main(int argc, char** argv) {
  for (otlp_arrow::Signal signal : otlp_arrow::kAllSignals) otlp_arrow::bench::Compare(signal, otlp_arrow::bench::IsQuick(argc, argv));
}
