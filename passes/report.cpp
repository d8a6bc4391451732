// What is asked of a report: counts by name, and whether they are those that were expected.

#include <tandem/ir/counted.h>
#include <tandem/passes/report.h>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace tandem {

std::int64_t DecisionReport::matches(std::string_view name) const {
  std::int64_t sum = -1;
  for (const PassReport& pass : passes) {
    if (pass.name == name) {
      sum = std::max<std::int64_t>(sum, 0) + static_cast<std::int64_t>(pass.matches);
    }
  }
  return sum;
}

const PassReport* DecisionReport::find(std::string_view name) const {
  const auto it = std::find_if(passes.begin(), passes.end(), [&](const PassReport& p) { return p.name == name; });
  return it == passes.end() ? nullptr : &*it;
}

Expectation parse_expectation(std::string_view text) {
  const std::size_t equals = text.rfind('=');
  Expectation expectation;
  if (equals != std::string_view::npos && equals != 0) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + equals + 1, end, expectation.matches);
    if (error == std::errc() && stop == end) {
      expectation.name = text.substr(0, equals);
      return expectation;
    }
  }
  throw Error("expect.syntax", fmt::format("'{}' is not an expectation", text),
              "write NAME=N, such as mla_dual_rms_norm=61");
}

std::vector<Diagnostic> check_expectations(const DecisionReport& report, std::span<const Expectation> expectations) {
  std::vector<Diagnostic> findings;
  for (const Expectation& e : expectations) {
    Diagnostic d;
    const PassReport* const entry = report.find(e.name);
    if (entry == nullptr) {
      std::vector<std::string_view> names;
      for (const PassReport& pass : report.passes) {
        if (std::find(names.begin(), names.end(), pass.name) == names.end()) {
          names.push_back(pass.name);
        }
      }
      d.code = "expect.unknown-name";
      d.message = fmt::format("no pass or fusion '{}' is in the report{}", e.name, did_you_mean(e.name, names));
      d.help = fmt::format("it has {}", fmt::join(names, ", "));
      findings.push_back(std::move(d));
      continue;
    }
    const std::int64_t matches = report.matches(e.name);
    if (matches == static_cast<std::int64_t>(e.matches)) {
      continue;
    }
    d.code = "expect.matches";
    d.message = fmt::format("'{}' matched {}, expected {}", e.name, counted(matches, "time"), e.matches);
    for (const PassReport& pass : report.passes) {
      if (pass.name != e.name) {
        continue;
      }
      d.notes.push_back(fmt::format("{} is {}: {}", pass.name, pass.on ? "on" : "off", pass.rule));
      if (pass.is_fusion)
        d.help = fmt::format(
            "'tandem explain GRAPH --fusion {}', with the same options, says of each site what is in the way",
            pass.name);
      for (const NearMiss& miss : pass.near_misses) {
        d.notes.push_back(fmt::format("{}: {}; {}", counted(miss.count, "near miss"), miss.predicate, miss.example));
      }
    }
    findings.push_back(std::move(d));
  }
  return findings;
}

}  // namespace tandem
