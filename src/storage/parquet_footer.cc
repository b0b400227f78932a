#include "storage/parquet_footer.h"

#include <utility>

namespace otlp_arrow {
namespace {

// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
enum Type : uint8_t { kStop = 0, kTrue = 1, kFalse = 2, kByte = 3, kI16 = 4, kI32 = 5, kI64 = 6, kDouble = 7, kBinary = 8, kList = 9, kSet = 10, kMap = 11, kStruct = 12 };
constexpr int kMaxDepth = 32;

// Fields of the structures on the way to a column's metadata.
constexpr int16_t kRowGroups = 4;           // FileMetaData
constexpr int16_t kColumns = 1;             // RowGroup
constexpr int16_t kMetaData = 3;            // ColumnChunk
constexpr int16_t kBloomFilterOffset = 14;  // ColumnMetaData
constexpr int16_t kBloomFilterLength = 15;

struct Field {
  uint8_t type = kStop;
  int16_t id = 0;
};

Status Damaged(const std::string& why) { return Status::Export("the footer is no metadata of a Parquet file: " + why); }

// Reads values and writes them again, one structure within the other.
class Copier {
 public:
  Copier(std::string_view footer, size_t column, const std::vector<std::optional<BloomFilterPlace>>& places)
      : in_(footer), column_(column), places_(places) {}

  Result<std::string> Run() {
    out_.reserve(in_.size() + 16 * places_.size());
    size_t groups = 0;
    const auto copy_field = [&](const Field& field) -> Result<bool> {
      if (field.id != kRowGroups || field.type != kList) return false;
      OTLP_ASSIGN_OR_RETURN(groups, CopyListOfStructs([&](size_t group) { return CopyRowGroup(group); }));
      return true;
    };
    OTLP_RETURN_NOT_OK(CopyStruct(0, copy_field));
    if (at_ != in_.size()) return Damaged(std::to_string(in_.size() - at_) + " bytes follow it");
    if (groups != places_.size()) return Damaged("it has " + std::to_string(groups) + " row groups instead of " + std::to_string(places_.size()));
    return std::move(out_);
  }

 private:
  Status CopyRowGroup(size_t group) {
    if (group >= places_.size()) return Damaged("it has more than " + std::to_string(places_.size()) + " row groups");
    size_t columns = 0;
    const auto copy_field = [&](const Field& field) -> Result<bool> {
      if (field.id != kColumns || field.type != kList) return false;
      OTLP_ASSIGN_OR_RETURN(columns, CopyListOfStructs([&](size_t i) { return CopyColumn(i == column_ ? places_[group] : std::nullopt); }));
      return true;
    };
    OTLP_RETURN_NOT_OK(CopyStruct(1, copy_field));
    return columns > column_ ? Status::Ok() : Damaged("a row group has only " + std::to_string(columns) + " columns");
  }

  Status CopyColumn(const std::optional<BloomFilterPlace>& place) {
    bool placed = !place;
    const auto copy_field = [&](const Field& field) -> Result<bool> {
      if (!place || field.id != kMetaData || field.type != kStruct) return false;
      placed = true;
      OTLP_RETURN_NOT_OK(CopyMetaData(*place));
      return true;
    };
    OTLP_RETURN_NOT_OK(CopyStruct(2, copy_field));
    return placed ? Status::Ok() : Damaged("a column has no metadata");
  }

  Status CopyMetaData(const BloomFilterPlace& place) {
    int16_t read = 0, written = 0;
    bool inserted = false;
    for (;;) {
      OTLP_ASSIGN_OR_RETURN(const Field field, ReadField(&read));
      if (!inserted && (field.type == kStop || field.id > kBloomFilterLength)) {
        inserted = true;
        WriteField({kI64, kBloomFilterOffset}, &written);
        WriteZigZag(place.offset);
        WriteField({kI32, kBloomFilterLength}, &written);
        WriteZigZag(place.bytes);
      }
      if (field.type == kStop) {
        out_ += '\0';
        return Status::Ok();
      }
      if (field.id == kBloomFilterOffset || field.id == kBloomFilterLength) return Damaged("it has bloom filters already");
      WriteField(field, &written);
      OTLP_RETURN_NOT_OK(CopyFieldValue(field.type, 3));
    }
  }

  // `on_field` says whether it has copied the field's value itself.
  template <class OnField>
  Status CopyStruct(int depth, const OnField& on_field) {
    int16_t read = 0, written = 0;
    for (;;) {
      OTLP_ASSIGN_OR_RETURN(const Field field, ReadField(&read));
      if (field.type == kStop) {
        out_ += '\0';
        return Status::Ok();
      }
      WriteField(field, &written);
      OTLP_ASSIGN_OR_RETURN(const bool copied, on_field(field));
      if (!copied) OTLP_RETURN_NOT_OK(CopyFieldValue(field.type, depth));
    }
  }

  template <class CopyItem>
  Result<size_t> CopyListOfStructs(const CopyItem& copy_item) {
    OTLP_ASSIGN_OR_RETURN(const auto header, CopyListHeader());
    if (header.second != kStruct) return Damaged("a list is of type " + std::to_string(header.second) + " instead of structures");
    for (size_t i = 0; i < header.first; ++i) OTLP_RETURN_NOT_OK(copy_item(i));
    return header.first;
  }

