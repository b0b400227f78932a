// The body of a request, as it comes in.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/optional/optional.hpp>

#include "pipeline/pipeline.h"
#include "server/http/receive_budget.h"

namespace otlp_arrow {

using HeaderParser = boost::beast::http::request_parser<boost::beast::http::empty_body>;

// Memory for a body that grows with what has arrived, whatever the sender claims. It is not the pipeline's: there, a client
// that stalls would keep a block that others share.
class BodyBuffer {
 public:
  BodyBuffer() = default;
  BodyBuffer(ReceiveLease* lease, uint64_t budget) : lease_(lease), budget_(budget) {}

  // Makes room for at least a byte, where `still` are expected. False where the budget is used up. Throws std::bad_alloc.
  bool Reserve(uint64_t still);
  boost::asio::mutable_buffer Room() { return {bytes_.get() + size_, capacity_ - size_}; }
  void Advance(size_t n) { size_ += n; }
  // False where the budget is used up.
  bool Append(std::string_view bytes);

  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };

  ReceiveLease* lease_ = nullptr;
  uint64_t budget_ = 0;
  std::unique_ptr<char, Free> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// A body of known length. Where `is_here`, all of it waits in the socket: then it is read straight into the pipeline's memory.
class FixedBody {
 public:
  FixedBody() = default;
  FixedBody(BodyBuffer buffer, uint64_t size) : buffer_(std::move(buffer)), left_(size) {}
  // Into `target`.
  explicit FixedBody(Pipeline::WritableBytes target) : target_(std::move(target)), left_(target_.size) {}

  // Moves what came along with the header out of `buffer`. False where the budget is used up.
  bool TakeFrom(boost::beast::flat_buffer* buffer);
  // False where the budget is used up.
  bool Reserve() { return target_.data || buffer_.Reserve(left_); }
  boost::asio::mutable_buffer Room();
  void Advance(size_t n);
  bool complete() const { return left_ == 0; }

  std::string_view view() const { return target_.data ? std::string_view(target_.data, target_.size) : buffer_.view(); }
  // The bytes in the pipeline's memory.
  Pipeline::WritableBytes Take(Pipeline* pipeline);

 private:
  BodyBuffer buffer_;
  Pipeline::WritableBytes target_;
  uint64_t left_ = 0;
};

Pipeline::WritableBytes CopyOf(std::string_view bytes, Pipeline* pipeline);

// Hands Beast's parser a BodyBuffer to write to.
struct BufferedBody {
  using value_type = BodyBuffer;

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(boost::beast::http::header<is_request, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<uint64_t>&, boost::beast::error_code& error) { error = {}; }
    template <class Buffers>
    size_t put(const Buffers& buffers, boost::beast::error_code& error) {
      size_t taken = 0;
      error = {};
      for (const boost::asio::const_buffer piece : boost::beast::buffers_range_ref(buffers)) {
        if (!body_.Append({static_cast<const char*>(piece.data()), piece.size()})) {
          error = boost::beast::http::error::buffer_overflow;
          return taken;
        }
        taken += piece.size();
      }
      return taken;
    }
    void finish(boost::beast::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

// A body in chunks (RFC 9112, 7.1), whose length is known at its end.
class ChunkedBody {
 public:
  enum class Progress { kNeedMore, kComplete, kTooLarge, kMalformed, kNoBudget };

  // Goes on where `header` ended.
  ChunkedBody(HeaderParser&& header, BodyBuffer buffer, uint64_t limit);
  ChunkedBody(const ChunkedBody&) = delete;

  // Takes what it can out of `buffer`.
  Progress Feed(boost::beast::flat_buffer* buffer);
  std::string_view view() const { return parser_.get().body().view(); }

 private:
  boost::beast::http::request_parser<BufferedBody> parser_;
};

}  // namespace otlp_arrow
