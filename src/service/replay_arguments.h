// The arguments of `otlp-arrow replay`.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "service/command_line.h"

namespace otlp_arrow {

class ReplayArguments {
 public:
  ReplayArguments() = default;
  ReplayArguments(const ReplayArguments&) = delete;  // the command of CLI11 writes into it
  ReplayArguments& operator=(const ReplayArguments&) = delete;

  void AddTo(CLI::App* app);
  // After parsing. Throws CLI::ValidationError. `now` is what relative times count from.
  ReplayOptions Finish(ReplayOptions::Time now);

 private:
  void AddSelection(CLI::App* replay);
  void AddSending(CLI::App* replay);
  void AddPeer(CLI::App* replay);
  void FinishPeer();

  ReplayOptions options_;
  // Options that need a look before they fit the struct.
  ForwardingConfig peer_;
  std::vector<std::string> signals_;
  std::vector<std::string> headers_;
  std::string since_;
  std::string until_;
  bool gzip_ = false;
  double timeout_secs_ = 10;
  double retry_secs_ = 300;
};

}  // namespace otlp_arrow
