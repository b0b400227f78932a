#include "server/grpc/descriptor_index.h"

#include <algorithm>
#include <cstdint>
#include <set>

#include "otlp/wire.h"

namespace otlp_arrow {
namespace {

const unsigned char kDescriptorSet[] = {
#include <otlp_grpc_descriptors.inc>  // by cmake/ReflectionDescriptors.cmake
};

// Fields of google/protobuf/descriptor.proto.
constexpr uint32_t kSetFile = 1;
constexpr uint32_t kName = 1;  // of each kind of declaration
constexpr uint32_t kFilePackage = 2, kFileDependency = 3, kFileMessage = 4, kFileEnum = 5, kFileService = 6;
constexpr uint32_t kMessageField = 2, kMessageNested = 3, kMessageEnum = 4;
constexpr uint32_t kEnumValue = 2;
constexpr uint32_t kServiceMethod = 2;

// Calls `take(field, body)` for each length-delimited field, until the end or something that is no field.
template <class Take>
void ForEachBody(std::string_view bytes, const Take& take) {
  wire::Cursor cursor(bytes);
  while (!cursor.done()) {
    uint32_t tag = 0;
    wire::Cursor body({});
    if (!wire::ReadTag(&cursor, &tag)) return;
    if ((tag & 7) != wire::kLen) {
      if (!wire::SkipValue(&cursor, tag)) return;
      continue;
    }
    if (!wire::ReadLen(&cursor, &body)) return;
    take(tag >> 3, body.rest());
  }
}

std::string_view NameOf(std::string_view bytes) {
  std::string_view name;
  ForEachBody(bytes, [&](uint32_t field, std::string_view body) {
    if (field == kName) name = body;
  });
  return name;
}

}  // namespace

DescriptorIndex::DescriptorIndex(std::string_view descriptor_set) {
  ForEachBody(descriptor_set, [&](uint32_t field, std::string_view body) {
    if (field == kSetFile) AddFile(body);
  });
  std::sort(services_.begin(), services_.end());
}

const DescriptorIndex& DescriptorIndex::OfThisServer() {
  static const DescriptorIndex index({reinterpret_cast<const char*>(kDescriptorSet), sizeof(kDescriptorSet)});
  return index;
}

std::string DescriptorIndex::Declare(std::string_view file, const std::string& scope, std::string_view bytes) {
  std::string name = scope.empty() ? std::string() : scope + ".";
  name += NameOf(bytes);
  symbols_.emplace(name, file);
  return name;
}

void DescriptorIndex::AddFile(std::string_view bytes) {
  const std::string_view file = NameOf(bytes);
  File& added = files_[file];
  added.bytes = bytes;
  std::string package;
  ForEachBody(bytes, [&](uint32_t field, std::string_view body) {
    if (field == kFilePackage) package = body;
    if (field == kFileDependency) added.imports.push_back(body);
  });
  ForEachBody(bytes, [&](uint32_t field, std::string_view body) {
    if (field == kFileMessage) AddMessage(file, package, body);
    if (field == kFileEnum) AddEnum(file, package, body);
    if (field == kFileService) AddService(file, package, body);
  });
}

void DescriptorIndex::AddMessage(std::string_view file, const std::string& scope, std::string_view bytes) {
  const std::string name = Declare(file, scope, bytes);
  messages_.emplace(name, file);
  ForEachBody(bytes, [&](uint32_t field, std::string_view body) {
    if (field == kMessageField) Declare(file, name, body);
    if (field == kMessageNested) AddMessage(file, name, body);
    if (field == kMessageEnum) AddEnum(file, name, body);
  });
}

// The values of an enum belong to the scope around it.
void DescriptorIndex::AddEnum(std::string_view file, const std::string& scope, std::string_view bytes) {
  Declare(file, scope, bytes);
  ForEachBody(bytes, [&](uint32_t field, std::string_view body) {
    if (field == kEnumValue) Declare(file, scope, body);
  });
}

void DescriptorIndex::AddService(std::string_view file, const std::string& scope, std::string_view bytes) {
  const std::string name = Declare(file, scope, bytes);
  services_.push_back(name);
  ForEachBody(bytes, [&](uint32_t field, std::string_view body) {
    if (field == kServiceMethod) Declare(file, name, body);
  });
}

std::vector<std::string_view> DescriptorIndex::FileByName(std::string_view name) const {
  std::vector<std::string_view> found;
  std::set<std::string_view> seen;
  std::vector<std::string_view> wanted{name};
  while (!wanted.empty()) {
    const auto file = files_.find(wanted.back());
    wanted.pop_back();
    if (file == files_.end() || !seen.insert(file->first).second) continue;
    found.push_back(file->second.bytes);
    wanted.insert(wanted.end(), file->second.imports.begin(), file->second.imports.end());
  }
  return found;
}

std::vector<std::string_view> DescriptorIndex::FileContaining(std::string_view symbol) const {
  const auto found = symbols_.find(symbol);
  return found == symbols_.end() ? std::vector<std::string_view>() : FileByName(found->second);
}

}  // namespace otlp_arrow
