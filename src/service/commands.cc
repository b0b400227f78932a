#include "service/commands.h"

#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "otlp_arrow/service.h"
#include "senders/sender_factory.h"

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
  int operator()(const CollectOptions& options) const { return RunCollect(options, console); }
  int operator()(const CompactArguments& options) const { return RunCompact(options, console); }
};

}  // namespace

int ExitCodeOf(const Status& status) { return status.code() == StatusCode::kConfig ? kExitUsage : kExitFailure; }

int Report(const Status& status, const Console& console) {
  console.err << "otlp-arrow: " << status.message() << std::endl;
  return ExitCodeOf(status);
}

std::shared_ptr<SenderFactory> ForwardingSenders() {
  RegisterSenders();
  return RegisteredSenderFactory();
}

int RunCommandLine(std::vector<std::string> arguments, char** environment) {
  RegisterSenders();
  const Console console{std::cout, std::cerr, ReadEnvironment(environment)};
  if (arguments.empty()) arguments = {"otlp-arrow"};
  try {
    return std::visit(Runner{console}, ParseCommandLine(std::move(arguments), std::chrono::system_clock::now(), console.environment));
  } catch (const std::exception& e) {
    console.err << "otlp-arrow: " << e.what() << std::endl;
    return kExitFailure;
  }
}

}  // namespace otlp_arrow
