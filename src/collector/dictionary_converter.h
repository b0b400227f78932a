// OTLP-MMAP refers to texts in its dictionary where OTLP spells them out: this spells them out. docs/formats/mmap.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otlp/wire.h"
#include "otlp_arrow/wire_writer.h"
#include "ring/records.h"

namespace otlp_arrow {

// The entries of a file's dictionary.
class DictionaryEntries {
 public:
  virtual ~DictionaryEntries() = default;
  // The bytes of the entry that the reference points to; nullopt where it points to none.
  virtual std::optional<std::string_view> Find(int64_t reference) const = 0;
};

// The functions that return bool say false where the bytes are no such message or refer to what is not there; what was
// written by then stays written.
class DictionaryConverter {
 public:
  explicit DictionaryConverter(const DictionaryEntries* entries) : entries_(entries) {}

  // A reference to a text; 0 is the empty text.
  std::optional<std::string_view> Text(int64_t reference) const;
  // KeyValueRefs -> KeyValues, as fields `field`. Those that cannot be converted are left out; returns how many.
  size_t Attributes(const ring::Repeated& key_value_refs, uint32_t field, wire::Writer* out) const;
  // One of them.
  bool Attribute(wire::Cursor key_value_ref, uint32_t field, wire::Writer* out) const;
  // The mmap format's AnyValue -> OTLP's, as field `field`.
  bool View(const ring::AnyView& value, uint32_t field, wire::Writer* out) const;

 private:
  bool KeyValueAt(wire::Cursor key_value_ref, uint32_t field, int depth, wire::Writer* out) const;
  bool ValueAt(wire::Cursor any_value, uint32_t field, int depth, wire::Writer* out) const;
  bool ReferenceAt(int64_t reference, uint32_t field, wire::Writer* out) const;
  bool ElementsAt(wire::Cursor list, bool of_pairs, uint32_t field, int depth, wire::Writer* out) const;

  const DictionaryEntries* entries_;
};

// A KeyValue among others: where it lies and what it says.
struct EncodedAttribute {
  std::string_view key;
  std::string_view field;  // with its tag and length
};
// Takes a run of KeyValue fields apart; stops at the first broken one.
std::vector<EncodedAttribute> SplitAttributes(std::string_view fields);
// The same run with each key once, the last value counting, at its key's first place.
std::string LastOfEachKey(std::string_view fields);
void WriteLastOfEachKey(std::string_view fields, wire::Writer* out);

}  // namespace otlp_arrow
