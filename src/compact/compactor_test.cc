#include "compact/compactor.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "manual_clock.h"
#include "otlp/scan.h"
#include "random_otlp.h"
#include "storage/dense_text.h"
#include "storage/merged_counts.h"
#include "storage/signal_writer.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ItemNames;
using testing::NamedRequest;

class CompactorTest : public ::testing::Test {
 protected:
  CompactorTest() : layout_(dir_.path()) {
    options_.rules.min_age_secs = 0;
    options_.rules.min_files = 2;
    options_.everything = true;
    options_.reader_grace = milliseconds(0);
    for (Signal s : kAllSignals) EXPECT_TRUE(platform::CreateDirectories(layout_.DataDir(s)).ok());
  }

  // A file of a writer that is gone.
  std::string Write(Signal signal, const std::string& request, int items, const std::string& writer = "w", std::vector<PromotedAttribute> promoted = {}) {
    EXPECT_TRUE(platform::CreateDirectories(layout_.WriterDir(writer)).ok());
    SignalWriterOptions options;
    options.promoted = std::move(promoted);
    SignalWriter file(signal, layout_, writer, options, clock_);
    EXPECT_TRUE(file.Add(++sequence_, request, items, false).ok());
    PublishedFile published;
    EXPECT_TRUE(file.Publish(&published).ok());
    EXPECT_TRUE(platform::RemoveTree(layout_.WriterDir(writer)).ok());
    clock_->Advance(seconds(1));
    return published.path;
  }
  void WriteRandom(Signal signal, testing::RandomOtlp* random, std::vector<PromotedAttribute> promoted = {}) {
    const std::string request = random->Request(signal);
    const ScanResult scan = ScanOtlp(signal, request);
    if (scan.ok && scan.items > 0 && scan.rejected_items == 0) Write(signal, request, static_cast<int>(scan.items), "w", std::move(promoted));
  }
  std::string WriteNamed(const std::string& prefix, int items = 3, const std::string& writer = "w") {
    for (const auto& name : ItemNames(prefix, items)) names_.push_back(name);
    std::sort(names_.begin(), names_.end());
    return Write(Signal::kTraces, NamedRequest(Signal::kTraces, prefix, items), items, writer);
  }

