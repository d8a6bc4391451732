#include <tandem/passes/pattern/expand.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/between.h>
#include <tandem/passes/pattern/renaming.h>

namespace tandem {

namespace {

constexpr std::size_t max_definition_depth = 16;  // each may use another twice, and so on

[[noreturn]] void fail(const Pattern& p, const Span& span, std::string_view code, std::string message,
                       std::string help = {}) {
  const Span& at = span.line != 0 ? span : p.span;
  throw Error(Diagnostic{.code = std::string(code),
                         .where = {.file = at.file, .line = at.line, .column = at.column, .path = {}},
                         .message = fmt::format("fusion '{}': {}", p.name, message),
                         .help = std::move(help),
                         .notes = {},
                         .source_line = {}});
}

// --- families: names of ops, dtypes and dims are replaced by the member's
// -------------------------------------------------

void substitute_family(TypePattern& type, const Renaming& names) {
  type.dtype = renamed(names, type.dtype);
  for (Expr& d : type.dims)
    rename(d, names, Expr::Kind::name);
}

void substitute_family(std::vector<Clause>& clauses, const Renaming& names) {
  for (Clause& c : clauses) {
    c.node.op = renamed(names, c.node.op);
    for (TypePattern& t : c.node.types)
      substitute_family(t, names);
    for (AttrPattern& a : c.node.attrs)
      rename(a.value, names, Expr::Kind::name);
    for (ThroughPattern& t : c.node.through) {
      t.op = renamed(names, t.op);
      for (AttrPattern& a : t.attrs)
        rename(a.value, names, Expr::Kind::name);
    }
    for (auto& branch : c.branches)
      substitute_family(branch, names);
  }
}

void substitute_family(Pattern& p, const Renaming& names) {
  substitute_family(p.match, names);
  for (Definition& d : p.definitions)
    substitute_family(d.body, names);
  for (InputPattern& i : p.inputs)
    substitute_family(i.type, names);
  for (TypeVariable& t : p.types) {
    for (std::string& d : t.dtypes)
      d = renamed(names, d);
  }
  for (Guard& g : p.where) {
    for (Expr& e : g.args)
      rename(e, names, Expr::Kind::name);
  }
  for (RewriteNode& n : p.rewrite) {
    n.op = renamed(names, n.op);
    for (AttrPattern& a : n.attrs)
      rename(a.value, names, Expr::Kind::name);
  }
  for (std::string& k : p.kernels)
    k = renamed(names, k);
}

// --- clauses
// -----------------------------------------------------------------------------------------------------------------

/// A conjunction under construction: the nodes chosen so far and the names that stand for others.
struct Partial {
  std::vector<Clause> nodes;
  Renaming aliases;  // an absent optional node's result -> its operand
  std::string choice;
};

class Expander {
 public:
  explicit Expander(const Pattern& pattern) : pattern_(pattern) {}

  std::vector<Partial> run() { return expand_all(pattern_.match, {Partial{}}); }

 private:
  std::vector<Partial> expand_all(const std::vector<Clause>& clauses, std::vector<Partial> partials) {
    for (const Clause& c : clauses) {
      std::vector<Partial> next;
      for (const Partial& p : partials)
        expand_one(c, p, next);
      if (next.size() > max_variants) {
        fail(pattern_, c.span, "pattern.too-many-variants",
             fmt::format("alternatives and optional nodes multiply to more than {} variants", max_variants),
             "split the fusion into several");
      }
      partials = std::move(next);
    }
    return partials;
  }

  void expand_one(const Clause& c, const Partial& partial, std::vector<Partial>& out) {
    switch (c.kind) {
      case Clause::Kind::node: {
        Partial with = partial;
        with.nodes.push_back(c);
        with.nodes.back().node.optional = false;
        if (!c.node.optional) {
          out.push_back(std::move(with));
          return;
        }
        if (c.node.operands.size() != 1 || c.node.results.size() != 1) {
          fail(pattern_, c.span, "pattern.optional", "an optional node must have one operand and one result");
        }
        note(with, fmt::format("with {} at line {}", c.node.op, c.span.line));
        out.push_back(std::move(with));
        Partial without = partial;
        without.aliases[c.node.results[0]] = c.node.operands[0];
        note(without, fmt::format("without {} at line {}", c.node.op, c.span.line));
        out.push_back(std::move(without));
        return;
      }
      case Clause::Kind::either:
        for (std::size_t i = 0; i < c.branches.size(); ++i) {
          Partial branch = partial;
          note(branch, fmt::format("alternative {}", i + 1));
          for (Partial& p : expand_all(c.branches[i], {std::move(branch)}))
            out.push_back(std::move(p));
        }
        return;
      case Clause::Kind::unless: {
        Partial with = partial;
        with.nodes.push_back(c);
        auto inner = expand_all(c.branches[0], {Partial{}});
        with.nodes.back().branches.clear();
        // "Unless a or b" is "unless a and unless b": one branch for each variant of the negated part.
        for (Partial& p : inner) {
          apply_aliases(p);
          with.nodes.back().branches.push_back(std::move(p.nodes));
        }
        out.push_back(std::move(with));
        return;
      }
      case Clause::Kind::use: {
        if (std::find(open_.begin(), open_.end(), c.name) != open_.end())
          fail(pattern_, c.span, "pattern.recursive-definition", fmt::format("'{}' uses itself", c.name));
        if (open_.size() >= max_definition_depth) {
          fail(pattern_, c.span, "pattern.nesting",
               fmt::format("definitions that use definitions, {} deep, are above the limit", open_.size() + 1));
        }
        const auto it = std::find_if(pattern_.definitions.begin(), pattern_.definitions.end(),
                                     [&](const Definition& d) { return d.name == c.name; });
        if (it == pattern_.definitions.end()) {
          std::vector<std::string_view> names;
          for (const Definition& d : pattern_.definitions)
            names.push_back(d.name);
          fail(pattern_, c.span, "pattern.unknown-definition",
               fmt::format("no definition '{}'{}", c.name, did_you_mean(c.name, names)));
        }
        if (it->params.size() != c.args.size() || it->results.size() != c.results.size()) {
          fail(pattern_, c.span, "pattern.arity",
               fmt::format("'{}' takes {} and gives {}, not {} and {}", c.name, counted(it->params.size(), "value"),
                           it->results.size(), c.args.size(), c.results.size()));
        }
        Renaming names;
        for (std::size_t i = 0; i < c.args.size(); ++i)
          names[it->params[i]] = c.args[i];
        for (std::size_t i = 0; i < c.results.size(); ++i)
          names[it->results[i]] = c.results[i];
        std::vector<Clause> body = it->body;
        // What a definition binds inside is private to each use of it.
        const int use = ++uses_;
        for_each_value(body, [&](const std::string& v) {
          if (v != "_" && !names.contains(v))
            names[v] = fmt::format("{}.{}.{}", c.name, use, v);
        });
        rename_values(body, names);
        open_.push_back(c.name);
        for (Partial& p : expand_all(body, {partial}))
          out.push_back(std::move(p));
        open_.pop_back();
        return;
      }
    }
  }

