// The decision report as text: a table of all passes, then what there is to say of each.
//
//     decision report: deepseek_v3 for rocm:gfx942
//     level O1, numerics exact
//
//     pass    state    candidates  matches         nodes      time  rule
//     verify  on             2623        0          2623  0.125 ms  O1 >= O0
//     dce     changed           2        2  2623 -> 2621  0.020 ms  O1 >= O1

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/passes/report.h>

namespace tandem {

namespace {

constexpr std::size_t max_columns = 120;

std::string state_of(const PassReport& pass) {
  if (!pass.on) {
    return "off";
  }
  return pass.changed ? "changed" : "on";
}

std::string nodes_of(const PassReport& pass) {
  return pass.nodes_before == pass.nodes_after ? fmt::format("{}", pass.nodes_after)
                                               : fmt::format("{} -> {}", pass.nodes_before, pass.nodes_after);
}

std::string time_of(double seconds) {
  return seconds == 0 ? "-" : fmt::format("{:.3f} ms", seconds * 1e3);
}

using Cells = std::array<std::string, 7>;

Cells cells_of(const PassReport& pass) {
  if (!pass.on) {
    return {pass.name, "off", "-", "-", nodes_of(pass), "-", pass.rule};
  }
  return {pass.name,
          state_of(pass),
          fmt::format("{}", pass.candidates),
          fmt::format("{}", pass.matches),
          nodes_of(pass),
          time_of(pass.seconds),
          pass.rule};
}

std::string rtrim(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

/// `text` in lines of at most `max_columns`, broken at spaces, each behind `first` or, from the second on, `rest`.
std::string wrapped(std::string_view first, std::string_view rest, std::string_view text) {
  std::string out;
  std::string_view indent = first;
  do {
    std::size_t take = text.size();
    if (indent.size() + take > max_columns) {
      const std::size_t space = text.rfind(' ', max_columns - indent.size());
      take = space == std::string_view::npos || space == 0 ? text.find(' ', 1) : space;
      take = std::min(take, text.size());
    }
    out += rtrim(fmt::format("{}{}", indent, text.substr(0, take))) + "\n";
    text.remove_prefix(take);
    while (text.starts_with(' ')) {
      text.remove_prefix(1);
    }
    indent = rest;
  } while (!text.empty());
  return out;
}

std::string table_of(const std::vector<PassReport>& passes) {
  std::vector<Cells> lines{{"pass", "state", "candidates", "matches", "nodes", "time", "rule"}};
  for (const PassReport& pass : passes) {
    lines.push_back(cells_of(pass));
  }
  std::array<std::size_t, 7> width{};
  for (const Cells& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      width[i] = std::max(width[i], line[i].size());
    }
  }
  std::string text;
  for (const Cells& c : lines) {
    const std::string left = fmt::format("{:<{}}  {:<{}}  {:>{}}  {:>{}}  {:>{}}  {:>{}}  ", c[0], width[0], c[1],
                                         width[1], c[2], width[2], c[3], width[3], c[4], width[4], c[5], width[5]);
    text += wrapped(left, std::string(left.size(), ' '), c[6]);
  }
  return text;
}

std::string details_of(const PassReport& pass) {
  std::string text;
  for (const NearMiss& miss : pass.near_misses) {
    std::string line = fmt::format("{}: {}", counted(miss.count, "near miss"), miss.predicate);
    if (!miss.example.empty()) {
      line += fmt::format("; for example {}", miss.example);
    }
    if (!miss.where.empty()) {
      line += fmt::format(", at {}", miss.where);
    }
    text += wrapped("  ", "    ", line);
  }
  for (const std::string& note : pass.notes) {
    text += wrapped("  ", "    ", note);
  }
  return text.empty() ? text : fmt::format("{}:\n{}", pass.name, text);
}

}  // namespace

std::string to_text(const DecisionReport& report) {
  std::string text = fmt::format("decision report: {} for {}\n", report.graph, report.target);
  std::string settings = fmt::format("level {}, numerics {}", to_string(report.level), to_string(report.numerics));
  for (const auto& [name, toggle] : report.flags) {
    settings += fmt::format(", {} = {}", name, to_string(toggle));
  }
  text += wrapped("", "  ", settings) + "\n" + table_of(report.passes) + "\n";
  std::string details;
  for (const PassReport& pass : report.passes) {
    details += details_of(pass);
  }
  if (!details.empty()) {
    text += details + "\n";
  }
  text += fmt::format("{} before, {} after; {}\n", counted(report.nodes_before, "node"), report.nodes_after,
                      time_of(report.seconds));
  return text;
}

}  // namespace tandem