  CompactReport Run() {
    auto report = Compactor(layout_, clock_).Run(options_);
    EXPECT_TRUE(report.ok()) << report.status().ToString();
    return report.ok() ? *report : CompactReport();
  }
  std::vector<DataFile> Files(Signal signal = Signal::kTraces) { return *ListDataFiles(layout_, signal); }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const DataFile& file : Files()) {
      for (auto& name : testing::NamesIn(Signal::kTraces, testing::ReadBatches(file.path))) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  // Formats differ in the names that lists and maps give their items.
  static std::string Plain(std::string text) {
    for (size_t at; (at = text.find(" ('")) != std::string::npos;) text.erase(at, text.find("')", at) + 2 - at);
    for (size_t at; (at = text.find("list<item: ")) != std::string::npos;) text.replace(at, 11, "list<element: ");
    return text;
  }
  // Each row as text, with all columns that are not null: the same whatever file it is in.
  std::vector<std::string> Rows(Signal signal) {
    std::vector<std::string> rows;
    for (const DataFile& file : Files(signal)) {
      for (const auto& batch : testing::ReadBatches(file.path)) {
        const auto dense = *MakeDense(*batch);
        for (int64_t row = 0; row < dense->num_rows(); ++row) {
          std::map<std::string, std::string> values;
          for (int i = 0; i < dense->num_columns(); ++i) {
            if (dense->column(i)->IsValid(row)) values[dense->column_name(i)] = Plain((*dense->column(i)->GetScalar(row))->ToString());
          }
          std::string text;
          for (const auto& [name, value] : values) text += name + "=" + value + ";";
          rows.push_back(text);
        }
      }
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  std::vector<std::string> CompactFolder() {
    std::vector<std::string> names;
    const auto entries = platform::ListDirectory(layout_.CompactDir());
    for (const auto& entry : *entries) names.push_back(entry.name);
    return names;
  }

  testing::TempDir dir_;
  StoreLayout layout_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  CompactOptions options_;
  std::vector<std::string> names_;  // of the spans that were written
  uint64_t sequence_ = 0;
};

TEST_F(CompactorTest, ManyFilesBecomeOne) {
  for (int i = 0; i < 20; ++i) WriteNamed("file" + std::to_string(i), 3, i % 2 ? "one" : "two");
  const CompactReport report = Run();
  EXPECT_EQ(Names(), names_);
  ASSERT_EQ(Files().size(), 1u);
  const CompactCounts& counts = report.signals[0];
  EXPECT_EQ(counts.files_before, 20);
  EXPECT_EQ(counts.files_after, 1);
  EXPECT_EQ(counts.files_merged, 20);
  EXPECT_EQ(counts.files_written, 1);
  EXPECT_EQ(counts.rows_merged, 60);
  EXPECT_EQ(report.files_read, 20);
  EXPECT_TRUE(Files()[0].name.merged);
  EXPECT_EQ(Files()[0].name.time, std::chrono::floor<seconds>(clock_->Now()) - seconds(1));
  const auto schema = testing::ReadBatches(Files()[0].path)[0]->schema();
  EXPECT_EQ(MergedRowsOf(*schema), (RowsByWriter{{"one", 30}, {"two", 30}}));
  EXPECT_EQ(Run().signals[0].files_merged, 0);  // done is done
}

TEST_F(CompactorTest, MergedFilesAreMergedAgain) {
  for (int i = 0; i < 3; ++i) WriteNamed("a" + std::to_string(i));
  Run();
  for (int i = 0; i < 3; ++i) WriteNamed("b" + std::to_string(i), 3, "other");
  Run();
  EXPECT_EQ(Names(), names_);
  ASSERT_EQ(Files().size(), 1u);
  EXPECT_EQ(MergedRowsOf(*testing::ReadBatches(Files()[0].path)[0]->schema()), (RowsByWriter{{"w", 9}, {"other", 9}}));
}

class CompactFormats : public CompactorTest, public ::testing::WithParamInterface<FileFormat> {};
INSTANTIATE_TEST_SUITE_P(Each, CompactFormats, ::testing::Values(FileFormat::kArrow, FileFormat::kParquet),
                         [](const auto& param) { return param.param == FileFormat::kArrow ? "Arrow" : "Parquet"; });

TEST_P(CompactFormats, EveryRowIsThereAsItWas) {
  options_.format = GetParam();
  const auto seeds = testing::TestSeeds(3);
  for (uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    for (Signal s : kAllSignals) {
      testing::RandomOtlp random(seed);
      for (int i = 0; i < 8; ++i) {
        std::vector<PromotedAttribute> promoted;
        if (i % 2) promoted.push_back({"a", PromotedAttribute::Type::kString});
        if (i % 3) promoted.push_back({"b", i % 3 == 1 ? PromotedAttribute::Type::kInt64 : PromotedAttribute::Type::kString});
        WriteRandom(s, &random, promoted);
      }
      const auto before = Rows(s);
      const CompactReport report = Run();
      EXPECT_TRUE(report.left_out.empty()) << report.left_out[0];
      const auto after = Rows(s);
      const auto differing = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
      EXPECT_EQ(before.size(), after.size());
      ASSERT_TRUE(before == after) << SignalName(s) << ", seed " << seed << "\n"
                                   << (differing.first == before.end() ? "" : *differing.first) << "\n"
                                   << (differing.second == after.end() ? "" : *differing.second);
    }
  }
}

TEST_P(CompactFormats, RowsComeInTheOrderOfTheirTime) {
  options_.format = GetParam();
  for (int i = 0; i < 5; ++i) {
    testing::RandomOtlp random(100 + static_cast<uint64_t>(i));
    WriteRandom(Signal::kTraces, &random);
  }
  Run();
  ASSERT_EQ(Files().size(), 1u);
  int64_t last = INT64_MIN;
  for (const auto& batch : testing::ReadBatches(Files()[0].path)) {
    const auto times = batch->GetColumnByName("start_time");
    for (int64_t i = 0; i < times->length(); ++i) {
      const int64_t time = times->IsValid(i) ? times->data()->GetValues<int64_t>(1)[i] : INT64_MAX;
      EXPECT_LE(last, time);
      last = time;
    }
  }
}

TEST_F(CompactorTest, ColumnsWhoseTypesDifferStayInFilesOfTheirOwn) {
  using Type = PromotedAttribute::Type;
  for (const Type type : {Type::kString, Type::kInt64, Type::kString, Type::kInt64}) {
    Write(Signal::kTraces, NamedRequest(Signal::kTraces, "a", 2), 2, "w", {{"size", type}});
  }
  const auto before = Rows(Signal::kTraces);
  Run();
  EXPECT_EQ(Files().size(), 2u);
  EXPECT_EQ(Rows(Signal::kTraces), before);
}

TEST_F(CompactorTest, PartitionsHoldWhatArrivedInThem) {
  options_.rules.partition = Partitioning::kHour;
  WriteNamed("early");
  clock_->Advance(std::chrono::hours(1));
  WriteNamed("late");
  Run();
  std::vector<std::string> partitions;
  for (const DataFile& file : Files()) partitions.push_back(file.partition);
  EXPECT_EQ(partitions, (std::vector<std::string>{"date=1970-01-02/hour=00", "date=1970-01-02/hour=01"}));
  EXPECT_EQ(Names(), names_);
  options_.rules.partition = Partitioning::kNone;  // and back
  Run();
  EXPECT_EQ(Names(), names_);
  EXPECT_FALSE(fs::exists(layout_.DataDir(Signal::kTraces) + "/date=1970-01-02"));
}

TEST_F(CompactorTest, FilesOfOthersStay) {
  for (int i = 0; i < 3; ++i) WriteNamed("a" + std::to_string(i));
  const std::string folder = layout_.DataDir(Signal::kTraces);
  fs::create_directories(folder + "/notes");
  std::ofstream(folder + "/notes/read.me") << "mine";
  fs::permissions(folder, fs::perms::owner_all | fs::perms::group_read);
  Run();
  EXPECT_EQ(*platform::ReadFile(folder + "/notes/read.me"), "mine");
  EXPECT_EQ(fs::status(folder).permissions(), fs::perms::owner_all | fs::perms::group_read);
  EXPECT_EQ(Names(), names_);
}

TEST_F(CompactorTest, WhatOthersPutIntoTheOldFolderComesBack) {
  for (int i = 0; i < 3; ++i) WriteNamed("a" + std::to_string(i));
  options_.on_step = [&](std::string_view step) {
    if (step == "exchange") std::ofstream(layout_.DataDir(Signal::kTraces) + "/late.txt") << "mine";
  };
  Run();
  auto again = Compactor(layout_, clock_).Run(options_);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*platform::ReadFile(layout_.DataDir(Signal::kTraces) + "/late.txt"), "mine");
}

TEST_F(CompactorTest, DamagedFilesAreLeftOutAndStay) {
  for (int i = 0; i < 3; ++i) WriteNamed("a" + std::to_string(i));
  const std::string path = layout_.DataDir(Signal::kTraces) + "/" + DataFileName{std::chrono::sys_seconds(seconds(86400)), "x", {1, 1}}.ToString();
  ASSERT_TRUE(platform::ReplaceFile(path, "no Arrow file", false).ok());
  const CompactReport report = Run();
  ASSERT_EQ(report.left_out.size(), 1u);
  EXPECT_NE(report.left_out[0].find(path), std::string::npos);
  EXPECT_EQ(Files().size(), 2u);
  EXPECT_TRUE(platform::Exists(path));
}

TEST_F(CompactorTest, AFileWithADamagedBatchIsLeftOutWhole) {
  for (int i = 0; i < 3; ++i) WriteNamed("good" + std::to_string(i));
  const auto good = names_;
  const std::string bad = WriteNamed("bad", 2000);
  auto bytes = *platform::ReadFile(bad);
  for (size_t i = 200; i < bytes.size() / 2; ++i) bytes[i] = static_cast<char>(bytes[i] ^ 0x55);
  ASSERT_TRUE(platform::ReplaceFile(bad, bytes, false).ok());
  EXPECT_EQ(Run().left_out.size(), 1u);
  ASSERT_TRUE(platform::Remove(bad).ok());
  EXPECT_EQ(Names(), good);
}

TEST_F(CompactorTest, NothingChangesInADryRun) {
  for (int i = 0; i < 3; ++i) WriteNamed("a" + std::to_string(i));
  options_.dry_run = true;
  const CompactReport report = Run();
  EXPECT_EQ(report.signals[0].files_merged, 3);
  EXPECT_EQ(report.signals[0].files_after, 1);
  EXPECT_EQ(Files().size(), 3u);
  EXPECT_FALSE(platform::Exists(layout_.CompactDir()));
}

TEST_F(CompactorTest, OneProcessAtATime) {
  for (int i = 0; i < 3; ++i) WriteNamed("a" + std::to_string(i));
  ASSERT_TRUE(platform::CreateDirectories(layout_.CompactDir()).ok());
  const auto lock = platform::FileLock::TryLock(layout_.CompactLock());
  ASSERT_TRUE(lock.ok() && *lock);
  EXPECT_TRUE(Run().is_busy);
  EXPECT_EQ(Files().size(), 3u);
}

TEST_F(CompactorTest, StopsWhenItIsTold) {
  for (int i = 0; i < 3; ++i) WriteNamed("a" + std::to_string(i));
  int asked = 0;
  options_.should_stop = [&] { return ++asked > 3; };
  EXPECT_TRUE(Run().was_stopped);
  EXPECT_EQ(Files().size(), 3u);
  EXPECT_TRUE(platform::ListDirectory(layout_.CompactDir() + "/work")->empty());
}

TEST_F(CompactorTest, AnInputThatIsDeletedMeanwhileDropsTheMerge) {
  std::vector<std::string> paths;
  for (int i = 0; i < 3; ++i) paths.push_back(WriteNamed("a" + std::to_string(i)));
  options_.on_step = [&](std::string_view step) {
    if (step == "lock") fs::remove(paths[1]);
  };
  Run();
  EXPECT_EQ(Files().size(), 2u);  // the other two, as they were
  options_.on_step = nullptr;
  Run();
  EXPECT_EQ(Files().size(), 1u);
  EXPECT_EQ(Names().size(), 6u);
}

TEST_F(CompactorTest, AFilePublishedMeanwhileIsKept) {
  for (int i = 0; i < 3; ++i) WriteNamed("a" + std::to_string(i));
  options_.on_step = [&](std::string_view step) {
    if (step == "lock") WriteNamed("late", 3, "late");
  };
  Run();
  EXPECT_EQ(Files().size(), 2u);
  EXPECT_EQ(Names(), names_);
}

TEST_F(CompactorTest, ADirectoryThatIsRemovedUnderItIsAnErrorOrNothing) {
  for (const char* when : {"make the tree", "lock", "put the merged files into the tree", "exchange", "sync the exchange"}) {
    for (const std::string& what : {layout_.DataDir(Signal::kTraces), layout_.CompactDir(), layout_.root()}) {
      for (Signal s : kAllSignals) ASSERT_TRUE(platform::CreateDirectories(layout_.DataDir(s)).ok());
      for (int i = 0; i < 2; ++i) WriteNamed("a" + std::to_string(i));
      Compactor compactor(layout_, clock_);
      bool armed = true;
      options_.on_step = [&](std::string_view step) {
        if (armed && step == when) fs::remove_all(what);
      };
      (void)compactor.Run(options_);
      // And the next round finds its way.
      for (Signal s : kAllSignals) ASSERT_TRUE(platform::CreateDirectories(layout_.DataDir(s)).ok());
      fs::remove_all(layout_.DataDir(Signal::kTraces));
      ASSERT_TRUE(platform::CreateDirectories(layout_.DataDir(Signal::kTraces)).ok());
      names_.clear();
      for (int i = 0; i < 2; ++i) WriteNamed("b" + std::to_string(i));
      armed = false;
      const auto again = compactor.Run(options_);
      ASSERT_TRUE(again.ok()) << when << ", " << what << ": " << again.status().ToString();
      EXPECT_EQ(Names(), names_) << when << ", " << what;
      EXPECT_EQ(Files().size(), 1u);
    }
  }
}

// A process that dies at any step leaves each row once, and whoever comes next cleans up.
class CompactCrash : public CompactorTest, public ::testing::WithParamInterface<bool> {
 protected:
  // True where the child came as far as `step`.
  bool DieAt(int step) {
    const pid_t child = ::fork();
    if (child == 0) {
      int taken = 0;
      options_.on_step = [&](std::string_view) {
        if (taken++ == step) ::kill(::getpid(), SIGKILL);
      };
      if (GetParam()) {
        RunInSteps();
      } else {
        Compactor compactor(layout_, clock_);
        (void)compactor.Run(options_);
        (void)compactor.Finish();
      }
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  }

  // What a file system without exchange gets.
  void RunInSteps() {
    auto lock = platform::FileLock::TryLock(layout_.CompactLock());
    if (!lock.ok() || !*lock) ::_exit(3);
    FolderExchange exchange(layout_, milliseconds(0), options_.on_step);
    exchange.GoInSteps();
    if (!exchange.CleanUp().ok()) ::_exit(4);
    const auto files = *ListDataFiles(layout_, Signal::kTraces);
    TableFileResources resources;
    auto merged = MergeFiles({Signal::kTraces, "date=1970-01-02", files}, options_, exchange.WorkFolder(), &resources, nullptr);
    if (!merged.ok()) ::_exit(5);
    (void)exchange.Replace(Signal::kTraces, merged->used, {merged->file});
  }
};
INSTANTIATE_TEST_SUITE_P(Each, CompactCrash, ::testing::Bool(), [](const auto& param) { return param.param ? "InSteps" : "ByExchange"; });

TEST_P(CompactCrash, AtAnyStepLosesNothingAndDoublesNothing) {
  ASSERT_TRUE(platform::CreateDirectories(layout_.CompactDir()).ok());
  int step = 0;
  for (bool died = true; died; ++step) {
    for (int i = 0; i < 3; ++i) WriteNamed("s" + std::to_string(step) + "f" + std::to_string(i), 2);
    died = DieAt(step);
    if (!GetParam()) EXPECT_EQ(Names(), names_) << "after step " << step;
    // Whoever comes next: first a reader of the folder, then the next round.
    {
      auto lock = platform::FileLock::TryLock(layout_.CompactLock());
      ASSERT_TRUE(lock.ok() && *lock);
      FolderExchange next(layout_, milliseconds(0));
      ASSERT_TRUE(next.CleanUp().ok());
      ASSERT_TRUE(next.DeleteReplaced(true).ok());
    }
    EXPECT_EQ(Names(), names_) << "cleaned up after step " << step;
    EXPECT_EQ(CompactFolder(), (std::vector<std::string>{"lock", "work"})) << "after step " << step;
  }
  EXPECT_GT(step, 5);
}

TEST_F(CompactorTest, WithoutExchangeReplacedFilesAreNotLeftOver) {
  for (int i = 0; i < 3; ++i) WriteNamed("a" + std::to_string(i));
  ASSERT_TRUE(platform::CreateDirectories(layout_.CompactDir()).ok());
  FolderExchange exchange(layout_, milliseconds(0));
  exchange.GoInSteps();
  ASSERT_TRUE(exchange.CleanUp().ok());
  TableFileResources resources;
  const auto merged = MergeFiles({Signal::kTraces, "", Files()}, options_, exchange.WorkFolder(), &resources, nullptr);
  ASSERT_TRUE(merged.ok());
  const auto done = exchange.Replace(Signal::kTraces, merged->used, {merged->file});
  ASSERT_TRUE(done.ok()) << done.status().ToString();
  EXPECT_EQ(*done, Exchange::kInSteps);
  EXPECT_EQ(Files().size(), 1u);
  EXPECT_EQ(Names(), names_);
}

TEST_F(CompactorTest, TheOldFolderStaysForThoseWhoListIt) {
  for (int i = 0; i < 3; ++i) WriteNamed("a" + std::to_string(i));
  options_.reader_grace = std::chrono::minutes(10);
  Compactor compactor(layout_, clock_);
  ASSERT_TRUE(compactor.Run(options_).ok());
  const auto folder = CompactFolder();
  ASSERT_EQ(folder.size(), 3u);
  EXPECT_TRUE(folder[1].starts_with("tree-traces-"));
  EXPECT_EQ(platform::ListDirectory(layout_.CompactDir() + "/" + folder[1])->size(), 3u);
  bool asked = false;
  ASSERT_TRUE(compactor.Finish([&] { return asked = true; }).ok());  // a shutdown does not wait
  EXPECT_TRUE(asked);
  Run();
}

// Readers that list and then open: each row once, or a file that is gone.
TEST_F(CompactorTest, ReadersBesideItSeeEachRowOnceOrAnError) {
  for (int i = 0; i < 30; ++i) WriteNamed("a" + std::to_string(i), 2);
  std::atomic<bool> done{false};
  std::atomic<int> whole{0}, gone{0};
  const std::string folder = layout_.DataDir(Signal::kTraces);
  std::thread reader([&] {
    while (!done || whole == 0) {
      std::vector<std::string> paths;
      for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path().string());
      std::vector<std::string> names;
      bool all = true;
      for (const auto& path : paths) {
        auto bytes = platform::ReadFile(path);
        all = all && bytes.ok();
        if (!all) break;
        for (auto& name : testing::NamesIn(Signal::kTraces, testing::ReadBatches(path))) names.push_back(name);
      }
      if (!all) {
        ++gone;
        continue;
      }
      ++whole;
      std::sort(names.begin(), names.end());
      EXPECT_EQ(names, names_);
    }
  });
  options_.reader_grace = milliseconds(100);
  Compactor compactor(layout_, clock_);
  for (int i = 0; i < 10; ++i) {
    // Each round rewrites what is there.
    options_.format = i % 2 ? FileFormat::kArrow : FileFormat::kParquet;
    const auto report = compactor.Run(options_);
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    EXPECT_EQ(report->left_out, std::vector<std::string>{});
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace otlp_arrow