  template <class F>
  static void for_each_value(const std::vector<Clause>& clauses, F&& f) {
    auto visit = [&](const std::string& v) { f(is_rest(v) ? v.substr(0, v.size() - 3) : v); };
    for (const Clause& c : clauses) {
      for (const std::string& v : c.node.operands)
        visit(v);
      for (const std::string& v : c.node.results)
        visit(v);
      for (const std::string& v : c.args)
        visit(v);
      for (const std::string& v : c.results)
        visit(v);
      for (const auto& b : c.branches)
        for_each_value(b, f);
    }
  }

  static void note(Partial& p, const std::string& text) { p.choice += (p.choice.empty() ? "" : ", ") + text; }

 public:
  /// Resolves chains of absent optional nodes and renames accordingly.
  static void apply_aliases(Partial& p) {
    for (auto& [from, to] : p.aliases) {
      for (auto it = p.aliases.find(to); it != p.aliases.end(); it = p.aliases.find(to))
        to = it->second;
    }
    rename_values(p.nodes, p.aliases);
  }

 private:
  const Pattern& pattern_;
  int uses_ = 0;
  std::vector<std::string> open_;  // definitions that are being expanded, each inside the one before
};

void add_variants(const Pattern& pattern, const std::string& family_choice, std::vector<Variant>& out) {
  for (Partial& partial : Expander(pattern).run()) {
    Expander::apply_aliases(partial);
    Variant v;
    v.pattern = pattern;
    v.pattern.families.clear();
    v.pattern.definitions.clear();
    v.pattern.match = std::move(partial.nodes);
    for (RewriteNode& n : v.pattern.rewrite) {
      for (std::string& o : n.operands)
        o = renamed(partial.aliases, o);
    }
    for (Replacement& r : v.pattern.replacements) {
      r.matched = renamed(partial.aliases, r.matched);
      r.replacement = renamed(partial.aliases, r.replacement);
    }
    for (Guard& g : v.pattern.where) {
      for (Expr& e : g.args)
        rename_values(e, partial.aliases);
    }
    v.choice = family_choice + (family_choice.empty() || partial.choice.empty() ? "" : ", ") + partial.choice;
    for (Variant& form : with_shared_nodes(std::move(v))) {
      leave_to_others(form.pattern);
      out.push_back(std::move(form));
    }
    if (out.size() > max_variants) {
      fail(pattern, pattern.span, "pattern.too-many-variants",
           fmt::format("the fusion expands to more than {} variants", max_variants), "split it into several fusions");
    }
  }
}

}  // namespace

std::vector<Variant> expand(const Context& context, const Pattern& pattern) {
  std::vector<Variant> out;
  std::vector<std::pair<Pattern, std::string>> members = {{pattern, ""}};
  for (const Family& family : pattern.families) {
    std::vector<std::pair<Pattern, std::string>> next;
    for (const auto& [member, choice] : members) {
      for (const std::string& value : family.values) {
        Pattern p = member;
        substitute_family(p, {{family.variable, value}});
        next.emplace_back(std::move(p),
                          fmt::format("{}{}{} = {}", choice, choice.empty() ? "" : ", ", family.variable, value));
        if (next.size() > max_variants) {
          fail(pattern, pattern.span, "pattern.too-many-variants",
               fmt::format("the families multiply to more than {} members", max_variants),
               "split it into several fusions");
        }
      }
    }
    members = std::move(next);
  }
  for (auto& [member, choice] : members) {
    expand_between(context, member);
    add_variants(member, choice, out);
  }
  return out;
}

}  // namespace tandem
