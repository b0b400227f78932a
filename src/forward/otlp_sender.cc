#include "forward/otlp_sender.h"

#include <mutex>
#include <utility>

#include "otlp_arrow/forwarding_senders.h"

namespace otlp_arrow {
namespace {

struct Registry {
  std::mutex mutex;
  std::shared_ptr<SenderFactory> factory;
};

Registry& TheRegistry() {
  static auto& registry = *new Registry;
  return registry;
}

}  // namespace

void RegisterSenderFactory(std::shared_ptr<SenderFactory> factory) {
  std::lock_guard lock(TheRegistry().mutex);
  TheRegistry().factory = std::move(factory);
}

std::shared_ptr<SenderFactory> RegisteredSenderFactory() {
  std::lock_guard lock(TheRegistry().mutex);
  return TheRegistry().factory;
}

}  // namespace otlp_arrow
