#include "server/http/header_check.h"

#include <string>

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using State = HeaderEnd::State;

std::string Request(const std::string& fields, const std::string& line = "POST /v1/traces HTTP/1.1") {
  return line + "\r\nHost: a\r\n" + fields + "\r\n";
}

TEST(HeaderEndTest, FindsTheEndHoweverTheBytesArrive) {
  const std::string header = Request("Content-Length: 3\r\n");
  const std::string input = header + "abc\n\r\n";
  for (size_t step = 1; step <= input.size(); ++step) {
    HeaderEnd end;
    size_t here = 0;
    State state = State::kNeedMore;
    while (state == State::kNeedMore && here < input.size()) {
      here = std::min(here + step, input.size());
      state = end.Find(std::string_view(input).substr(0, here));
      EXPECT_EQ(state == State::kFound, here >= header.size());
    }
    EXPECT_EQ(state, State::kFound);
    EXPECT_EQ(end.size(), header.size());
  }
}

TEST(HeaderEndTest, LinesEndInBoth) {
  for (const char* input : {"GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n\n", "\r\n", "\n", "\x16\x03\x01", " GET", "GET / HTTP/1.1\r\n\n"}) {
    EXPECT_EQ(HeaderEnd().Find(input), State::kFaulty) << input;
  }
  EXPECT_EQ(HeaderEnd().Find(""), State::kNeedMore);
  EXPECT_EQ(HeaderEnd().Find("GET / HTTP/1.1\r"), State::kNeedMore);
}

TEST(FaultOfHeaderTest, OrdinaryHeadersHaveNone) {
  for (const char* fields : {"", "Content-Length: 12\r\n", "transfer-encoding:\tChunked \r\n", "X-Empty:\r\n", "X: a\tb \x80\xff\r\n", "Content-Length:0\r\n",
                             "A: 1\r\nA: 2\r\n"}) {
    EXPECT_EQ(FaultOfHeader(Request(fields)), nullptr) << fields;
  }
}

TEST(FaultOfHeaderTest, RequestsThatOthersMayReadInAnotherWay) {
  for (const std::string fields : {
           "Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: identity\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: xchunked\r\n",
           "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: \x0b"
           "chunked\r\n", "Transfer-Encoding:\r\n", "Content-Length: +1\r\n", "Content-Length: 1, 1\r\n", "Content-Length: 0x1\r\n",
           "Content-Length: 1 1\r\n", "Content-Length:\r\n", "Content-Length : 1\r\n", "Host: b\r\n", " folded\r\n", "A: b\r\n\tfolded\r\n", "no colon\r\n",
           ": no name\r\n", "A\x01: b\r\n", "A: b\x01\r\n", "A: b\rC: d\r\n", "\xc3\xa4: b\r\n"}) {
    EXPECT_NE(FaultOfHeader(Request(fields)), nullptr) << fields;
  }
  EXPECT_NE(FaultOfHeader(Request("A: " + std::string(1, '\0') + "\r\n")), nullptr);
}

TEST(FaultOfHeaderTest, RequestLinesHaveThreeParts) {
  for (const char* line : {"hello", "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET\t/ HTTP/1.1", "GET /\x7f HTTP/1.1", "GET /\xc3\xa4 HTTP/1.1"}) {
    EXPECT_NE(FaultOfHeader(Request("", line)), nullptr) << line;
  }
}

}  // namespace
}  // namespace otlp_arrow
