#include "senders/grpc_connection.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>

#include <grpc/support/log.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "senders/grpc_outcome.h"
#include "senders/outcome.h"
#include "senders/tls_probe.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using Kind = SendOutcome::Kind;

constexpr milliseconds kProbeTimeout{2000};

// gRPC's threads and locks stay behind in a fork: one process alone can use it, and what that has forked before.
bool IsProcessOfGrpc() {
  static std::atomic<pid_t> process{0};
  pid_t first = 0;
  const pid_t self = ::getpid();
  return process.compare_exchange_strong(first, self) || first == self;
}

// What gRPC writes of a failed attempt its outcome tells better, and once. Whoever sets GRPC_VERBOSITY wants it all.
void HushGrpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (std::getenv("GRPC_VERBOSITY") != nullptr) return;
    gpr_set_log_function([](gpr_log_func_args* line) { spdlog::debug("gRPC: {}", line->message); });
  });
}

}  // namespace

std::optional<SendOutcome> GrpcConnection::Begin(grpc::ClientContext* context, milliseconds timeout) {
  if (!IsProcessOfGrpc()) {
    return Failed(Kind::kUnusable,
                  "this process was forked from one that had used gRPC, which works in no child of it; "
                  "send over HTTP, or nothing before the fork");
  }
  if (!stub_) {
    HushGrpc();
    channel_ = MakeChannel();
    stub_.emplace(channel_);
  }
  timeout_ = timeout;
  context->set_deadline(std::chrono::system_clock::now() + timeout);
  for (const auto& [name, value] : options_.headers) context->AddMetadata(name, value);
  std::lock_guard lock(mutex_);
  if (is_cancelled_) return Cancelled();
  call_ = context;
  return std::nullopt;
}

SendOutcome GrpcConnection::End(const grpc::Status& status) {
  {
    std::lock_guard lock(mutex_);
    call_ = nullptr;
    if (is_cancelled_ && !status.ok()) return Cancelled();
  }
  if (status.ok()) return {};
  SendOutcome outcome = OutcomeOf(status);
  const bool is_connected = channel_->GetState(false) == GRPC_CHANNEL_READY;
  const bool is_late = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  if (is_late) outcome.message = "no answer within " + std::to_string(timeout_.count()) + " ms (" + outcome.message + ")";
  if (is_connected && !is_late) return Tidy(options_, std::move(outcome));
  // A connection whose other end is gone without a word would stay for a quarter of an hour.
  stub_.reset();
  channel_.reset();
  if (options_.endpoint.tls && outcome.kind == Kind::kRetryable && !is_late) {
    if (auto problem = ProbeTls(options_, files_, std::min(timeout_, kProbeTimeout))) outcome = *std::move(problem);
  }
  return Tidy(options_, std::move(outcome));
}

SendOutcome GrpcConnection::Tidied(SendOutcome outcome) const { return Tidy(options_, std::move(outcome)); }

void GrpcConnection::Cancel() {
  std::lock_guard lock(mutex_);
  is_cancelled_ = true;
  if (call_ != nullptr) call_->TryCancel();
}

std::shared_ptr<grpc::Channel> GrpcConnection::MakeChannel() const {
  grpc::ChannelArguments arguments;
  // Reconnecting is paced by who retries; gRPC's own pause may not outlast that.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(std::clamp<int64_t>(timeout_.count(), 100, 20'000)));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of one's own, which ends with the channel
  if (!options_.endpoint.tls) return grpc::CreateCustomChannel(options_.endpoint.Authority(), grpc::InsecureChannelCredentials(), arguments);
  if (!options_.tls.server_name.empty()) arguments.SetSslTargetNameOverride(options_.tls.server_name);
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = files_.authorities;
  tls.pem_cert_chain = files_.certificates;
  tls.pem_private_key = files_.key;
  return grpc::CreateCustomChannel(options_.endpoint.Authority(), grpc::SslCredentials(tls), arguments);
}

std::string Flat(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Valid() || !buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& s : slices) bytes.append(reinterpret_cast<const char*>(s.begin()), s.size());
  return bytes;
}

}  // namespace otlp_arrow
