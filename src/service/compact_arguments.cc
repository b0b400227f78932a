#include "service/compact_arguments.h"

#include "service/argument_values.h"

namespace otlp_arrow {
namespace {

constexpr char kFooter[] =
    R"(Readers see every row exactly once, whatever moment they look at: what is merged takes the place of its
files in one step. A service may go on writing into the directory meanwhile. Interrupt it at any time: what is
published stays, the rest is left as it was. docs/compaction.md tells more.

Where --format and --partition are given neither here nor in a configuration, files stay as they are in both:
Parquet where there is a Parquet file already, in folders where there are such.

Exit codes: 0 done; 1 files could not be read or the disk refused; 2 wrong arguments.

Examples:
  otlp-arrow compact /var/lib/otlp-arrow --dry-run
  otlp-arrow compact /var/lib/otlp-arrow --format parquet --partition hour
  otlp-arrow compact ./output_dir --signal traces --target-file-bytes 512MiB --json
)";

}  // namespace

void AddCompact(CLI::App* app, CompactArguments* arguments) {
  CLI::App* compact = app->add_subcommand("compact", "merge small data files into large ones");
  compact->footer(kFooter);
  compact->add_option("directory", arguments->directory, "an output directory")->type_name("DIR")->required();
  compact->add_option("--config", arguments->config_file, "a YAML file: its format, retention and compaction hold, as for the service")->type_name("FILE");
  auto add = [&](const std::string& flag, const std::string& key, const std::string& help) {
    return compact->add_option_function<std::string>(flag, [arguments, key](const std::string& text) { arguments->settings.push_back({key, {text}}); }, help);
  };
  add("--format", "compaction.format", "of merged files: arrow or parquet; files of the other one are rewritten")->type_name("NAME");
  add("--partition", "compaction.partition", "folders by time of arrival (UTC): none, date, or hour (date=2026-01-31/hour=23)")->type_name("NAME");
  add("--compression", "compression", "of merged files: zstd, lz4 or none [zstd]")->type_name("NAME");
  add("--target-file-bytes", "compaction.target_file_bytes", "files are merged up to this size [256MiB]")->type_name("SIZE");
  add("--window", "compaction.window_secs", "seconds: a merged file holds arrivals of one such window, so that retention stays exact to it [3600]")->type_name("N");
  add("--min-files", "compaction.min_files", "leave a window alone that has fewer small files [2]")->type_name("N");
  add("--min-age", "compaction.min_age_secs", "seconds: leave younger files alone [0]")->type_name("N");
  compact
      ->add_option_function<std::vector<std::string>>(
          "--signal",
          [arguments](const std::vector<std::string>& names) {
            for (const auto& name : names) arguments->signals.push_back(*SignalFromName(name));
          },
          "only these: traces, metrics, logs; may be repeated [all]")
      ->type_name("NAME")
      ->delimiter(',')
      ->check(CLI::IsMember({"traces", "metrics", "logs"}).description(""));
  compact
      ->add_option("--reader-grace", arguments->reader_grace_secs,
                   "seconds that the replaced folder stays for programs that are listing it at that moment [5]")
      ->type_name("N")
      ->check(CLI::Range(0.0, 3600.0).description(""));
  compact->add_flag("--dry-run", arguments->dry_run, "tell what would be merged, change nothing");
  compact->add_flag("--json", arguments->json, "for programs: the result as one JSON object");
  compact->add_flag("--quiet", arguments->quiet, "no progress, only problems and the result");
}

}  // namespace otlp_arrow
