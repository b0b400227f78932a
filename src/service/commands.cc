#include "service/commands.h"

#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace otlp_arrow {
namespace {

struct Runner {
  const Console& console;

  int operator()(const PrintOptions& options) const {
    (options.exit_code == kExitOk ? console.out : console.err) << options.text << std::flush;
    return options.exit_code;
  }
  int operator()(const ServeOptions& options) const { return RunServe(options, console); }
  int operator()(const RecoverOptions& options) const { return RunRecover(options, console); }
  int operator()(const InspectOptions& options) const { return RunInspect(options, console); }
  int operator()(const ReplayOptions& options) const { return RunReplay(options, console); }
};

}  // namespace

int Report(const Status& status, const Console& console) {
  console.err << "otlp-arrow: " << status.message() << std::endl;
  return status.code() == StatusCode::kConfig ? kExitUsage : kExitFailure;
}

int RunOtlpArrow(int argc, char** argv, char** environ) {
  const Console console{std::cout, std::cerr, ReadEnvironment(environ)};
  try {
    const std::vector<std::string> arguments =
        argc > 0 ? std::vector<std::string>(argv, argv + argc) : std::vector<std::string>{"otlp-arrow"};
    return std::visit(Runner{console}, ParseCommandLine(arguments, std::chrono::system_clock::now()));
  } catch (const std::exception& e) {
    console.err << "otlp-arrow: " << e.what() << std::endl;
    return kExitFailure;
  }
}

}  // namespace otlp_arrow
