// google.rpc.Status and google.rpc.RetryInfo as libprotobuf reads them; their definitions are those of googleapis.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/dynamic_message.h>

namespace otlp_arrow {

struct RpcStatusReference {
  int32_t code = 0;
  std::string message;
  std::optional<std::chrono::nanoseconds> retry_delay;
};

class RpcStatusReader {
 public:
  RpcStatusReader() {
    google::protobuf::Any::descriptor()->file()->CopyTo(Add());
    google::protobuf::Duration::descriptor()->file()->CopyTo(Add());
    auto* file = Add();
    file->set_name("rpc.proto");
    file->set_package("google.rpc");
    file->set_syntax("proto3");
    file->add_dependency("google/protobuf/any.proto");
    file->add_dependency("google/protobuf/duration.proto");
    auto* status = file->add_message_type();
    status->set_name("Status");
    AddField(status, "code", 1, Field::TYPE_INT32);
    AddField(status, "message", 2, Field::TYPE_STRING);
    auto* details = AddField(status, "details", 3, Field::TYPE_MESSAGE);
    details->set_label(Field::LABEL_REPEATED);
    details->set_type_name(".google.protobuf.Any");
    auto* retry = file->add_message_type();
    retry->set_name("RetryInfo");
    AddField(retry, "retry_delay", 1, Field::TYPE_MESSAGE)->set_type_name(".google.protobuf.Duration");
    for (const auto& f : files_.file()) pool_.BuildFile(f);
  }

  // Nullopt where the bytes are no google.rpc.Status, or a detail is no RetryInfo.
  std::optional<RpcStatusReference> Read(const std::string& bytes) {
    auto status = Parse("google.rpc.Status", bytes);
    if (!status) return std::nullopt;
    const auto* type = status->GetDescriptor();
    const auto* reflection = status->GetReflection();
    RpcStatusReference out;
    out.code = reflection->GetInt32(*status, type->FindFieldByName("code"));
    out.message = reflection->GetString(*status, type->FindFieldByName("message"));
    const auto* details = type->FindFieldByName("details");
    for (int i = 0; i < reflection->FieldSize(*status, details); ++i) {
      google::protobuf::Any any;
      if (!any.ParseFromString(reflection->GetRepeatedMessage(*status, details, i).SerializeAsString())) return std::nullopt;
      if (any.type_url() != "type.googleapis.com/google.rpc.RetryInfo") return std::nullopt;
      auto info = Parse("google.rpc.RetryInfo", any.value());
      if (!info) return std::nullopt;
      const auto& message = info->GetReflection()->GetMessage(*info, info->GetDescriptor()->FindFieldByName("retry_delay"));
      google::protobuf::Duration delay;
      if (!delay.ParseFromString(message.SerializeAsString())) return std::nullopt;
      out.retry_delay = std::chrono::seconds(delay.seconds()) + std::chrono::nanoseconds(delay.nanos());
    }
    return out;
  }

 private:
  using Field = google::protobuf::FieldDescriptorProto;

  google::protobuf::FileDescriptorProto* Add() { return files_.add_file(); }
  static Field* AddField(google::protobuf::DescriptorProto* message, const char* name, int number, Field::Type type) {
    auto* field = message->add_field();
    field->set_name(name);
    field->set_number(number);
    field->set_type(type);
    field->set_label(Field::LABEL_OPTIONAL);
    return field;
  }
  std::unique_ptr<google::protobuf::Message> Parse(const std::string& name, const std::string& bytes) {
    std::unique_ptr<google::protobuf::Message> message(factory_.GetPrototype(pool_.FindMessageTypeByName(name))->New());
    if (!message->ParseFromString(bytes)) return nullptr;
    return message;
  }

  google::protobuf::FileDescriptorSet files_;
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_{&pool_};
};

}  // namespace otlp_arrow
