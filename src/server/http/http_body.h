// The body of a request, as it comes in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "pipeline/pipeline.h"

namespace otlp_arrow {

using HeaderParser = boost::beast::http::request_parser<boost::beast::http::empty_body>;

// A body of known length, read from the socket straight into the pipeline's memory.
class FixedBody {
 public:
  FixedBody() = default;
  FixedBody(Pipeline* pipeline, size_t size) : bytes_(pipeline->Allocate(size)) {}

  // Moves what came along with the header out of `buffer`.
  void TakeFrom(boost::beast::flat_buffer* buffer);
  boost::asio::mutable_buffer Room() const { return {bytes_.data + filled_, bytes_.size - filled_}; }
  void Advance(size_t n) { filled_ += n; }
  bool complete() const { return filled_ == bytes_.size; }
  Pipeline::WritableBytes Take() { return std::move(bytes_); }

 private:
  Pipeline::WritableBytes bytes_;
  size_t filled_ = 0;
};

// A body in chunks (RFC 9112, 7.1), whose length is known at its end.
class ChunkedBody {
 public:
  enum class Progress { kNeedMore, kComplete, kTooLarge, kMalformed };

  // Goes on where `header` ended.
  ChunkedBody(HeaderParser&& header, uint64_t limit);

  // Takes what it can out of `buffer`.
  Progress Feed(boost::beast::flat_buffer* buffer);
  std::string_view bytes() const { return parser_.get().body(); }

 private:
  boost::beast::http::request_parser<boost::beast::http::string_body> parser_;
};

}  // namespace otlp_arrow
