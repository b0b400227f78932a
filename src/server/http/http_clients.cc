#include "server/http/http_clients.h"

namespace otlp_arrow {
namespace {

std::string KeyOf(const boost::asio::ip::address& address) {
  const auto text = [](const auto& bytes, size_t n) { return std::string(reinterpret_cast<const char*>(bytes.data()), n); };
  if (address.is_v4()) return text(address.to_v4().to_bytes(), 4);
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return text(boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_bytes(), 4);
  return text(v6.to_bytes(), 8);
}

}  // namespace

std::shared_ptr<HttpClient> HttpClients::Enter(const boost::asio::ip::address& address) {
  std::string key = KeyOf(address);
  std::lock_guard lock(mutex_);
  auto& client = clients_[key];
  if (!client) {
    client = std::make_shared<HttpClient>();
    client->key = std::move(key);
  }
  ++client->connections;
  return client;
}

void HttpClients::Leave(const std::shared_ptr<HttpClient>& client) {
  std::lock_guard lock(mutex_);
  if (--client->connections == 0) clients_.erase(client->key);
}

size_t HttpClients::size() const {
  std::lock_guard lock(mutex_);
  return clients_.size();
}

}  // namespace otlp_arrow
