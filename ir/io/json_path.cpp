#include <tandem/ir/io/json_path.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <tandem/ir/io/spelling.h>

namespace tandem::io {

std::string to_string(const JsonPath& path) {
  constexpr std::size_t longest = 80;
  std::string out;
  for (const JsonStep& step : path.steps) {
    if (step.is_index) {
      out += '[' + std::to_string(step.index) + ']';
    } else if (is_identifier(step.key) && step.key.find('.') == std::string_view::npos && step.key.size() <= longest) {
      if (!out.empty())
        out += '.';
      out += step.key;
    } else {
      out += '[';
      append_quoted(out, step.key.substr(0, longest));
      out += ']';
    }
  }
  return out;
}

void JsonLocator::skip_blanks() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
    ++at_;
  }
}

/// Past the string that starts here; returns it with its quotes.
std::string_view JsonLocator::skip_string() {
  const std::size_t start = at_++;
  while (at_ < text_.size() && text_[at_] != '"')
    at_ += text_[at_] == '\\' ? 2 : 1;
  at_ = std::min(at_ + 1, text_.size());
  return text_.substr(start, at_ - start);
}

void JsonLocator::skip_value() {
  std::size_t depth = 0;
  do {
    skip_blanks();
    if (at_ >= text_.size())
      return;
    const char c = text_[at_];
    if (c == '"') {
      skip_string();
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at_;
    } else if (c == '}' || c == ']') {
      if (depth == 0)
        return;
      --depth;
      ++at_;
    } else if (c == ',' || c == ':') {
      if (depth == 0)
        return;
      ++at_;
    } else {
      at_ = std::min(text_.find_first_of(",:]} \t\n\r", at_), text_.size());
    }
  } while (depth != 0);
}

/// From the start of an object to the value of a key, or to the key.
bool JsonLocator::enter_member(const JsonStep& step, bool at_key, bool last) {
  if (at_ >= text_.size() || text_[at_] != '{')
    return false;
  ++at_;
  std::size_t found = std::string_view::npos;
  for (;;) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != '"')
      break;
    const std::size_t key_at = at_;
    const std::string_view raw = skip_string();
    bool same = raw.size() >= 2 && raw.substr(1, raw.size() - 2) == step.key;
    if (!same && raw.find('\\') != std::string_view::npos) {
      const auto key = nlohmann::json::parse(raw, nullptr, false);
      same = key.is_string() && key.get_ref<const std::string&>() == step.key;
    }
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == ':')
      ++at_;
    skip_blanks();
    if (same)
      found = at_key ? key_at : at_;
    if (same && !last)
      break;
    skip_value();
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != ',')
      break;
    ++at_;
  }
  if (found == std::string_view::npos)
    return false;
  at_ = found;
  return true;
}

bool JsonLocator::enter_element(std::size_t index) {
  if (at_ >= text_.size() || text_[at_] != '[')
    return false;
  const std::size_t array = at_++;
  std::size_t i = 0;
  if (bookmark_.array == array && bookmark_.offset != 0 && bookmark_.index <= index) {
    i = bookmark_.index;
    at_ = bookmark_.offset;
  }
  for (;; ++i) {
    skip_blanks();
    if (i == index)
      break;
    skip_value();
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != ',')
      return false;
    ++at_;
  }
  // Short arrays within nodes are searched in between: only long ones are worth a mark.
  if (index >= 16 || bookmark_.array == array)
    bookmark_ = {array, index, at_};
  return true;
}

std::size_t JsonLocator::find(const JsonPath& path) {
  at_ = 0;
  skip_blanks();
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    const JsonStep& step = path.steps[i];
    const bool key = path.key && i + 1 == path.steps.size();
    const std::size_t here = at_;
    if (step.is_index ? enter_element(step.index) : enter_member(step, key, key))
      continue;
    at_ = here;
    break;
  }
  return at_;
}

std::size_t find_nesting_above(std::string_view text, std::size_t depth) {
  std::size_t open = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++open > depth)
        return i;
    } else if ((c == '}' || c == ']') && open != 0) {
      --open;
    }
  }
  return std::string_view::npos;
}

}  // namespace tandem::io
