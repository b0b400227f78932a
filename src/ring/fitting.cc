#include "ring/fitting.h"

#include <algorithm>
#include <new>
#include <optional>
#include <string>

#include "ring/messages.h"
#include "ring/record_writer.h"

namespace otlp_arrow::ring {
namespace {

// The largest length of texts at which something fits; nullopt where it does not without any text.
template <class FitsWith>
std::optional<size_t> LargestText(size_t longest, FitsWith fits_with) {
  if (!fits_with(0)) return std::nullopt;
  size_t fits = 0;
  for (size_t too_long = longest + 1; too_long - fits > 1;) {
    const size_t middle = fits + (too_long - fits) / 2;
    (fits_with(middle) ? fits : too_long) = middle;
  }
  return fits;
}

uint32_t CountCutOf(Attributes attributes, size_t most_text) {
  uint32_t cut = 0;
  for (const Attribute& attribute : attributes) cut += CountCut(attribute.value, most_text);
  return cut;
}

template <class Content>
SpanEventRecord<Content> RecordOf(const SpanKey& span, uint32_t event_field, const Content& content) {
  return {span.scope, span.trace_id.data(), span.span_id.data(), event_field, content};
}

// Values larger than this are cut even where the ring is large.
constexpr size_t kMostPiecesBytes = (1 << 20) + 4096;

// A message with one field, for values that are told in pieces. Empty where it is too large, or there is no memory for it.
template <class Put>
std::string Fragment(size_t bytes, Put put) {
  std::string fragment;
  if (bytes > kMostPiecesBytes) return fragment;
  try {
    fragment.resize(bytes);
  } catch (const std::bad_alloc&) {
    return fragment;
  }
  SlotWriter out(reinterpret_cast<uint8_t*>(fragment.data()));
  put(&out);
  return fragment;
}
std::string FragmentOf(uint32_t field, const Attribute& attribute) {
  return Fragment(LenBytes(field, PairBytes(attribute)), [&](SlotWriter* out) { PutPair(out, field, attribute); });
}
std::string FragmentOf(uint32_t field, const Value& value) {
  const size_t any = AnyBytes(value);
  return Fragment(LenBytes(field, any), [&](SlotWriter* out) {
    out->Len(field, any);
    PutAny(out, value);
  });
}
std::string FragmentOf(const SpanStatus& status) {
  return Fragment(StatusBytes(field::kExtStatus, status), [&](SlotWriter* out) { PutStatus(out, field::kExtStatus, status); });
}

// One record after another, in one ring, of one call; or, where it only counts, how many there would be.
class Fitter {
 public:
  Fitter(RingOutput* ring, OutputState* state, bool only_counts = false) : ring_(ring), state_(state), only_counts_(only_counts) {}

  template <class Record>
  bool Fits(Record&& record) const {
    return ring_->Fits(record.Bytes());
  }
  template <class FitsWith>
  std::optional<size_t> Largest(FitsWith fits_with) const {
    return LargestText(ring_->slot_bytes(), fits_with);
  }
  // The longest beginning of a text with which `record_with(text)` fits.
  template <class RecordWith>
  std::string_view Cut(std::string_view text, RecordWith record_with) {
    if (Fits(record_with(text))) return text;
    const auto most = Largest([&](size_t n) { return Fits(record_with(CutText(text, n))); });
    const std::string_view cut = CutText(text, most.value_or(0));
    truncated_ += cut.size() < text.size();
    return cut;
  }
  // How many of the attributes, from the first on, fit together.
  template <class RecordWith>
  size_t CountFitting(Attributes attributes, RecordWith record_with) const {
    size_t n = 0;
    while (n < attributes.size() && Fits(record_with(attributes.first(n + 1)))) ++n;
    return n;
  }

  // False: dropped; nothing more is to be put.
  template <class Record>
  bool Put(Record&& record) {
    ++parts_;
    if (only_counts_) return true;
    const PutResult result = ring_->Put(record);
    if (result == PutResult::kTooLarge) state_->CountDropped();  // the ring's slots are too small for its ids and times
    if (result == PutResult::kFull && put_any_) state_->CountDropped();  // half of it is there already
    is_full_ = result == PutResult::kFull;
    put_any_ |= result == PutResult::kPut;
    complete_ &= result == PutResult::kPut;
    return result == PutResult::kPut;
  }
  void CountTruncated(uint32_t n) { truncated_ += n; }

