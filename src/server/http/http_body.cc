#include "server/http/http_body.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace otlp_arrow {

namespace http = boost::beast::http;

namespace {

constexpr uint64_t kFirstCapacity = 64 << 10;  // most requests; a larger one doubles it as it comes in

}  // namespace

bool BodyBuffer::Reserve(uint64_t still) {
  if (size_ < capacity_ || still == 0) return true;
  const uint64_t wanted = std::min<uint64_t>(size_ + still, std::max<uint64_t>(kFirstCapacity, 2 * uint64_t{capacity_}));
  if (!lease_->Take(wanted - capacity_, budget_)) return false;
  void* larger = std::realloc(bytes_.get(), wanted);
  if (!larger) throw std::bad_alloc();
  (void)bytes_.release();  // realloc() has freed or moved it
  bytes_.reset(static_cast<char*>(larger));
  capacity_ = wanted;
  return true;
}

bool BodyBuffer::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!Reserve(std::max<uint64_t>(bytes.size(), kFirstCapacity))) return false;
    const size_t n = std::min(bytes.size(), capacity_ - size_);
    std::memcpy(bytes_.get() + size_, bytes.data(), n);
    size_ += n;
    bytes.remove_prefix(n);
  }
  return true;
}

bool FixedBody::TakeFrom(boost::beast::flat_buffer* buffer) {
  while (left_ > 0 && buffer->size() > 0) {
    if (!Reserve()) return false;
    const auto room = Room();
    const size_t n = std::min(buffer->size(), room.size());
    std::memcpy(room.data(), buffer->data().data(), n);
    buffer->consume(n);
    Advance(n);
  }
  return true;
}

boost::asio::mutable_buffer FixedBody::Room() {
  if (target_.data) return {target_.data + (target_.size - left_), left_};
  return buffer_.Room();
}

void FixedBody::Advance(size_t n) {
  left_ -= n;
  if (!target_.data) buffer_.Advance(n);
}

Pipeline::WritableBytes FixedBody::Take(Pipeline* pipeline) {
  return target_.data ? std::move(target_) : CopyOf(buffer_.view(), pipeline);
}

Pipeline::WritableBytes CopyOf(std::string_view bytes, Pipeline* pipeline) {
  Pipeline::WritableBytes copy = pipeline->Allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data, bytes.data(), bytes.size());
  return copy;
}

ChunkedBody::ChunkedBody(HeaderParser&& header, BodyBuffer buffer, uint64_t limit) : parser_(std::move(header)) {
  parser_.get().body() = std::move(buffer);
  parser_.body_limit(limit);
  parser_.eager(true);
}

ChunkedBody::Progress ChunkedBody::Feed(boost::beast::flat_buffer* buffer) {
  while (!parser_.is_done()) {
    if (buffer->size() == 0) return Progress::kNeedMore;
    boost::beast::error_code error;
    const size_t used = parser_.put(buffer->data(), error);
    buffer->consume(used);
    if (error == http::error::need_more) return Progress::kNeedMore;
    if (error == http::error::body_limit) return Progress::kTooLarge;
    if (error == http::error::buffer_overflow) return Progress::kNoBudget;
    if (error) return Progress::kMalformed;
  }
  return Progress::kComplete;
}

}  // namespace otlp_arrow
