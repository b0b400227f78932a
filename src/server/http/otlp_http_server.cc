#include "server/http/otlp_http_server.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/thread_pool.hpp>
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/host_port.h"
#include "server/common/certificate_files.h"
#include "server/common/listen_error.h"
#include "server/common/periodic_check.h"
#include "server/http/http_listener.h"
#include "server/http/http_settings.h"
#include "server/http/http_shared.h"
#include "server/http/io_loop.h"
#include "server/http/server_tls.h"

namespace otlp_arrow {
namespace {

unsigned LoopCount() { return std::clamp(std::thread::hardware_concurrency(), 1u, 4u); }

// Like std::latch, with a time-out; shared, so that whoever comes late still finds it.
class Latch {
 public:
  explicit Latch(size_t count) : count_(count) {}
  void CountDown() {
    std::lock_guard lock(mutex_);
    if (--count_ == 0) changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return count_ == 0; });
  }
  void WaitFor(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t count_;
};

}  // namespace

class OtlpHttpServer::Impl {
 public:
  Impl(const Config& config, Pipeline* pipeline, std::shared_ptr<Clock> clock, std::function<std::string()> more_metrics);
  ~Impl() { Shutdown(std::chrono::milliseconds{0}); }

  Status Start();
  Status Reload(const Config& config);
  void Shutdown(std::chrono::milliseconds deadline);

  int port() const { return port_; }
  const std::string& address() const { return address_; }

 private:
  // Returns when every session is gone, or at the deadline.
  void Drain(std::chrono::milliseconds deadline);
  // Reads what the configuration names, and has new connections and requests go by it. The lock is held.
  Status Use(const Config& config);
  void Publish(std::shared_ptr<const HttpSettings> settings);
  // Looks whether the certificates' files have changed.
  void RefreshCertificates();
  void StopCertificateCheck();

  const std::shared_ptr<HttpShared> shared_ = std::make_shared<HttpShared>();
  boost::asio::thread_pool heavy_work_{LoopCount()};
  std::vector<std::shared_ptr<IoLoop>> loops_;
  std::unique_ptr<HttpListener> listener_;
  bool started_ = false;
  int port_ = 0;
  std::string address_;
  std::once_flag shutdown_;

  std::mutex mutex_;                                 // of what follows
  Config config_;
  std::shared_ptr<const HttpSettings> settings_;
  std::shared_ptr<CertificateFiles> certificates_;   // null without TLS
  std::unique_ptr<PeriodicCheck> certificate_check_;
};

OtlpHttpServer::Impl::Impl(const Config& config, Pipeline* pipeline, std::shared_ptr<Clock> clock, std::function<std::string()> more_metrics)
    : config_(config) {
  shared_->pipeline = pipeline;
  shared_->more_metrics = std::move(more_metrics);
  shared_->clock = clock ? std::move(clock) : Clock::System();
  shared_->heavy_work = &heavy_work_;
}

Status OtlpHttpServer::Impl::Start() {
  {
    std::lock_guard lock(mutex_);  // a look at the certificates may come
    OTLP_RETURN_NOT_OK(Use(Config(config_)));
    for (unsigned i = 0; i < LoopCount(); ++i) loops_.push_back(std::make_shared<IoLoop>(shared_->clock, settings_));
  }
  listener_ = std::make_unique<HttpListener>(loops_, shared_);
  const std::string& wanted = config_.http.address;
  auto address = ParseHostPort(wanted);
  if (!address.ok()) return ListenError("http.address", wanted, address.status().message());
  OTLP_RETURN_NOT_OK(listener_->Open(&*address));
  port_ = address->port;
  address_ = address->ToString();
  for (const auto& loop : loops_) loop->Start();
  started_ = true;
  return Status::Ok();
}

Status OtlpHttpServer::Impl::Reload(const Config& config) {
  std::lock_guard lock(mutex_);
  return Use(config);
}

