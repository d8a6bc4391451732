#include <tandem/ir/diagnostic.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace tandem {

namespace {

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::note: return "note";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "error";
}

std::string place(const SourceLocation& where) {
  std::string out = where.file;
  if (where.line != 0) {
    out += fmt::format("{}{}", out.empty() ? "" : ":", where.line);
    if (where.column != 0)
      out += fmt::format(":{}", where.column);
  }
  if (!where.path.empty())
    out += fmt::format("{}{}", out.empty() ? "" : ": ", where.path);
  return out;
}

/// What a terminal would act on, as \xHH; a tab as a blank.
std::string without_controls(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\t')
      out += ' ';
    else if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f')
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

/// The source line with a caret under the column; long lines are cut to a window around it.
std::string draw_caret(std::string_view line, std::uint32_t column) {
  constexpr std::size_t width = 100;
  std::size_t at = column == 0 ? 0 : column - 1;
  at = std::min(at, line.size());
  std::size_t start = at > width / 2 && line.size() > width ? at - width / 2 : 0;
  std::string out = fmt::format("  {}\n", without_controls(line.substr(start, width)));
  if (column != 0)
    out += fmt::format("  {}^\n", std::string(without_controls(line.substr(start, at - start)).size(), ' '));
  return out;
}

/// Characters inserted, removed, changed, or changed with their neighbour (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string to_string(const Diagnostic& d) {
  const std::string where = place(d.where);
  std::string out =
      fmt::format("{}{}{}: {} [{}]\n", where, where.empty() ? "" : ": ", severity_name(d.severity), d.message, d.code);
  if (!d.source_line.empty())
    out += draw_caret(d.source_line, d.where.column);
  if (!d.help.empty())
    out += fmt::format("  help: {}\n", d.help);
  for (const std::string& note : d.notes)
    out += fmt::format("  note: {}\n", note);
  return out;
}

std::string to_string(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  for (const Diagnostic& d : diagnostics)
    out += to_string(d);
  return out;
}

Error::Error(std::vector<Diagnostic> diagnostics)
    : diagnostics_(std::move(diagnostics)), text_(to_string(diagnostics_)) {}

Error::Error(Diagnostic diagnostic) : Error(std::vector<Diagnostic>{std::move(diagnostic)}) {}

Error::Error(std::string_view code, std::string message, std::string help)
    : Error(Diagnostic{.code = std::string(code),
                       .where = {},
                       .message = std::move(message),
                       .help = std::move(help),
                       .notes = {},
                       .source_line = {}}) {}

void internal_error(std::string_view message, CodeLocation where) {
  std::string_view file = where.file_name();
  for (std::string_view folder : {"ir/", "passes/", "kernels/", "runtime/", "tools/"}) {
    if (const auto at = file.rfind(folder); at != std::string_view::npos) {
      file = file.substr(at);
      break;
    }
  }
  throw Error("internal", fmt::format("{} ({}:{}); this is a bug in tandem", message, file, where.line()),
              "please report it with the graph and the command that led here");
}

std::string did_you_mean(std::string_view wrong, const std::vector<std::string_view>& candidates) {
  if (wrong.size() > 100)
    return "";
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  for (std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(wrong, candidate);
    // Names that have nothing in common are not meant for each other: q for n.
    if (distance < best_distance && distance < std::max(wrong.size(), candidate.size())) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best.empty() ? "" : fmt::format("; did you mean '{}'?", best);
}

}  // namespace tandem
