#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include "base/clock.h"
#include "base/json_writer.h"
#include "compact/compactor.h"
#include "service/commands.h"
#include "service/compact_arguments.h"
#include "service/human_text.h"
#include "service/logging.h"
#include "service/signal_watch.h"
#include "storage/layout.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

// One line that is overwritten on a terminal, a line now and then elsewhere.
class CompactProgress {
 public:
  CompactProgress(const Console& console, bool quiet) : console_(console), quiet_(quiet), is_terminal_(isatty(STDERR_FILENO) == 1) {}
  ~CompactProgress() { Clear(); }

  void Show(const CompactReport& report) {
    const auto now = std::chrono::steady_clock::now();
    if (quiet_ || report.files_planned == 0 || now - last_ < (is_terminal_ ? milliseconds(100) : milliseconds(5000))) return;
    last_ = now;
    constexpr int64_t kBarWidth = 30;
    const int64_t filled = std::min(kBarWidth, report.files_read * kBarWidth / report.files_planned);
    const std::string line = "[" + std::string(static_cast<size_t>(filled), '#') + std::string(static_cast<size_t>(kBarWidth - filled), '.') + "] " +
                             GroupedNumber(report.files_read) + " of " + Counted(report.files_planned, "file") + " read, " +
                             Counted(report.Sum(&CompactCounts::rows_merged), "row") + " in merged ones";
    if (!is_terminal_) {
      console_.err << line << std::endl;
    } else {
      console_.err << "\r\033[K" << line << std::flush;
      line_shown_ = true;
    }
  }

  void Clear() {
    if (line_shown_) console_.err << "\r\033[K" << std::flush;
    line_shown_ = false;
  }

