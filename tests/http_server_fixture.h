// A server on a free port, with a pipeline that answers as told and time that passes as told.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "fake_pipeline.h"
#include "manual_clock.h"
#include "raw_http_client.h"
#include "server/http/otlp_http_server.h"

namespace otlp_arrow {

// Lets time run: a step every few milliseconds, because what is to time out may begin only after a single step.
class FastTime {
 public:
  FastTime(ManualClock* clock, std::chrono::seconds step)
      : thread_([this, clock, step] {
          while (!done_) {
            clock->Advance(step);
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
          }
        }) {}
  ~FastTime() {
    done_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

class HttpServerFixture : public ::testing::Test {
 protected:
  HttpServerFixture() {
    config_.http.address = "127.0.0.1:0";
    config_.http.max_body_bytes = 1 << 20;
  }
  void Start() {
    auto server = OtlpHttpServer::Start(config_, pipeline_.get(), clock_);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
  }
  std::unique_ptr<RawHttpClient> Connect() { return std::make_unique<RawHttpClient>(server_->port()); }
  // One request on a connection of its own.
  RawHttpResponse Exchange(const std::string& request) {
    auto client = Connect();
    client->Send(request);
    auto response = client->Read();
    EXPECT_TRUE(response) << "no response";
    return response.value_or(RawHttpResponse{});
  }
  RawHttpResponse Get(const std::string& path) { return Exchange("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n"); }
  static std::string TraceRequest(int spans = 3) {
    opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;
    auto* scope = request.add_resource_spans()->add_scope_spans();
    for (int i = 0; i < spans; ++i) scope->add_spans()->set_name("span " + std::to_string(i));
    return request.SerializeAsString();
  }
  static std::string Chunked(std::string_view path, const std::vector<std::string>& chunks, std::string_view headers = "") {
    std::string out("POST ");
    out.append(path).append(" HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-protobuf\r\n").append(headers);
    out.append("Transfer-Encoding: chunked\r\n\r\n");
    char size[20];
    for (const auto& chunk : chunks) {
      std::snprintf(size, sizeof(size), "%zx\r\n", chunk.size());
      out.append(size).append(chunk).append("\r\n");
    }
    return out.append("0\r\n\r\n");
  }
  // Waits until the server has counted a refusal with this reason.
  bool WaitForRefusal(std::string_view reason) const {
    for (int i = 0; i < 4000; ++i) {
      for (const auto& refusal : pipeline_->refusals()) {
        if (refusal.reason == reason) return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return false;
  }
  static AcceptResult Refusal(Status status, std::chrono::milliseconds retry_after = std::chrono::milliseconds{0}) {
    AcceptResult result;
    result.status = std::move(status);
    result.retry_after = retry_after;
    return result;
  }

  Config config_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<FakePipeline> pipeline_ = std::make_shared<FakePipeline>();
  std::unique_ptr<OtlpHttpServer> server_;
};

}  // namespace otlp_arrow
