// Names that nothing reads, reals that must be equal to the bit, attributes that are ignored.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/lint.h>
#include <tandem/passes/pattern/lint_guards.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

std::string base_name(const std::string& name) {
  return name.ends_with("...") ? name.substr(0, name.size() - 3) : name;
}

class NameLinter {
 public:
  NameLinter(Context& context, const Pattern& pattern) : context_(context), pattern_(pattern) {}

  std::vector<Diagnostic> run() {
    read_everything();
    for (const std::string& d : pattern_.dims) {
      if (!names_.contains(d))
        unused(pattern_.span, "dim", d);
    }
    for (const TypeVariable& t : pattern_.types) {
      if (!names_.contains(t.name))
        unused(pattern_.span, "type variable", t.name);
    }
    for (const auto& [capture, seen] : captures_) {
      if (seen.count < 2) {
        add("lint.unused-name", Severity::warning, seen.span,
            fmt::format("capture '${}' is bound and read nowhere else: any value matches, and it is dropped", capture),
            "carry it over to the right side, fix its value, or write '= any' if it really does not matter");
      }
    }
    for (const Definition& d : pattern_.definitions) {
      if (!definitions_.contains(d.name))
        unused(d.span, "definition", d.name);
    }
    for (const RewriteNode& n : pattern_.rewrite) {
      const bool read =
          std::any_of(n.results.begin(), n.results.end(), [&](const std::string& r) { return made_.contains(r); });
      if (!read)
        add("lint.unused-name", Severity::warning, n.span, fmt::format("nothing reads what the new {} computes", n.op),
            "remove the node, or replace a matched value by its result");
    }
    return std::move(out_);
  }

 private:
  struct Seen {
    std::size_t count = 0;
    Span span;
  };

  void add(std::string_view code, Severity severity, const Span& span, std::string message, std::string help) {
    Diagnostic d = pattern_problem(pattern_, span, code, std::move(message), std::move(help));
    d.severity = severity;
    out_.push_back(std::move(d));
  }

  void unused(const Span& span, std::string_view what, const std::string& name) {
    add("lint.unused-name", Severity::warning, span, fmt::format("{} '{}' is declared and never used", what, name),
        "remove it, or say with it what was meant");
  }

  void read(const Expr& e, const Span& span) {
    if (e.kind == Expr::Kind::name)
      names_.insert(e.text);
    if (e.kind == Expr::Kind::capture) {
      Seen& seen = captures_[e.text];
      if (seen.count++ == 0)
        seen.span = span;
    }
    for (const Expr& a : e.args)
      read(a, span);
  }

  void read(const TypePattern& t, const Span& span) {
    names_.insert(t.dtype);
    for (const Expr& e : t.dims)
      read(e, span);
  }

  void read(const std::vector<Clause>& clauses, bool negative) {
    for (const Clause& c : clauses) {
      if (c.kind == Clause::Kind::use)
        definitions_.insert(c.name);
      for (const auto& branch : c.branches)
        read(branch, negative || c.kind == Clause::Kind::unless);
      for (const TypePattern& t : c.node.types)
        read(t, c.node.span);
      for (const AttrPattern& a : c.node.attrs) {
        const Span& span = a.span.line != 0 ? a.span : c.node.span;
        read(a.value, span);
        float_equality(a, span);
        if (a.compare == Compare::any && !negative && !c.node.keep)  // what stays computes what it did
          ignored(c.node, a, span);
      }
      for (const ThroughPattern& t : c.node.through) {
        for (const AttrPattern& a : t.attrs) {
          read(a.value, a.span.line != 0 ? a.span : t.span);
          float_equality(a, a.span.line != 0 ? a.span : t.span);
        }
      }
    }
  }

  void read_everything() {
    for (const InputPattern& in : pattern_.inputs)
      read(in.type, in.span);
    read(pattern_.match, false);
    for (const Definition& d : pattern_.definitions)
      read(d.body, false);
    for (const Guard& g : pattern_.where) {
      for (const Expr& e : g.args)
        read(e, g.span);
      if (g.predicate.empty() && (g.compare == Compare::equal || g.compare == Compare::not_equal)) {
        for (const Expr& e : g.args) {
          const Expr& other = g.args[&e == &g.args[0] && g.args.size() > 1 ? 1 : 0];
          inexact_real(e, g.span, [&](double x) { return "give bounds: " + bounds(to_string(other), x); });
        }
      }
    }
    for (const RewriteNode& n : pattern_.rewrite) {
      for (const AttrPattern& a : n.attrs)
        read(a.value, a.span);
      for (const std::string& o : n.operands)
        made_.insert(base_name(o));
    }
    for (const Replacement& r : pattern_.replacements)
      made_.insert(r.replacement);
  }

  void float_equality(const AttrPattern& a, const Span& span) {
    if (a.compare == Compare::equal || a.compare == Compare::not_equal || a.compare == Compare::one_of) {
      inexact_real(a.value, span, [&](double x) {
        return fmt::format("capture it ({0} = ${0}), or give bounds: {1}", a.name, bounds(a.name, x));
      });
    }
  }

  /// Around all formats in which a model may have kept the number: bf16 has 8 bits.
  static std::string bounds(const std::string& what, double x) {
    const double slack = std::abs(x) * 0.01;
    return fmt::format("{0} > {1:.3g}, {0} < {2:.3g}", what, x - slack, x + slack);
  }

  /// 2.0 and 0.125 are what they are in every format; 1e-06 is not: a graph that came through f32 has another double.
  template <class Advice>
  void inexact_real(const Expr& e, const Span& span, const Advice& advice) {
    if (e.kind == Expr::Kind::real && std::isfinite(e.real) &&
        static_cast<double>(static_cast<float>(e.real)) != e.real) {
      add("lint.float-equality", Severity::warning, span,
          fmt::format(
              "{} is compared to the bit, and f32 has no such number: a graph that keeps it as f32 does not match",
              to_string(e)),
          advice(e.real));
    }
    for (const Expr& a : e.args)
      inexact_real(a, span, advice);
  }

  /// A shape that is ignored is most often determined by the type of the result.
  void ignored(const NodePattern& n, const AttrPattern& a, const Span& span) {
    const auto op = context_.find_op(n.op);
    const bool typed = std::any_of(n.types.begin(), n.types.end(), [](const TypePattern& t) { return t.has_shape; });
    if (typed && (a.name == "shape" || a.name == "sizes"))
      return;
    const bool has_dtype =
        std::any_of(n.types.begin(), n.types.end(), [](const TypePattern& t) { return !t.dtype.empty(); });
    if (has_dtype && a.name == "dtype")
      return;
    if (n.op == "rms_norm" && n.operands.size() == 1 && a.name == "round_before_weight")
      return;  // there is no weight to round before
    add("lint.ignored-attribute", Severity::warning, span,
        fmt::format("whatever '{}' of {} is, the rewrite is the same{}", a.name, n.op, op ? "" : " (unknown op)"),
        "capture it and carry it over, fix it, or type the result where that determines it");
  }

  Context& context_;
  const Pattern& pattern_;
  std::set<std::string> names_, definitions_, made_;
  std::map<std::string, Seen> captures_;
  std::vector<Diagnostic> out_;
};

}  // namespace

std::vector<Diagnostic> lint_fusion(const std::shared_ptr<Context>& context, const Pattern& pattern) {
  const auto set = compile(context, {pattern});
  std::vector<Diagnostic> out = NameLinter(*context, pattern).run();
  lint_guards(pattern, out);
  return out;
}

}  // namespace tandem