  // Of a field, booleans are in its type.
  Status CopyFieldValue(uint8_t type, int depth) { return type == kTrue || type == kFalse ? Status::Ok() : CopyValue(type, depth); }

  Status CopyValue(uint8_t type, int depth) {
    if (depth > kMaxDepth) return Damaged("it is nested more than " + std::to_string(kMaxDepth) + " deep");
    switch (type) {
      case kTrue:
      case kFalse:
      case kByte: return CopyBytes(1);
      case kI16:
      case kI32:
      case kI64: return CopyVarint().status();
      case kDouble: return CopyBytes(8);
      case kBinary: {
        OTLP_ASSIGN_OR_RETURN(const uint64_t size, CopyVarint());
        return CopyBytes(size);
      }
      case kList:
      case kSet: {
        OTLP_ASSIGN_OR_RETURN(const auto header, CopyListHeader());
        for (size_t i = 0; i < header.first; ++i) OTLP_RETURN_NOT_OK(CopyValue(header.second, depth + 1));
        return Status::Ok();
      }
      case kMap: return CopyMap(depth);
      case kStruct: return CopyStruct(depth + 1, [](const Field&) -> Result<bool> { return false; });
      default: return Damaged("a value has the unknown type " + std::to_string(type));
    }
  }

  Status CopyMap(int depth) {
    OTLP_ASSIGN_OR_RETURN(const uint64_t size, CopyVarint());
    if (size == 0) return Status::Ok();
    OTLP_ASSIGN_OR_RETURN(const uint8_t types, ReadByte());
    out_ += static_cast<char>(types);
    for (uint64_t i = 0; i < size; ++i) {
      OTLP_RETURN_NOT_OK(CopyValue(types >> 4, depth + 1));
      OTLP_RETURN_NOT_OK(CopyValue(types & 15, depth + 1));
    }
    return Status::Ok();
  }

  // Size and type of its items. Each takes at least a byte, so a size beyond what is left is refused at once.
  Result<std::pair<size_t, uint8_t>> CopyListHeader() {
    OTLP_ASSIGN_OR_RETURN(const uint8_t byte, ReadByte());
    out_ += static_cast<char>(byte);
    uint64_t size = byte >> 4;
    if (size == 15) {
      OTLP_ASSIGN_OR_RETURN(size, CopyVarint());
    }
    if (size > in_.size() - at_) return Damaged("a list of " + std::to_string(size) + " items does not fit in");
    return std::pair(static_cast<size_t>(size), static_cast<uint8_t>(byte & 15));
  }

  Result<Field> ReadField(int16_t* last) {
    OTLP_ASSIGN_OR_RETURN(const uint8_t byte, ReadByte());
    Field field{static_cast<uint8_t>(byte & 15), *last};
    if (field.type == kStop) return field;
    if (byte >> 4 != 0) {
      field.id = static_cast<int16_t>(*last + (byte >> 4));
    } else {
      OTLP_ASSIGN_OR_RETURN(const uint64_t id, ReadVarint());
      field.id = static_cast<int16_t>(static_cast<int64_t>(id >> 1) ^ -static_cast<int64_t>(id & 1));
    }
    *last = field.id;
    return field;
  }

  void WriteField(const Field& field, int16_t* last) {
    const int delta = field.id - *last;
    if (delta > 0 && delta < 16) {
      out_ += static_cast<char>(delta << 4 | field.type);
    } else {
      out_ += static_cast<char>(field.type);
      WriteZigZag(field.id);
    }
    *last = field.id;
  }

  Result<uint8_t> ReadByte() {
    if (at_ == in_.size()) return Damaged("it ends within a value");
    return static_cast<uint8_t>(in_[at_++]);
  }

  Result<uint64_t> ReadVarint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      OTLP_ASSIGN_OR_RETURN(const uint8_t byte, ReadByte());
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return Damaged("a number has more than 64 bits");
  }

  Result<uint64_t> CopyVarint() {
    const size_t begin = at_;
    OTLP_ASSIGN_OR_RETURN(const uint64_t value, ReadVarint());
    out_.append(in_.substr(begin, at_ - begin));
    return value;
  }

  Status CopyBytes(uint64_t size) {
    if (size > in_.size() - at_) return Damaged("it ends within a value");
    out_.append(in_.substr(at_, size));
    at_ += size;
    return Status::Ok();
  }

  void WriteZigZag(int64_t value) {
    uint64_t bits = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
    for (; bits >= 0x80; bits >>= 7) out_ += static_cast<char>(bits | 0x80);
    out_ += static_cast<char>(bits);
  }

  std::string_view in_;
  size_t at_ = 0;
  std::string out_;
  const size_t column_;
  const std::vector<std::optional<BloomFilterPlace>>& places_;
};

}  // namespace

Result<std::string> PlaceBloomFilters(std::string_view footer, size_t column, const std::vector<std::optional<BloomFilterPlace>>& places) {
  return Copier(footer, column, places).Run();
}

}  // namespace otlp_arrow