Status OtlpHttpServer::Impl::Use(const Config& config) {
  OTLP_ASSIGN_OR_RETURN(auto settings, MakeHttpSettings(config));
  std::shared_ptr<CertificateFiles> certificates;
  const ServerTlsConfig& tls = config.TlsOf(config.http.tls);
  if (!tls.cert_file.empty()) {
    const std::string section = TlsSection(config, config.http.tls, "http");
    OTLP_ASSIGN_OR_RETURN(certificates, CertificateFiles::Open(section, tls));
    OTLP_ASSIGN_OR_RETURN(settings->tls, MakeTlsContext(section, *certificates->current()));
  }
  config_ = config;
  certificates_ = std::move(certificates);
  if (certificates_ && !certificate_check_) {
    certificate_check_ = std::make_unique<PeriodicCheck>(kCertificatesReadEvery, [this] { RefreshCertificates(); });
  }
  Publish(std::move(settings));
  return Status::Ok();
}

void OtlpHttpServer::Impl::Publish(std::shared_ptr<const HttpSettings> settings) {
  settings_ = settings;
  for (const auto& loop : loops_) loop->Post([loop, settings] { loop->SetSettings(settings); });
}

void OtlpHttpServer::Impl::RefreshCertificates() {
  std::lock_guard lock(mutex_);
  if (!certificates_ || !certificates_->Refresh()) return;
  auto context = MakeTlsContext(TlsSection(config_, config_.http.tls, "http"), *certificates_->current());
  if (!context.ok()) return spdlog::error("HTTP server: {}; the certificate read before stays in use", context.status().message());
  auto settings = std::make_shared<HttpSettings>(*settings_);
  settings->tls = *std::move(context);
  Publish(std::move(settings));
}

void OtlpHttpServer::Impl::StopCertificateCheck() {
  std::unique_ptr<PeriodicCheck> check;  // ends without the lock, which it takes
  std::lock_guard lock(mutex_);
  check = std::move(certificate_check_);
}

void OtlpHttpServer::Impl::Shutdown(std::chrono::milliseconds deadline) {
  std::call_once(shutdown_, [&] {
    StopCertificateCheck();
    if (started_) Drain(deadline);
    for (const auto& loop : loops_) loop->Stop();
    heavy_work_.join();
    listener_.reset();
  });
}

void OtlpHttpServer::Impl::Drain(std::chrono::milliseconds deadline) {
  const auto closed = std::make_shared<Latch>(1);
  loops_.front()->Post([this, closed] {
    listener_->Close();
    closed->CountDown();
  });
  closed->Wait();
  shared_->draining = true;
  const auto empty = std::make_shared<Latch>(loops_.size());
  for (const auto& loop : loops_) {
    loop->Post([loop, empty] { loop->Drain([empty] { empty->CountDown(); }); });
  }
  empty->WaitFor(deadline);
}

Result<std::unique_ptr<OtlpHttpServer>> OtlpHttpServer::Start(const Config& config, Pipeline* pipeline, std::shared_ptr<Clock> clock,
                                                              std::function<std::string()> more_metrics) {
  auto impl = std::make_unique<Impl>(config, pipeline, std::move(clock), std::move(more_metrics));
  OTLP_RETURN_NOT_OK(impl->Start());
  return std::unique_ptr<OtlpHttpServer>(new OtlpHttpServer(std::move(impl)));
}

Status OtlpHttpServer::Reload(const Config& config) { return impl_->Reload(config); }
OtlpHttpServer::OtlpHttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OtlpHttpServer::~OtlpHttpServer() = default;
int OtlpHttpServer::port() const { return impl_->port(); }
const std::string& OtlpHttpServer::address() const { return impl_->address(); }
void OtlpHttpServer::Shutdown(std::chrono::milliseconds deadline) { impl_->Shutdown(deadline); }

}  // namespace otlp_arrow
