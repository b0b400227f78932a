#include "server/grpc/reflection_answer.h"

#include <random>
#include <set>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "otlp_arrow/wire_writer.h"

namespace otlp_arrow {
namespace {

namespace pb = google::protobuf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Question(uint32_t field, std::string_view text) {
  wire::Writer writer;
  writer.Bytes(field, text);
  return writer.Take();
}

// Answers as libprotobuf reads them, with the messages that the answers themselves describe.
class ReflectionTest : public ::testing::Test {
 protected:
  ReflectionTest() {
    for (const char* file : {"grpc/reflection/v1/reflection.proto", "grpc/health/v1/health.proto", "opentelemetry/proto/collector/trace/v1/trace_service.proto",
                             "opentelemetry/proto/collector/metrics/v1/metrics_service.proto", "opentelemetry/proto/collector/logs/v1/logs_service.proto"}) {
      auto files = DescriptorIndex::OfThisServer().FileByName(file);
      EXPECT_FALSE(files.empty()) << file;
      for (auto bytes = files.rbegin(); bytes != files.rend(); ++bytes) Add(*bytes);
    }
    response_type_ = pool_.FindMessageTypeByName("grpc.reflection.v1.ServerReflectionResponse");
  }
  // Imports come first where files are added from the back.
  void Add(std::string_view bytes) {
    pb::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    EXPECT_TRUE(pool_.FindFileByName(file.name()) || pool_.BuildFile(file)) << file.name();
  }
  std::string Ask(const std::string& question) {
    const auto answer = AnswerReflection(DescriptorIndex::OfThisServer(), question);
    if (!answer) return "malformed";
    std::unique_ptr<pb::Message> message(messages_.GetPrototype(response_type_)->New());
    EXPECT_TRUE(message->ParseFromString(*answer));
    EXPECT_TRUE(message->GetReflection()->GetUnknownFields(*message).empty());
    return message->ShortDebugString();
  }

  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory messages_{&pool_};
  const pb::Descriptor* response_type_ = nullptr;
};

TEST_F(ReflectionTest, ListsServices) {
  EXPECT_THAT(DescriptorIndex::OfThisServer().services(),
              ElementsAre("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
                          "opentelemetry.proto.collector.logs.v1.LogsService", "opentelemetry.proto.collector.metrics.v1.MetricsService",
                          "opentelemetry.proto.collector.trace.v1.TraceService"));
  const std::string answer = Ask(Question(1, "example.com") + Question(7, "*"));
  EXPECT_THAT(answer, HasSubstr("valid_host: \"example.com\""));
  EXPECT_THAT(answer, HasSubstr("service { name: \"grpc.health.v1.Health\" }"));
  EXPECT_THAT(answer, HasSubstr("original_request { host: \"example.com\" list_services: \"*\" }"));
}

TEST_F(ReflectionTest, FindsSymbols) {
  for (const char* symbol : {"opentelemetry.proto.collector.trace.v1.TraceService", "opentelemetry.proto.collector.trace.v1.TraceService.Export",
                             "opentelemetry.proto.trace.v1.Span", "opentelemetry.proto.trace.v1.Span.Event", "opentelemetry.proto.trace.v1.Span.SpanKind",
                             "opentelemetry.proto.trace.v1.Span.SPAN_KIND_SERVER", "opentelemetry.proto.trace.v1.Span.trace_id"}) {
    EXPECT_THAT(Ask(Question(4, symbol)), HasSubstr("file_descriptor_response")) << symbol;
  }
  EXPECT_THAT(Ask(Question(4, "no.such.Symbol")), HasSubstr("error_code: 5 error_message: \"this server has no symbol no.such.Symbol\""));
  EXPECT_THAT(Ask(Question(3, "no/such.proto")), HasSubstr("error_code: 5"));
  EXPECT_THAT(Ask(Question(5, "")), HasSubstr("error_code: 5"));
  EXPECT_THAT(Ask(Question(6, "opentelemetry.proto.trace.v1.Span")), HasSubstr("base_type_name: \"opentelemetry.proto.trace.v1.Span\""));
  EXPECT_THAT(Ask(Question(6, "no.such.Message")), HasSubstr("error_code: 5"));
  EXPECT_THAT(Ask(""), HasSubstr("error_code: 3"));
}

TEST_F(ReflectionTest, FilesComeWithTheirImportsOnce) {
  const auto files = DescriptorIndex::OfThisServer().FileByName("opentelemetry/proto/collector/trace/v1/trace_service.proto");
  std::set<std::string> names;
  for (const auto bytes : files) {
    pb::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    EXPECT_TRUE(names.insert(file.name()).second);
  }
  EXPECT_EQ(names.size(), 4u);
}

std::string Describe(const pb::FieldDescriptor* field) {
  const pb::OneofDescriptor* oneof = field->real_containing_oneof();
  return field->full_name() + " " + std::to_string(field->number()) + " " + std::to_string(field->label()) + " " + field->type_name() + " " +
         (field->message_type() ? field->message_type()->full_name() : field->enum_type() ? field->enum_type()->full_name() : "") + " " +
         (oneof ? oneof->name() : "") + (field->has_presence() ? " present" : "");
}

// Each field of OTLP's own messages is here under the same number, name and type.
void ExpectSame(const pb::Descriptor* reference, const pb::DescriptorPool& ours, std::set<std::string>* seen) {
  if (!seen->insert(reference->full_name()).second) return;
  const pb::Descriptor* message = ours.FindMessageTypeByName(reference->full_name());
  ASSERT_TRUE(message) << reference->full_name();
  for (int i = 0; i < reference->field_count(); ++i) {
    const pb::FieldDescriptor* wanted = reference->field(i);
    const pb::FieldDescriptor* field = message->FindFieldByNumber(wanted->number());
    ASSERT_TRUE(field) << wanted->full_name();
    EXPECT_EQ(Describe(field), Describe(wanted));
    if (wanted->message_type()) ExpectSame(wanted->message_type(), ours, seen);
    if (wanted->enum_type()) {
      EXPECT_EQ(field->enum_type()->DebugString(), wanted->enum_type()->DebugString());
    }
  }
}

TEST_F(ReflectionTest, DescribesOtlp) {
  std::set<std::string> seen;
  for (const pb::Descriptor* message : {opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest::descriptor(),
                                        opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse::descriptor(),
                                        opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest::descriptor(),
                                        opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceResponse::descriptor(),
                                        opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest::descriptor(),
                                        opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse::descriptor()}) {
    ExpectSame(message, pool_, &seen);
  }
  EXPECT_GT(seen.size(), 30u);
}

TEST_F(ReflectionTest, AnswersAnyBytes) {
  std::mt19937 random(7);
  const std::string question = Question(1, "host") + Question(4, "opentelemetry.proto.trace.v1.Span") + Question(7, "*");
  for (int i = 0; i < 5000; ++i) {
    std::string bytes = question.substr(0, random() % (question.size() + 1));
    for (int k = 0; k < 3 && !bytes.empty(); ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    (void)AnswerReflection(DescriptorIndex::OfThisServer(), bytes);
  }
  EXPECT_EQ(Ask("\xff\xff"), "malformed");
  EXPECT_EQ(Ask("\x22\x7f"), "malformed");
}

TEST(DescriptorIndex, TakesDamagedSets) {
  std::string bytes;
  for (const auto file : DescriptorIndex::OfThisServer().FileByName("opentelemetry/proto/collector/logs/v1/logs_service.proto")) bytes += Question(1, file);
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = bytes.substr(0, random() % bytes.size());
    for (int k = 0; k < 10 && !damaged.empty(); ++k) damaged[random() % damaged.size()] = static_cast<char>(random());
    const DescriptorIndex index(damaged);
    (void)index.FileContaining("opentelemetry.proto.logs.v1.LogRecord");
  }
}

}  // namespace
}  // namespace otlp_arrow