  // How many pieces a fragment makes; 0: none, it is empty or too large for this ring. `record_with(piece)` is a record of one.
  template <class RecordWith>
  size_t CountPieces(std::string_view fragment, RecordWith record_with) {
    if (fragment.empty()) return 0;
    piece_bytes_ = Largest([&](size_t n) { return Fits(record_with(fragment.substr(0, n))); }).value_or(0);
    if (piece_bytes_ == 0) return 0;
    const size_t pieces = (fragment.size() + piece_bytes_ - 1) / piece_bytes_;
    return parts_ + pieces < ring_->MostParts() ? pieces : 0;
  }
  // Of a fragment that CountPieces has counted.
  template <class RecordWith>
  bool PutPieces(std::string_view fragment, RecordWith record_with) {
    for (; !fragment.empty(); fragment.remove_prefix(std::min(piece_bytes_, fragment.size()))) {
      if (!Put(record_with(fragment.substr(0, piece_bytes_), fragment.size() <= piece_bytes_))) return false;
    }
    return true;
  }
  bool HasPartsLeft() const { return parts_ + 1 < ring_->MostParts(); }
  uint64_t parts() const { return parts_; }
  bool is_complete() const { return complete_; }
  OutputState* state() const { return state_; }

  RecordResult Finish() {
    if (is_full_ && !put_any_) return RecordResult::kFull;
    state_->CountTruncated(truncated_);
    if (!put_any_) return RecordResult::kDropped;
    return truncated_ > 0 || !complete_ ? RecordResult::kTruncated : RecordResult::kRecorded;
  }

