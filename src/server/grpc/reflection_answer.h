// What a server says of itself: grpc.reflection.v1.ServerReflection and v1alpha, whose messages are the same.
// https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/grpc/descriptor_index.h"

namespace otlp_arrow {

// A ServerReflectionResponse to the bytes of a ServerReflectionRequest; nullopt where they are none.
std::optional<std::string> AnswerReflection(const DescriptorIndex& index, std::string_view request);

}  // namespace otlp_arrow
