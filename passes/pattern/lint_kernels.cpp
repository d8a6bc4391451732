// What a fusion admits against what kernels take.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/passes/pattern/lint.h>
#include <tandem/passes/pattern/lint_guards.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

bool counts(const Pattern& pattern, const Capabilities& target) {
  return pattern.platforms.empty() || std::find(pattern.platforms.begin(), pattern.platforms.end(),
                                                to_string(target.platform)) != pattern.platforms.end();
}

/// The type that the match gives a value; null when it gives none.
const TypePattern* type_of(const std::vector<Clause>& clauses, const std::string& value) {
  for (const Clause& c : clauses) {
    for (std::size_t i = 0; i < c.node.types.size() && i < c.node.results.size(); ++i) {
      if (c.node.results[i] == value)
        return &c.node.types[i];
    }
    for (const auto& branch : c.branches) {
      if (const TypePattern* t = type_of(branch, value))
        return t;
    }
  }
  return nullptr;
}

/// Last axes of what new nodes of an op read, as far as the match says what they are.
std::vector<Expr> last_axes(const Pattern& pattern, const std::string& op) {
  std::vector<Expr> axes;
  for (const RewriteNode& n : pattern.rewrite) {
    for (const std::string& operand : n.operands) {
      const auto in = std::find_if(pattern.inputs.begin(), pattern.inputs.end(),
                                   [&](const InputPattern& i) { return i.name == operand; });
      const TypePattern* t = in != pattern.inputs.end() ? &in->type : type_of(pattern.match, operand);
      if (n.op == op && t != nullptr && !t->dims.empty() &&
          std::find(axes.begin(), axes.end(), t->dims.back()) == axes.end())
        axes.push_back(t->dims.back());
    }
  }
  return axes;
}

}  // namespace

std::vector<Diagnostic> lint_kernels(const Pattern& pattern, std::span<const Capabilities> targets) {
  std::vector<Diagnostic> out;
  const auto add = [&](std::string_view code, std::string message, std::string help) {
    Diagnostic d = pattern_problem(pattern, pattern.span, code, std::move(message), std::move(help));
    d.severity = Severity::note;
    out.push_back(std::move(d));
  };
  for (const std::string& kernel : pattern.kernels) {
    std::set<DType> offered;
    std::set<std::string> limits;
    bool implied = true;
    const std::vector<Expr> axes = last_axes(pattern, kernel);
    for (const Capabilities& target : targets) {
      for (const KernelOffer& offer : target.kernels) {
        if (offer.op != kernel || !counts(pattern, target))
          continue;
        offered.insert(offer.dtypes.begin(), offer.dtypes.end());
        if (offer.max_hidden > 0) {
          std::string missing;
          for (const Expr& e : axes) {
            const auto most = upper_bound(pattern, e);
            if (!most || *most > static_cast<double>(offer.max_hidden))
              missing +=
                  fmt::format("{} {} <= {}", missing.empty() ? "; no guard says" : ",", to_string(e), offer.max_hidden);
          }
          implied = implied && missing.empty() && !axes.empty();
          limits.insert(fmt::format("{}: a last axis of at most {}{}", offer.provider, offer.max_hidden, missing));
        }
        for (const std::string& condition : offer.preconditions)
          limits.insert(fmt::format("{}: {}", offer.provider, condition));
      }
    }
    std::vector<std::string_view> missing;
    for (const TypeVariable& t : pattern.types) {
      for (const std::string& d : t.dtypes) {
        if (!offered.contains(*parse_dtype(d)) && std::find(missing.begin(), missing.end(), d) == missing.end())
          missing.push_back(d);
      }
    }
    if (offered.empty()) {
      add("lint.kernel-dtypes",
          fmt::format("no provider of its platforms has a kernel of {}: the fusion never runs", kernel),
          "add a kernel and its row in passes/capabilities.cpp, or register the engine's own");
    } else if (!missing.empty()) {
      add("lint.kernel-dtypes",
          fmt::format("it admits {}, for which no provider of its platforms has {}: such sites are refused",
                      fmt::join(missing, ", "), kernel),
          "leave these dtypes out of 'types', or add the kernels");
    }
    if (!implied) {
      add("lint.kernel-limit", fmt::format("kernels of {} have conditions that no guard implies", kernel),
          "where they do not hold the provider is passed over at run time; a guard says so before");
      out.back().notes.assign(limits.begin(), limits.end());
    }
  }
  return out;
}

}  // namespace tandem
