// Protobuf files by their names and by what they declare, out of a google.protobuf.FileDescriptorSet.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace otlp_arrow {

class DescriptorIndex {
 public:
  // `descriptor_set` outlives the index. Bytes that are no such message give what was read until then.
  explicit DescriptorIndex(std::string_view descriptor_set);

  // The files that this server's build has put in.
  static const DescriptorIndex& OfThisServer();

  // FileDescriptorProtos: the file, then those that it imports, each once. Empty where it is unknown.
  std::vector<std::string_view> FileByName(std::string_view name) const;
  // The same, for the file that declares a message, field, enum, enum value, service or method: "package.Message.field".
  std::vector<std::string_view> FileContaining(std::string_view symbol) const;
  // Full names, in alphabetical order.
  const std::vector<std::string>& services() const { return services_; }
  bool HasMessage(std::string_view name) const { return messages_.contains(name); }

 private:
  struct File {
    std::string_view bytes;
    std::vector<std::string_view> imports;
  };
  using Symbols = std::map<std::string, std::string_view, std::less<>>;  // to the name of the file

  void AddFile(std::string_view bytes);
  void AddMessage(std::string_view file, const std::string& scope, std::string_view bytes);
  void AddEnum(std::string_view file, const std::string& scope, std::string_view bytes);
  void AddService(std::string_view file, const std::string& scope, std::string_view bytes);
  std::string Declare(std::string_view file, const std::string& scope, std::string_view bytes);

  std::map<std::string_view, File> files_;
  Symbols symbols_;
  Symbols messages_;
  std::vector<std::string> services_;
};

}  // namespace otlp_arrow
