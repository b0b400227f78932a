#include "senders/outcome.h"

#include <algorithm>
#include <string_view>

namespace otlp_arrow {
namespace {

constexpr size_t kLongestMessage = 500;
constexpr size_t kShortestSecret = 4;  // a shorter one would tear words apart and is none

void Hide(std::string_view secret, std::string* message) {
  if (secret.size() < kShortestSecret) return;
  constexpr std::string_view kHidden = "<hidden>";
  for (size_t at = message->find(secret); at != std::string::npos; at = message->find(secret, at + kHidden.size())) {
    message->replace(at, secret.size(), kHidden);
  }
}

// The bytes of the UTF-8 character at `text`, 0 where there is none.
size_t CharacterSize(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const size_t size = first < 0x80 ? 1 : first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 && first < 0xe0 ? 2 : 0;
  if (size == 0 || size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool is_overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool is_no_character = (first == 0xed && byte(1) >= 0xa0) || (first == 0xf4 && byte(1) >= 0x90);
  return is_overlong || is_no_character ? 0 : size;
}

std::string Printable(std::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const size_t size = CharacterSize(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (printable.size() + size > kLongestMessage) return printable + "...";
    if (size == 0 || first == 0x7f) {
      printable += '?';
    } else if (first < 0x20) {
      printable += ' ';
    } else {
      printable += text.substr(0, size);
    }
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return printable;
}

}  // namespace

SendOutcome Failed(SendOutcome::Kind kind, std::string message) {
  SendOutcome outcome;
  outcome.kind = kind;
  outcome.message = std::move(message);
  return outcome;
}

SendOutcome Cancelled() { return Failed(SendOutcome::Kind::kRetryable, "cancelled, as sending ends"); }

SendOutcome Tidy(const SenderOptions& options, SendOutcome outcome) {
  if (outcome.message.empty()) return outcome;
  for (const std::string& secret : options.secrets) Hide(secret, &outcome.message);
  for (const auto& [name, value] : options.headers) {
    Hide(value, &outcome.message);
    const size_t space = value.find(' ');  // "Bearer secret"
    if (space != std::string::npos) Hide(std::string_view(value).substr(space + 1), &outcome.message);
  }
  outcome.message = Printable(outcome.message);
  return outcome;
}

}  // namespace otlp_arrow
