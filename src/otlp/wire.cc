#include "otlp/wire.h"

namespace otlp_arrow::wire {
namespace {

constexpr int kMaxGroupDepth = 64;

bool SkipGroup(Cursor* c, uint32_t field, int depth);

bool SkipAtDepth(Cursor* c, uint32_t tag, int depth) {
  switch (tag & 7) {
    case kVarint: {
      uint64_t ignored;
      return ReadVarint(c, &ignored);
    }
    case kFixed64:
      if (c->left() < 8) return false;
      c->p += 8;
      return true;
    case kLen: {
      Cursor ignored(nullptr, nullptr);
      return ReadLen(c, &ignored);
    }
    case kFixed32:
      if (c->left() < 4) return false;
      c->p += 4;
      return true;
    case kStartGroup: return SkipGroup(c, tag >> 3, depth + 1);
    default: return false;
  }
}

bool SkipGroup(Cursor* c, uint32_t field, int depth) {
  if (depth > kMaxGroupDepth) return false;
  uint32_t tag;
  while (ReadTag(c, &tag)) {
    if ((tag & 7) == kEndGroup) return (tag >> 3) == field;
    if (!SkipAtDepth(c, tag, depth)) return false;
  }
  return false;
}

}  // namespace

const uint8_t* ReadLongVarint(const uint8_t* p, const uint8_t* end, uint64_t* value) {
  uint64_t v = 0;
  for (int shift = 0; shift < 70 && p < end; shift += 7) {
    const uint64_t byte = *p++;
    v |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = v;
      return p;
    }
  }
  return nullptr;
}

const uint8_t* SkipValueAt(const uint8_t* p, const uint8_t* end, uint32_t tag) {
  Cursor c(p, end);
  return SkipAtDepth(&c, tag, 0) ? c.p : nullptr;
}

}  // namespace otlp_arrow::wire
