#include "server/common/probe_address.h"

#include <cerrno>
#include <memory>
#include <string>

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/common/listen_error.h"

namespace otlp_arrow {
namespace {

// 0, or the errno of what failed.
int TryBind(const addrinfo& info) {
  const int fd = socket(info.ai_family, info.ai_socktype | SOCK_CLOEXEC, info.ai_protocol);
  if (fd < 0) return errno;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));  // as gRPC does: a port in TIME_WAIT is free
  int error = 0;
  if (bind(fd, info.ai_addr, info.ai_addrlen) != 0 || listen(fd, 1) != 0) error = errno;
  close(fd);
  return error;
}

}  // namespace

Status ProbeAddress(std::string_view key, const HostPort& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (failed != 0) {
    const std::string reason = gai_strerror(failed);
    return ListenError(key, address.ToString(), reason + "; use an IP address or a name of this machine");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  // gRPC is content with one of a name's addresses.
  int error = 0;
  for (const addrinfo* info = found; info; info = info->ai_next) {
    error = TryBind(*info);
    if (error == 0 || error == EADDRINUSE) break;
  }
  return error == 0 ? Status::Ok() : ListenError(key, address.ToString(), error);
}

}  // namespace otlp_arrow
