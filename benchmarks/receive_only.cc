// What do the servers alone cost? They take every request whole and hand it to a pipeline that throws it away.
// To be compared, under the same load and in the same minutes, with a gRPC server that does not even look at the bytes.
//
//   receive_only [GRPC_ADDRESS [HTTP_ADDRESS]]    until SIGINT or SIGTERM
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "pipeline/pipeline.h"
#include "server/grpc/otlp_grpc_server.h"
#include "server/http/otlp_http_server.h"

namespace {

using namespace otlp_arrow;

class DiscardingPipeline final : public Pipeline {
 public:
  void Accept(Signal, SharedBytes, AcceptCallback done) override { done({}); }
  WritableBytes Allocate(size_t size) override {
    std::shared_ptr<void> owner(std::malloc(size + 64), std::free);
    char* data = static_cast<char*>(owner.get());
    return {std::move(owner), data, size};
  }
  Status Flush(std::chrono::milliseconds) override { return Status::Ok(); }
  Status Shutdown(std::chrono::milliseconds) override { return Status::Ok(); }
  bool Ready(std::string*) const override { return true; }
  Ledger GetLedger() const override { return {}; }
  void CountRefused(Signal, int64_t, std::string_view) override {}
  uint64_t QueuedBytes() const override { return 0; }
};

}  // namespace

int main(int argc, char** argv) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  DiscardingPipeline pipeline;
  Config config;
  if (argc > 1) config.grpc.address = argv[1];
  if (argc > 2) config.http.address = argv[2];
  auto grpc_server = OtlpGrpcServer::Start(config, &pipeline);
  if (!grpc_server.ok()) {
    std::fprintf(stderr, "%s\n", grpc_server.status().ToString().c_str());
    return 1;
  }
  auto http_server = OtlpHttpServer::Start(config, &pipeline);
  if (!http_server.ok()) {
    std::fprintf(stderr, "%s\n", http_server.status().ToString().c_str());
    return 1;
  }
  int signal = 0;
  sigwait(&stop, &signal);
  return 0;
}
