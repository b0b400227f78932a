#include "server/grpc/server_options.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include <grpc/impl/codegen/compression_types.h>
#include <grpc/impl/codegen/grpc_types.h>
#include <grpcpp/resource_quota.h>

namespace otlp_arrow {
namespace {

// For TLS's handshake and HTTP/2's first frames.
constexpr std::chrono::milliseconds kHandshakeTimeout = std::chrono::seconds(10);

template <class Number>
int ToInt(Number value) {
  return static_cast<int>(std::min<uint64_t>(value, std::numeric_limits<int>::max()));
}

int Milliseconds(uint32_t seconds) { return ToInt(uint64_t{seconds} * 1000); }

// gRPC rejects larger messages itself, without telling the server. Up to twice the limit the server does it, with a
// message that says what to do; that takes no more memory than a request at the limit with its copy.
int HardLimit(const GrpcConfig& config) { return ToInt(config.max_message_bytes * 2); }

void LimitMemory(const GrpcConfig& config, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(HardLimit(config));
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, ToInt(config.max_metadata_bytes));
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, ToInt(config.max_streams_per_connection));
  builder->SetResourceQuota(grpc::ResourceQuota("otlp_grpc").Resize(config.max_receive_bytes));
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
void KeepConnectionsAlive(const GrpcConfig& config, grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(config.keepalive_time_secs));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(config.keepalive_timeout_secs));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, Milliseconds(config.min_ping_interval_secs));
}

void LimitConnections(const GrpcConfig& config, grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, static_cast<int>(kHandshakeTimeout.count()));
  if (config.max_connection_idle_secs > 0) {
    builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, Milliseconds(config.max_connection_idle_secs));
  }
  if (config.max_connection_age_secs == 0) return;
  builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, Milliseconds(config.max_connection_age_secs));
  builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, Milliseconds(config.max_connection_age_grace_secs));
}

}  // namespace

void SetServerOptions(const GrpcConfig& config, grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a second server on the port is a mistake to report
  LimitMemory(config, builder);
  TakeGzipAsItIs(builder);
  LeaveOutTheUnused(builder);
  KeepConnectionsAlive(config, builder);
  LimitConnections(config, builder);
}

}  // namespace otlp_arrow
