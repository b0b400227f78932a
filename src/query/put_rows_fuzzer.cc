// Commands and batches that clients put: a command in JSON, a zero byte, an Arrow IPC stream. Whatever they are, they are taken or
// refused, and what is taken is OTLP.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>

#include "otlp/scan.h"
#include "query/put_rows.h"
#include "query/read_command.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace otlp_arrow;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\0');
  const std::string_view json = input.substr(0, end);
  if (const auto read = ParseReadCommand(json); read.ok() && !ParseReadCommand(ReadCommandText(*read)).ok()) std::abort();
  auto command = ParsePutCommand(json);
  if (!command.ok() || end == input.npos) return 0;
  arrow::io::BufferReader stream(std::make_shared<arrow::Buffer>(input.substr(end + 1)));
  auto reader = arrow::ipc::RecordBatchStreamReader::Open(&stream);
  if (!reader.ok()) return 0;
  PutLimits limits;
  limits.max_batch_bytes = 64 << 10;
  const Signal signal = command->signal;
  const auto rows = PutRows::Make(*std::move(command), (*reader)->schema(), {}, limits);
  if (!rows.ok()) return 0;
  for (int i = 0; i < 8; ++i) {
    auto batch = (*reader)->Next();
    if (!batch.ok() || !*batch) return 0;
    const auto requests = rows->Encode(**batch);
    if (!requests.ok()) continue;
    for (const auto& request : *requests) {
      if (!ScanOtlp(signal, request.bytes).ok) std::abort();
    }
  }
  return 0;
}
