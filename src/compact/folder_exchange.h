// A signal's folder with some of its files replaced by others, for every reader in one step.
//
// A tree in <output_dir>/compact gets hard links to all files that stay, and the new ones; then it and the folder exchange their names.
// Whatever moment a process dies at, the tree that is left there is either the new one, not exchanged yet, or the old one: it is
// deleted when its time has come. Where the file system has no such exchange, a note of what is to be done comes first, so that
// whoever comes next can do the rest.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "compact/merge_files.h"
#include "otlp_arrow/status.h"
#include "storage/layout.h"

namespace otlp_arrow {

enum class Exchange {
  kDone,         // in one step
  kInSteps,      // one file after the other: the file system cannot do better
  kInputIsGone,  // one of the inputs was deleted meanwhile: nothing was done
};

class FolderExchange {
 public:
  using OnStep = std::function<void(std::string_view step)>;

  // The caller holds CompactLock as long as this lives. `grace`: how long a replaced folder stays as it was, for those who are listing it.
  FolderExchange(StoreLayout layout, std::chrono::milliseconds grace, OnStep on_step = nullptr);

  // What a process that died left: unfinished files are deleted, what was begun in steps is done, trees are deleted in their time.
  Status CleanUp();

  // Replaces the inputs by `files`, which it takes from where they are.
  Result<Exchange> Replace(Signal signal, const std::vector<DataFile>& inputs, const std::vector<MergedFile>& files);

  // Deletes the replaced folders whose time has come; `wait`: waits for it, unless `should_stop`. What is not deleted is for CleanUp.
  Status DeleteReplaced(bool wait, const std::function<bool()>& should_stop = nullptr);

  // Where files are written before they are published.
  std::string WorkFolder() const { return layout_.CompactDir() + "/work"; }

  // For tests: as if the file system had no exchange.
  void GoInSteps() { cannot_exchange_ = true; }

 private:
  struct Old {
    std::string tree;
    Signal signal;
    std::chrono::steady_clock::time_point since;
  };

  void Step(std::string_view step) const;
  std::string TreeOf(Signal signal, const std::string& id) const;
  std::string NoteOf(Signal signal) const;
  Result<bool> LinkAll(Signal signal, const std::string& tree, const std::vector<DataFile>& inputs);
  Result<Exchange> ReplaceByExchange(Signal signal, const std::vector<DataFile>& inputs, const std::vector<MergedFile>& files, const std::string& tree);
  Result<Exchange> ReplaceInSteps(Signal signal, const std::vector<DataFile>& inputs, const std::vector<MergedFile>& files);
  Status FinishSteps(Signal signal);
  Status DeleteTree(const Old& old);
  Status SyncAbove(Signal signal) const;

  StoreLayout layout_;
  std::chrono::milliseconds grace_;
  OnStep on_step_;
  bool cannot_exchange_ = false;
  std::vector<Old> old_;
};

}  // namespace otlp_arrow
