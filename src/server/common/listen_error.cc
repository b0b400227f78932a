#include "server/common/listen_error.h"

#include <cerrno>
#include <system_error>

namespace otlp_arrow {
namespace {

std::string_view WayOut(int error) {
  switch (error) {
    case EADDRINUSE: return "; stop the program that listens there, or choose another port";
    case EACCES: return "; ports below 1024 need privileges: choose a higher one";
    case EADDRNOTAVAIL: return "; choose an address of this machine, such as 127.0.0.1 or 0.0.0.0";
    default: return "; choose another address";
  }
}

}  // namespace

Status ListenError(std::string_view key, std::string_view address, std::string_view reason) {
  return Status::Server(std::string(key) + ": cannot listen on '" + std::string(address) + "': " + std::string(reason));
}

Status ListenError(std::string_view key, std::string_view address, int error) {
  return ListenError(key, address, std::generic_category().message(error) + std::string(WayOut(error)));
}

}  // namespace otlp_arrow
