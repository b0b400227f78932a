#include "server/grpc/reflection_answer.h"

#include <cstdint>
#include <vector>

#include "otlp/wire.h"
#include "otlp_arrow/wire_writer.h"
#include "server/common/otlp_response.h"

namespace otlp_arrow {
namespace {

// ServerReflectionRequest.
constexpr uint32_t kHost = 1, kFileByName = 3, kFileContainingSymbol = 4, kFileContainingExtension = 5, kExtensionNumbers = 6, kListServices = 7;
// ServerReflectionResponse.
constexpr uint32_t kValidHost = 1, kOriginalRequest = 2, kFiles = 4, kNumbers = 5, kServices = 6, kError = 7;

struct Request {
  uint32_t question = 0;  // the field of the oneof that came last
  std::string_view host;
  std::string_view text;
};

std::optional<Request> Read(std::string_view bytes) {
  Request request;
  wire::Cursor cursor(bytes);
  while (!cursor.done()) {
    uint32_t tag = 0;
    wire::Cursor body({});
    if (!wire::ReadTag(&cursor, &tag)) return std::nullopt;
    const uint32_t field = tag >> 3;
    if ((tag & 7) != wire::kLen || (field != kHost && (field < kFileByName || field > kListServices))) {
      if (!wire::SkipValue(&cursor, tag)) return std::nullopt;
      continue;
    }
    if (!wire::ReadLen(&cursor, &body)) return std::nullopt;
    if (field == kHost) {
      request.host = body.rest();
    } else {
      request.question = field;
      request.text = body.rest();
    }
  }
  return request;
}

void WriteError(RpcCode code, std::string_view message, wire::Writer* out) {
  const auto error = out->Begin(kError);
  out->Int32(1, static_cast<int32_t>(code));
  out->Bytes(2, message);
  out->End(error);
}

void WriteFiles(const std::vector<std::string_view>& files, std::string_view what, std::string_view name, wire::Writer* out) {
  if (files.empty()) return WriteError(RpcCode::kNotFound, "this server has no " + std::string(what) + " " + std::string(name), out);
  const auto response = out->Begin(kFiles);
  for (const auto file : files) out->Bytes(1, file);
  out->End(response);
}

// The messages here are of proto3, which has no extensions.
void WriteExtensionNumbers(const DescriptorIndex& index, std::string_view type, wire::Writer* out) {
  if (!index.HasMessage(type)) return WriteError(RpcCode::kNotFound, "this server has no message " + std::string(type), out);
  const auto response = out->Begin(kNumbers);
  out->Bytes(1, type);
  out->End(response);
}

void WriteServices(const DescriptorIndex& index, wire::Writer* out) {
  const auto response = out->Begin(kServices);
  for (const std::string& name : index.services()) {
    const auto service = out->Begin(1);
    out->Bytes(1, name);
    out->End(service);
  }
  out->End(response);
}

}  // namespace

std::optional<std::string> AnswerReflection(const DescriptorIndex& index, std::string_view bytes) {
  const auto request = Read(bytes);
  if (!request) return std::nullopt;
  wire::Writer out;
  out.NonEmpty(kValidHost, request->host);
  out.Bytes(kOriginalRequest, bytes);
  switch (request->question) {
    case kFileByName: WriteFiles(index.FileByName(request->text), "file", request->text, &out); break;
    case kFileContainingSymbol: WriteFiles(index.FileContaining(request->text), "symbol", request->text, &out); break;
    case kFileContainingExtension: WriteError(RpcCode::kNotFound, "the messages of this server have no extensions", &out); break;
    case kExtensionNumbers: WriteExtensionNumbers(index, request->text, &out); break;
    case kListServices: WriteServices(index, &out); break;
    default: WriteError(RpcCode::kInvalidArgument, "the request asks for nothing", &out);
  }
  return out.Take();
}

}  // namespace otlp_arrow
