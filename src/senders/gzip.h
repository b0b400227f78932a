// gzip, as Content-Encoding has it.
#pragma once

#include <string>
#include <string_view>

namespace otlp_arrow {

// Empty where zlib has no memory.
std::string GzipCompress(std::string_view bytes);

}  // namespace otlp_arrow
