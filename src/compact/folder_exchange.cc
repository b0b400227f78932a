#include "compact/folder_exchange.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/platform/directory_swap.h"
#include "base/platform/platform.h"
#include "storage/publish.h"

namespace otlp_arrow {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kTreePrefix = "tree-";
constexpr auto kPause = std::chrono::milliseconds(20);

// Everything in a folder by its path below it: files, and the folders that they stand in.
struct Contents {
  std::set<std::string> files, folders;
};


Status ListInto(const std::string& folder, const std::string& below, Contents* contents) {
  OTLP_ASSIGN_OR_RETURN(const auto entries, platform::ListDirectory(below.empty() ? folder : folder + "/" + below));
  for (const auto& entry : entries) {
    const std::string path = below.empty() ? entry.name : below + "/" + entry.name;
    if (entry.is_directory && !fs::is_symlink(folder + "/" + path)) {
      contents->folders.insert(path);
      OTLP_RETURN_NOT_OK(ListInto(folder, path, contents));
    } else {
      contents->files.insert(path);
    }
  }
  return Status::Ok();
}

Result<Contents> List(const std::string& folder) {
  Contents contents;
  OTLP_RETURN_NOT_OK(ListInto(folder, "", &contents));
  return contents;
}

// As the folder that it takes the place of, as far as the process may.
void TakeRightsOf(const std::string& model, const std::string& folder) {
  std::error_code ignored;
  fs::permissions(folder, fs::status(model, ignored).permissions(), ignored);
}

std::string Relative(const DataFile& file) {
  return (file.partition.empty() ? "" : file.partition + "/") + file.path.substr(file.path.rfind('/') + 1);
}

std::string Relative(const MergedFile& file) { return (file.partition.empty() ? "" : file.partition + "/") + file.name.ToString(); }

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

Status SyncFolders(const std::string& tree, const Contents& contents) {
  for (const std::string& folder : contents.folders) OTLP_RETURN_NOT_OK(platform::SyncDirectory(tree + "/" + folder));
  return platform::SyncDirectory(tree);
}

std::optional<Signal> SignalOfTree(std::string_view name) {
  if (!name.starts_with(kTreePrefix)) return std::nullopt;
  for (Signal s : kAllSignals) {
    if (name.substr(kTreePrefix.size()).starts_with(SignalName(s))) return s;
  }
  return std::nullopt;
}

}  // namespace

FolderExchange::FolderExchange(StoreLayout layout, std::chrono::milliseconds grace, OnStep on_step)
    : layout_(std::move(layout)), grace_(grace), on_step_(std::move(on_step)) {}

void FolderExchange::Step(std::string_view step) const {
  if (on_step_) on_step_(step);
}

std::string FolderExchange::TreeOf(Signal signal, const std::string& id) const {
  return layout_.CompactDir() + "/" + std::string(kTreePrefix) + std::string(SignalName(signal)) + "-" + id;
}

std::string FolderExchange::NoteOf(Signal signal) const { return layout_.CompactDir() + "/steps-" + std::string(SignalName(signal)); }

Status FolderExchange::CleanUp() {
  for (Signal s : kAllSignals) OTLP_RETURN_NOT_OK(FinishSteps(s));
  OTLP_RETURN_NOT_OK(platform::RemoveTree(WorkFolder()));
  OTLP_ASSIGN_OR_RETURN(const auto entries, platform::ListDirectory(layout_.CompactDir()));
  for (const auto& entry : entries) {
    if (const auto signal = SignalOfTree(entry.name)) old_.push_back({layout_.CompactDir() + "/" + entry.name, *signal, SteadyClock::now()});
  }
  return platform::CreateDirectories(WorkFolder());
}

Result<Exchange> FolderExchange::Replace(Signal signal, const std::vector<DataFile>& inputs, const std::vector<MergedFile>& files) {
  if (!cannot_exchange_) {
    const std::string tree = TreeOf(signal, NewWriterId());
    auto done = ReplaceByExchange(signal, inputs, files, tree);
    // Not before it is exchanged, since Replace leaves nothing behind then.
    if (!done.ok() || *done != Exchange::kDone) (void)platform::RemoveTree(tree);
    if (!done.ok() || *done != Exchange::kInSteps) return done;
    cannot_exchange_ = true;
  }
  return ReplaceInSteps(signal, inputs, files);
}

