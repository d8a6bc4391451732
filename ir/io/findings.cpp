#include <tandem/ir/io/findings.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/spelling.h>

namespace tandem::io {

SourceLocation SourceText::location(std::size_t offset, std::string path) {
  offset = std::min(offset, text_.size());
  if (offset < seen_) {
    seen_ = line_start_ = 0;
    line_ = 1;
  }
  for (;;) {
    const std::size_t end = text_.find('\n', seen_);
    if (end == std::string_view::npos || end >= offset)
      break;
    seen_ = line_start_ = end + 1;
    ++line_;
  }
  return {file_, line_, static_cast<std::uint32_t>(std::min<std::size_t>(offset - line_start_ + 1, 0xffffffffU)),
          std::move(path)};
}

std::string SourceText::line_around(std::size_t offset) const {
  constexpr std::size_t longest = 4096;
  offset = std::min(offset, text_.size());
  const std::size_t before = offset == 0 ? std::string_view::npos : text_.rfind('\n', offset - 1);
  const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t end = std::min(text_.find('\n', offset), text_.size());
  if (end - start > longest)
    return {};
  std::string line(text_.substr(start, end - start));
  if (!line.empty() && line.back() == '\r')
    line.pop_back();
  return line;
}

void Findings::add(Diagnostic diagnostic) {
  diagnostics_.push_back(std::move(diagnostic));
  if (diagnostics_.size() < max_errors)
    return;
  diagnostics_.back().notes.push_back(fmt::format("reading stopped after {} errors", max_errors));
  throw_if_any();
}

void Findings::throw_if_any() {
  if (!diagnostics_.empty())
    throw Error(std::move(diagnostics_));
}

Diagnostic finding(std::string_view code, std::string message, std::string help) {
  return {.code = std::string(code),
          .where = {},
          .message = std::move(message),
          .help = std::move(help),
          .notes = {},
          .source_line = {}};
}

void require_readable(SourceText& source, std::string_view form) {
  const auto fail = [&](std::size_t offset, std::string_view what, std::string message, std::string help) {
    Diagnostic d = finding(fmt::format("{}.{}", form, what), std::move(message), std::move(help));
    d.where = source.location(offset);
    throw Error(std::move(d));
  };
  const std::string_view text = source.text();
  if (text.size() > max_graph_bytes) {
    fail(0, "too-large", fmt::format("the input has {} bytes, at most {} are read", text.size(), max_graph_bytes),
         "weights belong into safetensors files, large constants into weights");
  }
  if (text.starts_with("\xef\xbb\xbf")) {
    fail(0, "bom", "the input starts with a byte order mark", "save it as UTF-8 without a byte order mark");
  }
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    fail(0, "bom", "the input is UTF-16", "save it as UTF-8 without a byte order mark");
  }
  if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    fail(bad, "utf8",
         fmt::format("byte 0x{:02x} at offset {} is not UTF-8", static_cast<unsigned char>(text[bad]), bad),
         "save the file as UTF-8");
  }
}

void require_no_nul(SourceText& source) {
  const std::size_t at = source.text().find('\0');
  if (at == std::string_view::npos)
    return;
  Diagnostic d =
      finding("text.syntax", "a NUL byte (\\x00) stands here", "a graph as text has none; is the file damaged?");
  d.where = source.location(at);
  d.source_line = source.line_around(at);
  throw Error(std::move(d));
}

void NearestName::consider(std::string_view candidate) {
  constexpr std::size_t enough = 2000;
  const std::size_t difference = std::max(candidate.size(), wrong_.size()) - std::min(candidate.size(), wrong_.size());
  if (difference > 2 || candidates_.size() >= enough)
    return;
  candidates_.push_back(candidate);
}

std::string NearestName::text() const {
  auto sorted = candidates_;  // the answer must not depend on the order of asking
  std::sort(sorted.begin(), sorted.end());
  return did_you_mean(wrong_, sorted);
}

}  // namespace tandem::io
