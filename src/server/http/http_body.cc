#include "server/http/http_body.h"

#include <algorithm>
#include <cstring>

namespace otlp_arrow {

namespace http = boost::beast::http;

void FixedBody::TakeFrom(boost::beast::flat_buffer* buffer) {
  const size_t n = std::min(buffer->size(), bytes_.size - filled_);
  if (n == 0) return;
  std::memcpy(bytes_.data + filled_, buffer->data().data(), n);
  buffer->consume(n);
  filled_ += n;
}

ChunkedBody::ChunkedBody(HeaderParser&& header, uint64_t limit) : parser_(std::move(header)) {
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
    if (error) return Progress::kMalformed;
  }
  return Progress::kComplete;
}

}  // namespace otlp_arrow