// Makes the tree hold the folder's files but for the inputs; false where one of those is gone. Called again, it follows what has changed.
Result<bool> FolderExchange::LinkAll(Signal signal, const std::string& tree, const std::vector<DataFile>& inputs) {
  const std::string folder = layout_.DataDir(signal);
  OTLP_ASSIGN_OR_RETURN(Contents there, List(folder));
  OTLP_ASSIGN_OR_RETURN(const Contents linked, List(tree));
  for (const DataFile& input : inputs) {
    if (there.files.erase(Relative(input)) == 0) return false;
  }
  for (const std::string& below : there.folders) {
    OTLP_RETURN_NOT_OK(platform::CreateDirectories(tree + "/" + below));
    TakeRightsOf(folder + "/" + below, tree + "/" + below);
  }
  for (const std::string& file : there.files) {
    if (linked.files.contains(file)) continue;
    auto link = platform::LinkFile(folder + "/" + file, tree + "/" + file);
    if (!link.ok() && !platform::Exists(folder + "/" + file)) continue;  // deleted meanwhile
    OTLP_RETURN_NOT_OK(link.status());
    if (!*link) cannot_exchange_ = true;
  }
  for (const std::string& file : linked.files) {
    if (!there.files.contains(file)) OTLP_RETURN_NOT_OK(platform::Remove(tree + "/" + file));
  }
  return true;
}

Result<Exchange> FolderExchange::ReplaceByExchange(Signal signal, const std::vector<DataFile>& inputs, const std::vector<MergedFile>& files,
                                                   const std::string& tree) {
  const std::string folder = layout_.DataDir(signal);
  Step("make the tree");
  OTLP_RETURN_NOT_OK(platform::CreateDirectories(tree));
  // Most of it without the lock, which writers wait for.
  OTLP_ASSIGN_OR_RETURN(bool all_there, LinkAll(signal, tree, inputs));
  if (cannot_exchange_) return Exchange::kInSteps;
  Step("lock");
  OTLP_ASSIGN_OR_RETURN(const auto lock, AcquirePublishLock(layout_.PublishLock(), platform::PathLock::Kind::kExclusive));
  if (!platform::Exists(folder)) return Exchange::kInputIsGone;
  if (all_there) {
    OTLP_ASSIGN_OR_RETURN(all_there, LinkAll(signal, tree, inputs));
  }
  if (!all_there) return Exchange::kInputIsGone;
  TakeRightsOf(folder, tree);
  Step("put the merged files into the tree");
  for (const MergedFile& file : files) {
    const std::string to = tree + "/" + Relative(file);
    OTLP_RETURN_NOT_OK(platform::CreateDirectories(FolderOf(to)));
    // A link, so that they are still there where the folders cannot be exchanged.
    OTLP_ASSIGN_OR_RETURN(const bool linked, platform::LinkFile(file.temporary_path, to));
    if (!linked) return Exchange::kInSteps;
  }
  OTLP_ASSIGN_OR_RETURN(const Contents contents, List(tree));
  // Partitions whose last file was merged away.
  for (auto below = contents.folders.rbegin(); below != contents.folders.rend(); ++below) {
    std::error_code not_empty;
    if (below->find('=') != std::string::npos) fs::remove(tree + "/" + *below, not_empty);
  }
  OTLP_ASSIGN_OR_RETURN(const Contents left, List(tree));
  OTLP_RETURN_NOT_OK(SyncFolders(tree, left));
  Step("exchange");
  OTLP_ASSIGN_OR_RETURN(const bool exchanged, platform::ExchangeDirectories(tree, folder));
  if (!exchanged) return Exchange::kInSteps;
  old_.push_back({tree, signal, SteadyClock::now()});
  Step("sync the exchange");
  OTLP_RETURN_NOT_OK(SyncAbove(signal));
  for (const MergedFile& file : files) OTLP_RETURN_NOT_OK(platform::Remove(file.temporary_path));
  return Exchange::kDone;
}