 private:
  RingOutput* ring_;
  OutputState* state_;
  bool only_counts_;
  uint64_t parts_ = 0;
  size_t piece_bytes_ = 0;
  uint32_t truncated_ = 0;
  bool is_full_ = false;
  bool put_any_ = false;
  bool complete_ = true;
};

// With WhenFull::kReport nothing is put where there is no room for all.
template <class Run>
RecordResult FitWith(RingOutput* ring, OutputState* state, Run run) {
  if (state->when_full == WhenFull::kReport) {
    Fitter counting(ring, state, true);
    run(&counting);
    if (ring->Room() < std::min(counting.parts(), ring->MostParts())) return RecordResult::kFull;
  }
  Fitter fitter(ring, state);
  run(&fitter);
  return fitter.Finish();
}

// A fragment of an UpdateAttributes in pieces; `first` is put before them, for readers that know no pieces. False: it is too
// large, and nothing was put.
template <class PutFirst>
bool PutSpanPieces(Fitter* fitter, const SpanKey& span, std::string_view fragment, PutFirst put_first) {
  const auto record = [&](uint64_t part_id, bool more, std::string_view piece) {
    return RecordOf(span, field::kSpanAttributes, PieceContent{part_id, more, piece});
  };
  if (fitter->CountPieces(fragment, [&](std::string_view piece) { return record(UINT64_MAX, true, piece); }) == 0) return false;
  if (!put_first()) return true;
  const uint64_t part_id = fitter->state()->NextPartId();
  fitter->PutPieces(fragment, [&](std::string_view piece, bool is_last) { return record(part_id, !is_last, piece); });
  return true;
}

// The attributes as UpdateAttributes events, each with as many as fit.
void PutUpdates(Fitter* fitter, const SpanKey& span, Attributes attributes) {
  uint32_t dropped = 0;
  const auto record = [&](Attributes some, size_t most_text = kWholeText) {
    return RecordOf(span, field::kSpanAttributes, UpdateContent{some, most_text});
  };
  while (!attributes.empty()) {
    const size_t n = fitter->CountFitting(attributes, [&](Attributes some) { return record(some); });
    if (n > 0) {
      if (!fitter->Put(record(attributes.first(n)))) return;
      attributes = attributes.subspan(n);
      continue;
    }
    const Attributes large = attributes.first(1);
    attributes = attributes.subspan(1);
    const auto most_text = fitter->Largest([&](size_t most) { return fitter->Fits(record(large, most)); });
    const auto put_cut = [&] { return !most_text || fitter->Put(record(large, *most_text)); };
    if (PutSpanPieces(fitter, span, FragmentOf(field::kUpdateAttributes, large.front()), put_cut)) {
      if (!fitter->is_complete()) return;
      continue;
    }
    if (most_text) {
      fitter->CountTruncated(CountCutOf(large, *most_text));
      if (!fitter->Put(record(large, *most_text))) return;
    } else {
      fitter->CountTruncated(1);
      ++dropped;
    }
  }
  if (dropped > 0) fitter->Put(RecordOf(span, field::kSpanAttributes, UpdateContent{{}, kWholeText, dropped}));
}

}  // namespace

RecordResult FitSpanStart(RingOutput* ring, OutputState* state, const SpanStart& span) {
  const SpanKey key = {span.scope, span.trace_id, span.span_id};
  // 0 only where this process cannot get a number, and then nothing is put.
  const uint32_t writer = state->identity->number();
  return FitWith(ring, state, [&](Fitter* fitter) {
    StartContent content = {span, {}, "", "", writer, span.dropped_attributes_count};
    const auto record = [&](Attributes some) {
      content.attributes = some;
      return RecordOf(key, field::kSpanStart, content);
    };
    content.name = fitter->Cut(span.name, [&](std::string_view name) {
      content.name = name;
      return record({});
    });
    content.trace_state = span.trace_state;
    if (!fitter->Fits(record({}))) {
      content.trace_state = {};  // half of one would mislead
      fitter->CountTruncated(1);
    }
    const size_t n = fitter->CountFitting(span.attributes, record);
    if (fitter->Put(record(span.attributes.first(n)))) PutUpdates(fitter, key, span.attributes.subspan(n));
  });
}

RecordResult FitSpanAttributes(RingOutput* ring, OutputState* state, const SpanKey& span, Attributes attributes) {
  return FitWith(ring, state, [&](Fitter* fitter) { PutUpdates(fitter, span, attributes); });
}

RecordResult FitSpanName(RingOutput* ring, OutputState* state, const SpanKey& span, std::string_view name) {
  Fitter fitter(ring, state);
  const auto record = [&](std::string_view some) { return RecordOf(span, field::kSpanName, NameContent{some}); };
  fitter.Put(record(fitter.Cut(name, record)));
  return fitter.Finish();
}

// The whole status goes before the end, in pieces.
RecordResult FitSpanEnd(RingOutput* ring, OutputState* state, const SpanKey& span, const EndContent& end) {
  return FitWith(ring, state, [&](Fitter* fitter) {
    const bool in_pieces = PutSpanPieces(fitter, span, FragmentOf(end.status), [] { return true; });
    const auto record = [&](std::string_view message) {
      return RecordOf(span, field::kSpanEnd, EndContent{end.end_time_unix_nano, {end.status.code, message}, end.dropped, in_pieces});
    };
    Fitter uncounted(ring, state, true);
    fitter->Put(record((in_pieces ? &uncounted : fitter)->Cut(end.status.message, record)));
  });
}

RecordResult FitSpanStatus(RingOutput* ring, OutputState* state, const SpanKey& span, SpanStatus status) {
  const auto record = [&](std::string_view message) {
    return RecordOf(span, field::kSpanAttributes, StatusContent{{status.code, message}});
  };
  return FitWith(ring, state, [&](Fitter* fitter) {
    Fitter uncounted(ring, state, true);
    const std::string_view cut = uncounted.Cut(status.message, record);
    if (PutSpanPieces(fitter, span, FragmentOf(status), [&] { return fitter->Put(record(cut)); })) return;
    fitter->CountTruncated(cut.size() < status.message.size());
    fitter->Put(record(cut));
  });
}

// A link stands in one record: its values are cut, then attributes are left out from the end, then the trace state.
RecordResult FitSpanLink(RingOutput* ring, OutputState* state, const SpanKey& span, const SpanLink& link) {
  Fitter fitter(ring, state);
  LinkContent content = {link, link.attributes, link.trace_state, link.dropped_attributes_count};
  const auto fits = [&](size_t most_text) {
    content.most_text = most_text;
    return fitter.Fits(RecordOf(span, field::kSpanLink, content));
  };
  auto most_text = fitter.Largest(fits);
  while (!most_text && !content.attributes.empty()) {
    content.attributes = content.attributes.first(content.attributes.size() - 1);
    ++content.dropped;
    fitter.CountTruncated(1);
    most_text = fitter.Largest(fits);
  }
  if (!most_text && !content.trace_state.empty()) {
    content.trace_state = {};
    fitter.CountTruncated(1);
  }
  content.most_text = most_text.value_or(0);
  fitter.CountTruncated(CountCutOf(content.attributes, content.most_text));
  fitter.Put(RecordOf(span, field::kSpanLink, content));
  return fitter.Finish();
}

// Attributes say which series a measurement belongs to, so they all stand in one record.
RecordResult FitMeasurement(RingOutput* ring, OutputState* state, const Measurement& measurement) {
  Fitter fitter(ring, state);
  MeasurementRecord record = {measurement, measurement.attributes};
  const auto fits = [&](size_t most_text) {
    record.most_text = most_text;
    return fitter.Fits(record);
  };
  auto most_text = fitter.Largest(fits);
  while (!most_text && !record.attributes.empty()) {
    record.attributes = record.attributes.first(record.attributes.size() - 1);
    fitter.CountTruncated(1);
    most_text = fitter.Largest(fits);
  }
  record.most_text = most_text.value_or(0);
  fitter.CountTruncated(CountCutOf(record.attributes, record.most_text));
  fitter.Put(record);
  return fitter.Finish();
}

namespace {

// A log record in parts: first the body, text in pieces of it, then the attributes. What else is larger than a slot follows
// the part in which it is cut.
class EventFitter {
 public:
  EventFitter(Fitter* fitter, const Event& event, uint64_t part_id)
      : fitter_(*fitter), event_(event), part_id_(part_id), body_(event.body), attributes_(event.attributes), dropped_(event.dropped_attributes_count) {}

