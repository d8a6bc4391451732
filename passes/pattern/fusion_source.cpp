#include <tandem/passes/pattern/fusion_set.h>

#include <algorithm>

namespace tandem {

namespace {

/// Longer lines are not drawn: nobody reads them.
constexpr std::size_t max_drawn_line = 400;

}  // namespace

void add_source_line(Diagnostic& d, std::span<const FusionSource> sources) {
  if (!d.source_line.empty() || d.where.line == 0)
    return;
  const auto source =
      std::find_if(sources.begin(), sources.end(), [&](const auto& f) { return f.file == d.where.file; });
  if (source == sources.end())
    return;
  std::size_t start = 0;
  for (std::uint32_t line = 1; line < d.where.line && start != std::string::npos; ++line) {
    start = source->text.find('\n', start);
    start += start != std::string::npos ? 1 : 0;
  }
  if (start == std::string::npos)
    return;
  const std::size_t end = source->text.find('\n', start);
  if (std::min(end, source->text.size()) - start <= max_drawn_line)
    d.source_line = source->text.substr(start, end == std::string::npos ? end : end - start);
}

}  // namespace tandem
