#include "server/grpc/server_options.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include <grpc/impl/codegen/compression_types.h>
#include <grpc/impl/codegen/grpc_types.h>
#include <grpcpp/resource_quota.h>

namespace otlp_arrow {
namespace {

constexpr std::chrono::milliseconds kKeepaliveTime = std::chrono::minutes(2);
constexpr std::chrono::milliseconds kKeepaliveTimeout = std::chrono::seconds(20);
constexpr std::chrono::milliseconds kMinPingInterval = std::chrono::seconds(5);
constexpr int kMaxStreamsPerConnection = 1024;
constexpr uint64_t kQuotaBase = 256ull << 20;

// gRPC rejects larger messages itself, without telling the server. Up to twice the limit the server does it, with a
// message that says what to do; that takes no more memory than a request at the limit with its copy.
int HardLimit(const GrpcConfig& config) {
  return static_cast<int>(std::min<uint64_t>(config.max_message_bytes * 2, std::numeric_limits<int>::max()));
}

void LimitMemory(const GrpcConfig& config, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(HardLimit(config));
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder->SetResourceQuota(grpc::ResourceQuota("otlp_grpc").Resize(kQuotaBase + 4 * config.max_message_bytes));
}

// The server inflates gzip itself, as gRPC 1.51 would do it without a limit.
void TakeGzipAsItIs(grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
}

// What every call would pay for and nobody uses here.
void LeaveOutTheUnused(grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);  // responses are empty
  builder->AddChannelArgument(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);          // the client's own timer resets the stream
  builder->AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
}

// Finds dead peers, and lets clients do the same as often as collectors and SDKs are usually set to.
void KeepConnectionsAlive(grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(kKeepaliveTime.count()));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, static_cast<int>(kKeepaliveTimeout.count()));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              static_cast<int>(kMinPingInterval.count()));
}

}  // namespace

void SetServerOptions(const GrpcConfig& config, grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a second server on the port is a mistake to report
  LimitMemory(config, builder);
  TakeGzipAsItIs(builder);
  LeaveOutTheUnused(builder);
  KeepConnectionsAlive(builder);
}

}  // namespace otlp_arrow