Status FolderExchange::SyncAbove(Signal signal) const {
  OTLP_RETURN_NOT_OK(platform::SyncDirectory(FolderOf(layout_.DataDir(signal))));
  return platform::SyncDirectory(layout_.CompactDir());
}

Result<Exchange> FolderExchange::ReplaceInSteps(Signal signal, const std::vector<DataFile>& inputs, const std::vector<MergedFile>& files) {
  OTLP_ASSIGN_OR_RETURN(const auto lock, AcquirePublishLock(layout_.PublishLock(), platform::PathLock::Kind::kExclusive));
  for (const DataFile& input : inputs) {
    if (!platform::Exists(input.path)) return Exchange::kInputIsGone;
  }
  std::string note;
  for (const MergedFile& file : files) note += "+" + file.temporary_path.substr(file.temporary_path.rfind('/') + 1) + "\t" + Relative(file) + "\n";
  for (const DataFile& input : inputs) note += "-" + Relative(input) + "\n";
  Step("note the steps");
  OTLP_RETURN_NOT_OK(platform::ReplaceFile(NoteOf(signal), note, true));
  OTLP_RETURN_NOT_OK(FinishSteps(signal));
  return Exchange::kInSteps;
}

// What the note says, as far as it is not done: the files that are to come, all of which are whole, then those that are to go.
Status FolderExchange::FinishSteps(Signal signal) {
  if (!platform::Exists(NoteOf(signal))) return Status::Ok();
  OTLP_ASSIGN_OR_RETURN(const std::string note, platform::ReadFile(NoteOf(signal)));
  const std::string folder = layout_.DataDir(signal);
  std::istringstream lines(note);
  for (std::string line; std::getline(lines, line);) {
    const size_t tab = line.find('\t');
    if (line.starts_with('+') && tab != std::string::npos) {
      const std::string from = WorkFolder() + "/" + line.substr(1, tab - 1), to = folder + "/" + line.substr(tab + 1);
      Step("publish in steps");
      OTLP_RETURN_NOT_OK(platform::CreateDirectories(FolderOf(to)));
      if (platform::Exists(from)) OTLP_RETURN_NOT_OK(platform::Rename(from, to));
      OTLP_RETURN_NOT_OK(platform::SyncDirectory(FolderOf(to)));
    } else if (line.starts_with('-')) {
      Step("delete in steps");
      OTLP_RETURN_NOT_OK(platform::Remove(folder + "/" + line.substr(1)));
    }
  }
  return platform::Remove(NoteOf(signal));
}

Status FolderExchange::DeleteReplaced(bool wait, const std::function<bool()>& should_stop) {
  Status first;
  while (!old_.empty()) {
    const auto due = std::partition(old_.begin(), old_.end(), [&](const Old& old) { return SteadyClock::now() - old.since < grace_; });
    for (auto old = due; old != old_.end(); ++old) {
      Step("delete the old tree");
      Status status = DeleteTree(*old);
      if (first.ok()) first = status;
    }
    old_.erase(due, old_.end());
    if (!wait || old_.empty() || (should_stop && should_stop())) break;
    std::this_thread::sleep_for(kPause);
  }
  return first;
}

// What others put there that is no data file, after the links were made, is theirs: it goes back into the folder.
Status FolderExchange::DeleteTree(const Old& old) {
  OTLP_ASSIGN_OR_RETURN(const Contents contents, List(old.tree));
  for (const std::string& file : contents.files) {
    const std::string from = old.tree + "/" + file, to = layout_.DataDir(old.signal) + "/" + file;
    if (DataFileName::Parse(file.substr(file.rfind('/') + 1)) || platform::Exists(to)) continue;
    std::error_code error;
    const bool was_linked = fs::hard_link_count(from, error) > 1 || error;
    if (was_linked || !platform::Exists(FolderOf(to))) continue;
    spdlog::info("compaction: '{}' came while its folder was replaced and is moved to '{}'", from, to);
    OTLP_RETURN_NOT_OK(platform::Rename(from, to));
  }
  return platform::RemoveTree(old.tree);
}

}  // namespace otlp_arrow
