// Serializations that no library makes but the protobuf rules allow: fields in any order, given twice (the last holds,
// messages merge), lists packed or not, lengths with needless bytes, unknown fields and groups between.
#pragma once

#include <random>
#include <string>

#include <google/protobuf/message.h>

namespace otlp_arrow::testing {

// Parses back into an equal message, but for unknown fields of numbers from kFirstUnknownField on.
inline constexpr int kFirstUnknownField = 1000;
std::string SerializeOddly(const google::protobuf::Message& message, std::mt19937_64* random);

// Removes unknown fields with numbers of at least `first`, at any depth.
void StripUnknownFields(google::protobuf::Message* message, int first);

}  // namespace otlp_arrow::testing