  void Run() {
    severity_text_ = fitter_.Cut(event_.severity_text, [&](std::string_view text) {
      severity_text_ = text;
      return Part();
    });
    bool first = true;
    do {
      EventRecord part = Part();
      TakeBody(&part);
      // What is cut for the body's sake stands alone.
      if (part.most_text == kWholeText && body_.type == Value::Type::kEmpty && !part.is_cut) TakeAttributes(&part);
      part.more_parts = part.is_cut || IsMoreLeft();
      if (first && !part.more_parts) part.part_id = 0;
      part.dropped = IsMoreLeft() ? 0 : dropped_;
      first = false;
      if (!fitter_.Put(part) || (part.is_cut && !PutFragment())) break;
    } while (IsMoreLeft());
  }

 private:
  // Without content, and as large as such a part can be.
  EventRecord Part() const { return {event_, {}, {}, severity_text_, UINT32_MAX, part_id_, true, true}; }
  bool IsMoreLeft() const { return body_.type != Value::Type::kEmpty || !attributes_.empty(); }

  static constexpr auto kPiece = [](std::string_view piece) { return PieceContent{UINT64_MAX, true, piece}; };
  bool CanBePieces(std::string fragment) {
    fragment_ = std::move(fragment);
    return fitter_.CountPieces(fragment_, kPiece) > 0;
  }
  bool PutFragment() {
    return fitter_.PutPieces(fragment_, [&](std::string_view piece, bool is_last) { return PieceContent{part_id_, !is_last || IsMoreLeft(), piece}; });
  }
  template <class Fits>
  std::optional<size_t> MostText(EventRecord* part, Fits fits) {
    const auto most_text = fitter_.Largest([&](size_t most) {
      part->most_text = most;
      return fits();
    });
    part->most_text = kWholeText;
    return most_text;
  }

  void TakeBody(EventRecord* part) {
    part->is_cut = false;
    if (body_.type == Value::Type::kEmpty) return;
    part->body = body_;
    if (fitter_.Fits(*part)) {
      body_ = {};
      return;
    }
    const bool is_text = body_.type == Value::Type::kString || body_.type == Value::Type::kBytes;
    part->is_cut = !is_text;
    const auto most_text = MostText(part, [&] { return fitter_.Fits(*part); });
    const size_t piece = !most_text ? 0 : body_.type == Value::Type::kString ? CutText(body_.bytes(), *most_text).size() : *most_text;
    if (is_text && piece > 0 && fitter_.HasPartsLeft()) {
      part->body.size = piece;
      body_.text += piece;
      body_.size -= piece;
      return;
    }
    part->is_cut = !is_text && CanBePieces(FragmentOf(field::kEventBody, body_));
    if (most_text) {
      part->most_text = *most_text;
      if (!part->is_cut) fitter_.CountTruncated(CountCut(body_, *most_text));
    } else {
      part->body = {};
      if (!part->is_cut) fitter_.CountTruncated(1);
    }
    body_ = {};
  }

  void TakeAttributes(EventRecord* part) {
    const size_t n = fitter_.CountFitting(attributes_, [&](Attributes some) {
      part->attributes = some;
      return *part;
    });
    part->attributes = attributes_.first(n);
    attributes_ = attributes_.subspan(n);
    if (n > 0 || attributes_.empty() || part->body.type != Value::Type::kEmpty) return;
    // One that does not fit even alone.
    part->attributes = attributes_.first(1);
    attributes_ = attributes_.subspan(1);
    part->is_cut = true;
    const auto most_text = MostText(part, [&] { return fitter_.Fits(*part); });
    part->is_cut = CanBePieces(FragmentOf(field::kEventAttributes, part->attributes.front()));
    if (most_text) {
      part->most_text = *most_text;
      if (!part->is_cut) fitter_.CountTruncated(CountCutOf(part->attributes, *most_text));
      return;
    }
    part->attributes = {};
    if (part->is_cut) return;
    fitter_.CountTruncated(1);
    ++dropped_;
  }

  Fitter& fitter_;
  const Event& event_;
  uint64_t part_id_;
  Value body_;             // what is left to be put
  Attributes attributes_;  // likewise
  std::string_view severity_text_;
  uint32_t dropped_;
  std::string fragment_;   // of what is cut in the part before
};

}  // namespace

RecordResult FitEvent(RingOutput* ring, OutputState* state, const Event& event) {
  const uint64_t part_id = state->NextPartId();
  return FitWith(ring, state, [&](Fitter* fitter) { EventFitter(fitter, event, part_id).Run(); });
}

}  // namespace otlp_arrow::ring
