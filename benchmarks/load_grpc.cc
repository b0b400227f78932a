// The gRPC side of the load generator: calls on completion queues, with bytes made beforehand.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>

#include <grpc/byte_buffer.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>

#include "load.h"
#include "measure.h"

namespace otlp_arrow::bench {
namespace {

constexpr auto kTimeout = std::chrono::seconds(30);

const char* Method(Signal signal) {
  switch (signal) {
    case Signal::kTraces: return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    case Signal::kMetrics: return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    case Signal::kLogs: return "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
  }
  return "";
}

// The bytes without a copy. Where they are gzip already the buffer says so, which only gRPC's C interface can express;
// ByteBuffer is no more than a pointer to the C object.
grpc::ByteBuffer Buffer(const std::string& bytes, bool gzip) {
  static_assert(sizeof(grpc::ByteBuffer) == sizeof(grpc_byte_buffer*));
  if (!gzip) {
    grpc::Slice slice(bytes.data(), bytes.size(), grpc::Slice::STATIC_SLICE);
    return {&slice, 1};
  }
  grpc_slice slice = grpc_slice_from_static_buffer(bytes.data(), bytes.size());
  grpc_byte_buffer* raw = grpc_raw_compressed_byte_buffer_create(&slice, 1, GRPC_COMPRESS_GZIP);
  grpc::ByteBuffer buffer;
  std::memcpy(static_cast<void*>(&buffer), &raw, sizeof(raw));
  return buffer;
}

std::string Text(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!buffer.Valid() || !buffer.Dump(&slices).ok()) return text;
  for (const auto& slice : slices) text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return text;
}

// A connection of its own, ready to be used.
std::shared_ptr<grpc::Channel> Connect(const Load& load) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetMaxSendMessageSize(-1);
  auto channel = grpc::CreateCustomChannel(load.address, grpc::InsecureChannelCredentials(), arguments);
  if (channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) return channel;
  std::fprintf(stderr, "no gRPC server answers at %s\n", load.address.c_str());
  std::exit(1);
}

// One place on a connection where a request may be under way.
struct Place {
  explicit Place(const std::shared_ptr<grpc::Channel>& channel) : stub(channel) {}

  grpc::GenericStub stub;
  const LoadRequest* request = nullptr;
  std::optional<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader;
  grpc::ByteBuffer response;
  grpc::Status status;
  double sent_at = 0;
};

class Worker {
 public:
  Worker(const Load& load, int thread) : load_(load), round_(load, thread), method_(Method(load.signal)) {
    for (int c = thread; c < load.connections; c += load.threads) {
      auto channel = Connect(load);
      for (int i = 0; i < load.in_flight; ++i) places_.push_back(std::make_unique<Place>(channel));
    }
  }

  void Run(double end) {
    size_t under_way = 0;
    for (auto& place : places_) under_way += Send(place.get()) ? 1 : 0;
    void* tag = nullptr;
    bool ok = false;
    while (under_way > 0 && queue_.Next(&tag, &ok)) {
      auto* place = static_cast<Place*>(tag);
      const double now = WallTime();
      if (place->status.ok()) {
        tally_.OnTaken(*place->request, Text(place->response), false, now - place->sent_at);
      } else {
        tally_.OnError(*place->request, "gRPC " + std::to_string(place->status.error_code()) + ": " + place->status.error_message());
      }
      if (now >= end || !Send(place)) --under_way;
    }
    queue_.Shutdown();
    while (queue_.Next(&tag, &ok)) {
    }
  }

  const Tally& tally() const { return tally_; }

 private:
  // False: there are no more requests.
  bool Send(Place* place) {
    place->request = round_.Next();
    if (!place->request) return false;
    place->reader.reset();
    place->context.emplace();
    place->context->set_deadline(std::chrono::system_clock::now() + kTimeout);
    if (load_.gzip) place->context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    place->response.Clear();
    const grpc::ByteBuffer bytes = Buffer(place->request->bytes, load_.gzip);
    place->sent_at = WallTime();
    place->reader = place->stub.PrepareUnaryCall(&*place->context, method_, bytes, &queue_);
    place->reader->StartCall();
    place->reader->Finish(&place->response, &place->status, place);
    return true;
  }

  const Load& load_;
  RequestRound round_;
  const std::string method_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<Place>> places_;
  Tally tally_;
};

}  // namespace

LoadResult RunGrpcLoad(const Load& load) {
  const Load idle_load = IdleLoad(load);
  Worker idle(idle_load, 0);
  idle.Run(0);
  std::vector<std::unique_ptr<Worker>> workers;
  for (int t = 0; t < load.threads; ++t) workers.push_back(std::make_unique<Worker>(load, t));
  const double begin = WallTime();
  std::vector<std::thread> threads;
  for (auto& worker : workers) threads.emplace_back([&worker, end = begin + load.seconds] { worker->Run(end); });
  for (auto& thread : threads) thread.join();
  LoadResult result;
  result.idle_items_acked = idle.tally().items_acked;
  result.seconds = WallTime() - begin;
  for (const auto& worker : workers) result.tally += worker->tally();
  return result;
}

}  // namespace otlp_arrow::bench
