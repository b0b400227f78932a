#include "base/platform/background.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace otlp_arrow::platform {

void WorkInBackground() {
  constexpr int kNice = 10;
  // Of a thread, on Linux. Where it is not allowed the thread goes on as it is.
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNice);
}

}  // namespace otlp_arrow::platform
