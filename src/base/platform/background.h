// Threads whose work can wait.
#pragma once

namespace otlp_arrow::platform {

// From now on the calling thread gets less of a busy processor than others, and as much as ever of an idle one.
void WorkInBackground();

}  // namespace otlp_arrow::platform
