// Requests as OTLP/JSON, by reflection: as exporters write it, or in all the ways that the mapping allows.
#pragma once

#include <random>
#include <string>

#include <google/protobuf/message.h>

namespace otlp_arrow::testing {

// Names in lowerCamelCase, 64-bit integers as strings, enumerations as numbers, nothing between the tokens.
std::string PlainJson(const google::protobuf::Message& message);

// Either kind of names, integers as numbers or strings, enumerations by name, fields in any order, nulls and unknown fields between,
// blanks and line ends between tokens, characters escaped without need. Means the same.
std::string OddJson(const google::protobuf::Message& message, std::mt19937_64* random);

// JSON has one NaN only: makes all of them that one.
void NormalizeNans(google::protobuf::Message* message);

std::string HexText(const std::string& bytes, bool upper = false);

}  // namespace otlp_arrow::testing
