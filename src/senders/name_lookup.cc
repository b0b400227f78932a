#include "senders/name_lookup.h"

#include <condition_variable>
#include <cstring>
#include <system_error>
#include <thread>

#include <netdb.h>

namespace otlp_arrow {
namespace {

using Tcp = boost::asio::ip::tcp;

Result<NameLookup::Addresses> LookUp(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) return Status::Server(::gai_strerror(error), true);
  NameLookup::Addresses addresses;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    Tcp::endpoint address;
    if (a->ai_addrlen > address.capacity()) continue;
    std::memcpy(address.data(), a->ai_addr, a->ai_addrlen);
    address.resize(a->ai_addrlen);
    address.port(port);
    addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return Status::Server("no address", true);
  return addresses;
}

}  // namespace

struct NameLookup::Search {
  std::mutex mutex;
  std::condition_variable done;
  bool is_abandoned = false;
  std::unique_ptr<Result<Addresses>> result;
};

Result<NameLookup::Addresses> NameLookup::Find(const std::string& host, uint16_t port, std::chrono::steady_clock::time_point deadline) {
  boost::system::error_code is_name;
  if (const auto address = boost::asio::ip::make_address(host, is_name); !is_name) return Addresses{Tcp::endpoint(address, port)};

  auto search = std::make_shared<Search>();
  {
    std::lock_guard lock(mutex_);
    if (is_cancelled_) return Status::Server("cancelled", true);
    search_ = search;
  }
  try {
    // getaddrinfo knows no deadline; whoever gives up leaves it to itself.
    std::thread([search, host, port] {
      auto result = LookUp(host, port);
      std::lock_guard lock(search->mutex);
      search->result = std::make_unique<Result<Addresses>>(std::move(result));
      search->done.notify_all();
    }).detach();
  } catch (const std::system_error& e) {
    return Status::Server(std::string("no thread to look it up: ") + e.what(), true);
  }
  std::unique_lock lock(search->mutex);
  search->done.wait_until(lock, deadline, [&] { return search->result != nullptr || search->is_abandoned; });
  if (search->result) return std::move(*search->result);
  return Status::Server(search->is_abandoned ? "cancelled" : "the name server did not answer in time", true);
}

void NameLookup::Cancel() {
  std::lock_guard lock(mutex_);
  is_cancelled_ = true;
  if (!search_) return;
  std::lock_guard search_lock(search_->mutex);
  search_->is_abandoned = true;
  search_->done.notify_all();
}

}  // namespace otlp_arrow