 private:
  const Console& console_;
  const bool quiet_, is_terminal_;
  bool line_shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

bool Has(const ConfigSources& sources, const std::string& key) {
  return std::any_of(sources.flags.begin(), sources.flags.end(), [&](const auto& flag) { return flag.first == key; });
}

// What is not asked for stays as it is in the directory.
Status KeepForms(const StoreLayout& layout, bool format_given, bool partition_given, CompactOptions* options) {
  for (const Signal s : kAllSignals) {
    OTLP_ASSIGN_OR_RETURN(const auto files, ListDataFiles(layout, s));
    for (const DataFile& file : files) {
      if (!format_given && file.name.format == FileFormat::kParquet) options->format = FileFormat::kParquet;
      if (partition_given || file.partition.empty()) continue;
      const bool by_hour = file.partition.find("hour=") != std::string::npos;
      options->rules.partition = by_hour ? Partitioning::kHour : std::max(options->rules.partition, Partitioning::kDate);
    }
  }
  return Status::Ok();
}

Result<CompactOptions> OptionsOf(const CompactArguments& arguments, const Console& console) {
  ConfigSources sources{.yaml_name = {}, .yaml_text = {}, .environment = console.environment, .flags = {{"output_dir", {arguments.directory}}}, .forward = {}};
  for (const auto& setting : arguments.settings) sources.flags.push_back(setting);
  const bool has_config = !arguments.config_file.empty();
  if (!has_config && !Has(sources, "compaction.min_files")) sources.flags.push_back({"compaction.min_files", {"2"}});
  if (!Has(sources, "compaction.min_age_secs")) sources.flags.push_back({"compaction.min_age_secs", {"0"}});
  const bool format_given = has_config || Has(sources, "compaction.format");
  const bool partition_given = has_config || Has(sources, "compaction.partition");
  OTLP_ASSIGN_OR_RETURN(const auto loaded, LoadConfigFile(arguments.config_file, std::move(sources)));
  ConfigureLogging(loaded.config.log_level);
  CompactOptions options = CompactOptions::From(loaded.config);
  // Without a configuration nobody says how long files are to be kept.
  if (!has_config) options.max_age = {};
  OTLP_RETURN_NOT_OK(KeepForms(StoreLayout(arguments.directory), format_given, partition_given, &options));
  if (!arguments.signals.empty()) options.signals = arguments.signals;
  options.everything = true;
  options.dry_run = arguments.dry_run;
  options.reader_grace = milliseconds(static_cast<int64_t>(arguments.reader_grace_secs * 1000));
  return options;
}

std::string Json(const CompactReport& report, bool dry_run) {
  JsonWriter json;
  json.BeginObject().Key("dry_run").Bool(dry_run).Key("stopped").Bool(report.was_stopped).Key("signals").BeginObject();
  for (Signal s : kAllSignals) {
    const CompactCounts& counts = report.signals[static_cast<size_t>(s)];
    json.Key(SignalName(s)).BeginObject();
    json.Key("files_before").Number(counts.files_before).Key("files_after").Number(counts.files_after);
    json.Key("bytes_before").Number(counts.bytes_before).Key("bytes_after").Number(counts.bytes_after);
    json.Key("files_merged").Number(counts.files_merged).Key("files_written").Number(counts.files_written);
    json.Key("rows_merged").Number(counts.rows_merged).EndObject();
  }
  json.EndObject().Key("left_out").BeginArray();
  for (const auto& what : report.left_out) json.Text(what);
  json.EndArray().EndObject();
  return json.json();
}

std::string Text(const CompactReport& report, const CompactArguments& arguments) {
  std::vector<std::vector<std::string>> rows = {{"", "files before", "after", "bytes before", "after", "rows merged"}};
  for (Signal s : kAllSignals) {
    const CompactCounts& counts = report.signals[static_cast<size_t>(s)];
    if (counts.files_before == 0) continue;
    rows.push_back({std::string(SignalName(s)), GroupedNumber(counts.files_before), GroupedNumber(counts.files_after), HumanBytes(counts.bytes_before),
                    arguments.dry_run ? "?" : HumanBytes(counts.bytes_after), arguments.dry_run ? "?" : GroupedNumber(counts.rows_merged)});
  }
  if (rows.size() == 1) return "no data files in '" + arguments.directory + "'\n";
  const int64_t merged = report.Sum(&CompactCounts::files_merged);
  std::string text = AlignedTable(rows);
  if (merged == 0) text += "nothing to merge\n";
  if (arguments.dry_run && merged > 0) text += Counted(merged, "file") + " would be merged; nothing was changed\n";
  if (report.was_stopped) text += "stopped before the end; run it again for the rest\n";
  if (!report.was_exchanged) text += "this file system cannot exchange folders: readers could see rows twice for a moment\n";
  return text;
}

}  // namespace

int RunCompact(const CompactArguments& arguments, const Console& console) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(arguments.directory + "/otlp", ignored)) {
    return Report(Status::Io("'" + arguments.directory + "' is no output directory: it has no folder otlp/"), console);
  }
  auto options = OptionsOf(arguments, console);
  if (!options.ok()) return Report(options.status(), console);
  SignalWatch signals;
  options->should_stop = [&] { return signals.received() != 0; };
  CompactProgress progress(console, arguments.quiet);
  options->on_progress = [&](const CompactReport& report) { progress.Show(report); };
  Compactor compactor(StoreLayout(arguments.directory), Clock::System());
  const auto report = compactor.Run(*options);
  progress.Clear();
  if (!report.ok()) return Report(report.status(), console);
  if (report->is_busy) {
    return Report(Status::Io("'" + arguments.directory + "' is being compacted by another process, perhaps a service with compaction.enabled; try again later"), console);
  }
  const Status finished = compactor.Finish(options->should_stop);
  console.out << (arguments.json ? Json(*report, arguments.dry_run) + "\n" : Text(*report, arguments)) << std::flush;
  for (const auto& what : report->left_out) console.err << "otlp-arrow: left out: " << what << std::endl;
  if (!finished.ok()) return Report(finished, console);
  return report->left_out.empty() ? kExitOk : kExitFailure;
}

}  // namespace otlp_arrow
