// A program that is instrumented with the native SDK, without opentelemetry-cpp:
//
//   instrumented [FILE]        otlp-arrow collect --once --input FILE
#include <atomic>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <otlp_arrow/sdk/provider.h>

namespace {

namespace sdk = otlp_arrow::sdk;

class Shop {
 public:
  explicit Shop(sdk::Provider& provider)
      : tracer_(provider.GetTracer({.name = "shop.checkout", .version = "1.4.2"})),
        logger_(provider.GetLogger({.name = "shop.checkout"})),
        meter_(provider.GetMeter({.name = "shop.checkout"})),
        orders_(meter_.CreateCounter<int64_t>("shop.orders", {.unit = "{order}"})),
        latency_(meter_.CreateHistogram<double>("shop.latency", {.unit = "ms"})),
        stock_(meter_.CreateObservableGauge("shop.stock", [this](sdk::Observer& observer) { observer.Observe(apples_.load(), {{"fruit", "apple"}}); })) {}

  // `traceparent`: of the request that came in.
  void TakeOrder(int number, const std::string& traceparent) {
    const auto parent = sdk::ParseTraceParent(traceparent);
    sdk::Span span = tracer_.Start("POST /orders", {.kind = otlp_arrow::SpanKind::kServer,
                                                    .parent = parent ? &*parent : nullptr,
                                                    .attributes = {{"http.request.method", "POST"}, {"order.id", number}}});
    const sdk::Scope scope(span);  // what is recorded from here on belongs to it
    span.AddEvent("cart checked", {{"items", 3}});
    Charge(number);
    --apples_;
    orders_.Add(1, {{"payment", "card"}});
    latency_.Record(12.5);
    logger_.Emit(otlp_arrow::SeverityNumber::kInfo, "order " + std::to_string(number) + " is taken");
  }

 private:
  void Charge(int number) {
    sdk::Span span = tracer_.Start("charge card", {.kind = otlp_arrow::SpanKind::kClient});
    try {
      if (number % 2 == 1) throw std::runtime_error("the card has expired");
      span.SetStatus(otlp_arrow::SpanStatusCode::kOk);
    } catch (const std::exception& error) {
      span.RecordException(error);
      span.SetStatus(otlp_arrow::SpanStatusCode::kError, error.what());
    }
  }

  std::atomic<int64_t> apples_ = 100;  // the callback runs on another thread
  sdk::Tracer tracer_;
  sdk::Logger logger_;
  sdk::Meter meter_;
  sdk::Counter<int64_t> orders_;
  sdk::Histogram<double> latency_;
  sdk::Observable stock_;
};

}  // namespace

int main(int argc, char** argv) {
  sdk::FileRecorderOptions file;
  file.path = argc > 1 ? argv[1] : "/dev/shm/shop.{pid}.mmap";
  const auto recorder = sdk::OpenFileRecorder(file);
  if (!recorder.ok()) return std::fprintf(stderr, "%s\n", recorder.status().ToString().c_str()), 1;
  const auto provider = sdk::Provider::Create(*recorder, {.resource = {.attributes = {{"service.name", "shop"}}}});
  if (!provider.ok()) return std::fprintf(stderr, "%s\n", provider.status().ToString().c_str()), 2;
  {
    Shop shop(**provider);
    shop.TakeOrder(4710, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    shop.TakeOrder(4711, "");
    (void)(*provider)->ForceFlush();
  }
  return (*provider)->Shutdown().ok() ? 0 : 1;
}
