#include <algorithm>
#include <cstdlib>
#include <cxxabi.h>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>

#include "sdk/attribute_buffer.h"
#include "sdk/tracer_core.h"

namespace otlp_arrow::sdk {
namespace {

// Of a polymorphic object; empty where its class was compiled without run-time types.
std::string TypeName(const std::exception& exception) {
  // The entry before a virtual table's first one, as the Itanium C++ ABI has it.
  if (!(*reinterpret_cast<const void* const* const*>(&exception))[-1]) return {};
  const char* mangled = typeid(exception).name();
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
  return name ? name.get() : mangled;
}

}  // namespace

Span::Span(Span&& other) noexcept { *this = std::move(other); }

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  End();
  writer_ = std::exchange(other.writer_, nullptr);
  tracer_ = other.tracer_;
  scope_ = other.scope_;
  context_ = other.context_;
  start_ = other.start_;
  epoch_ = other.epoch_;
  keys_ = other.keys_;
  events_ = other.events_;
  links_ = other.links_;
  dropped_ = other.dropped_;
  status_ = other.status_;
  std::copy_n(other.known_keys_.begin(), std::min(keys_, kInlineKeys), known_keys_.begin());
  more_keys_ = std::move(other.more_keys_);
  return *this;
}

bool Span::IsAlive() const noexcept { return tracer_->recorder().epoch() == epoch_ && !tracer_->recorder().is_shut_down(); }

bool Span::Knows(uint32_t key) const noexcept {
  const auto inline_end = known_keys_.begin() + std::min(keys_, kInlineKeys);
  return std::find(known_keys_.begin(), inline_end, key) != inline_end || std::find(more_keys_.begin(), more_keys_.end(), key) != more_keys_.end();
}

bool Span::Admit(ring::Ref ref) noexcept {
  const auto key = static_cast<uint32_t>(ref);
  if (Knows(key)) return true;
  if (keys_ >= tracer_->limits().attributes) {
    ++dropped_.attributes;
    return false;
  }
  if (keys_ < kInlineKeys) {
    known_keys_[keys_] = key;
  } else {
    Guarded([&] { more_keys_.push_back(key); });
  }
  ++keys_;
  return true;
}

void Span::RecordAttributes(AttributeList attributes) noexcept {
  if (!IsRecording()) return;
  Guarded([&] {
    AttributeBuffer buffer;
    buffer.Add({writer_, tracer_->dictionary_owner()}, attributes, UINT32_MAX, tracer_->limits().attribute_value_length, [this](ring::Ref key) { return Admit(key); });
    dropped_.attributes += buffer.dropped();
    if (!buffer.view().empty()) (void)writer_->RecordSpanAttributes(Key(), buffer.view());
  });
}

void Span::SetAttribute(std::string_view key, const AttributeValue& value) noexcept {
  const AttributeView attribute{key, value};
  RecordAttributes(std::span<const AttributeView>(&attribute, 1));
}

void Span::SetAttributes(AttributeList attributes) noexcept { RecordAttributes(attributes); }

void Span::AddEvent(std::string_view name, AttributeList attributes, uint64_t time_unix_nano) noexcept {
  if (!IsRecording()) return;
  const ring::Ref ref = events_ >= tracer_->limits().events ? 0 : name.empty() ? tracer_->no_name().Get().ref : RefOf({writer_, tracer_->dictionary_owner()}, name);
  if (ref == 0) {
    ++dropped_.events;
    return;
  }
  ++events_;
  Guarded([&] {
    AttributeBuffer buffer;
    buffer.Add({writer_, tracer_->dictionary_owner()}, attributes, tracer_->limits().event_attributes, tracer_->limits().attribute_value_length);
    const ring::SpanContext context = RingContext(context_);
    ring::Event event{.scope = scope_, .time_unix_nano = time_unix_nano != 0 ? time_unix_nano : UnixNanoNow(), .event_name = ref, .context = &context};
    event.attributes = buffer.view();
    event.dropped_attributes_count = buffer.dropped();
    (void)writer_->RecordEvent(event);
  });
}

void Span::AddLink(const SpanContext& context, AttributeList attributes) noexcept {
  if (!IsRecording()) return;
  if (links_ >= tracer_->limits().links) {
    ++dropped_.links;
    return;
  }
  ++links_;
  Guarded([&] {
    AttributeBuffer buffer;
    buffer.Add({writer_, tracer_->dictionary_owner()}, attributes, tracer_->limits().link_attributes, tracer_->limits().attribute_value_length);
    ring::SpanLink link{.trace_id = context.trace_id.bytes, .span_id = context.span_id.bytes, .trace_state = context.trace_state_text()};
    link.attributes = buffer.view();
    link.dropped_attributes_count = buffer.dropped();
    link.flags = context.flags;
    (void)writer_->RecordSpanLink(Key(), link);
  });
}

void Span::SetStatus(SpanStatusCode code, std::string_view description) noexcept {
  if (code == SpanStatusCode::kUnset || status_ == SpanStatusCode::kOk || !IsRecording()) return;
  status_ = code;
  Guarded([&] {
    std::string storage;
    const std::string_view message = code == SpanStatusCode::kError ? ValidText(description, &storage) : std::string_view();
    (void)writer_->RecordSpanStatus(Key(), {static_cast<ring::StatusCodeOfSpan>(code), message});
  });
}

void Span::UpdateName(std::string_view name) noexcept {
  if (!IsRecording()) return;
  Guarded([&] {
    std::string storage;
    (void)writer_->RecordSpanName(Key(), ValidText(name, &storage));
  });
}

void Span::RecordException(const std::exception& exception, AttributeList attributes) noexcept {
  if (!IsRecording()) return;
  Guarded([&] { RecordException(TypeName(exception), exception.what(), {}, attributes); });
}

void Span::RecordException(std::string_view type, std::string_view message, std::string_view stacktrace, AttributeList attributes) noexcept {
  if (!IsRecording()) return;
  Guarded([&] {
    std::vector<AttributeView> all;
    all.reserve(attributes.size() + 3);
    if (!type.empty()) all.push_back({"exception.type", type});
    all.push_back({"exception.message", message});
    if (!stacktrace.empty()) all.push_back({"exception.stacktrace", stacktrace});
    all.insert(all.end(), attributes.begin(), attributes.end());
    AddEvent("exception", all);
  });
}

void Span::End(uint64_t end_time_unix_nano) noexcept {
  if (!writer_) return;
  if (IsAlive()) {
    const uint64_t end = std::max(end_time_unix_nano != 0 ? end_time_unix_nano : UnixNanoNow(), start_);
    (void)writer_->RecordSpanEnd(Key(), end, {}, dropped_);
  }
  writer_ = nullptr;
}

}  // namespace otlp_arrow::sdk
