// The canonical form of `.fusion` text.

#include <tandem/passes/pattern/text.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <tandem/passes/pattern/text_comments.h>
#include <tandem/passes/pattern/text_parser.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem {

namespace {

using namespace fusion_text;

constexpr std::size_t widest = 110;  // a longer statement has its attributes on a line of their own

template <class T, class F>
std::string joined(const std::vector<T>& items, F&& spell) {
  std::string out;
  for (const T& item : items) {
    if (&item != items.data())
      out += ", ";
    out += spell(item);
  }
  return out;
}

std::string values(const std::vector<std::string>& names) {
  return joined(names, spell_operand);
}
std::string names(const std::vector<std::string>& list) {
  return joined(list, spell_name);
}

std::string set(const Expr& list) {
  return "{" + joined(list.args, [](const Expr& e) { return to_string(e); }) + "}";
}

std::string attribute(const AttrPattern& a) {
  const std::string name = spell_name(a.name);
  switch (a.compare) {
    case Compare::equal: return name + " = " + to_string(a.value);
    case Compare::any: return name + " = any";
    case Compare::one_of: return name + " in " + set(a.value);
    default: return fmt::format("{} {} {}", name, spell_compare(a.compare), to_string(a.value));
  }
}

std::string input(const InputPattern& in) {
  const bool any = in.type.dtype.empty() && !in.type.has_shape;
  return spell_value(in.name) + (any ? "" : ": " + to_string(in.type));
}

/// "%x through cast? through reshape {shape = [Q]}"
std::string operands(const NodePattern& n) {
  std::string out;
  auto step = n.through.begin();
  for (std::size_t i = 0; i < n.operands.size(); ++i) {
    out += (i == 0 ? "" : ", ") + spell_operand(n.operands[i]);
    for (; step != n.through.end() && step->operand == i; ++step) {
      out += " through " + spell_name(step->op);
      if (!step->attrs.empty())
        out += " {" + joined(step->attrs, attribute) + "}";
      out += step->optional ? "?" : "";
    }
  }
  return out;
}

class FusionWriter {
 public:
  explicit FusionWriter(const CommentTable* comments) : comments_(comments) {}

  void fusion(const Pattern& p) {
    pattern_ = &p;
    defined_.clear();
    for (const Definition& d : p.definitions)
      defined_.insert(d.name);
    const Position at = position_of(p.span);
    line(at, 0, "fusion " + spell_name(p.name) + " {");
    header(p);
    for (const Definition& d : p.definitions) {
      const std::string results = d.results.empty() ? "" : " -> " + values(d.results);
      out_ += '\n';
      block(position_of(d.span), fmt::format("define {}({}){}", spell_name(d.name), values(d.params), results),
            [&] { clauses(d.body, 2); });
    }
    if (!p.inputs.empty() || !p.match.empty()) {
      out_ += '\n';
      block(section("match"), "match", [&] {
        inputs(p.inputs);
        clauses(p.match, 2);
      });
    }
    if (!p.where.empty()) {
      block(section("where"), "where", [&] {
        for (const Guard& g : p.where)
          item(position_of(g.span), 2, to_string(g));
      });
    }
    if (!p.rewrite.empty() || !p.replacements.empty()) {
      block(section("rewrite"), "rewrite", [&] { rewrite(p); });
    }
    out_ += "}\n";
    after(at, 0);
  }

  void separate() { out_ += '\n'; }
  std::string take() { return std::move(out_); }

 private:
  const CommentsOf& comments(Position at) const {
    static const CommentsOf none;
    return comments_ == nullptr ? none : comments_->at(at);
  }
  Position section(const char* name) const {
    return comments_ == nullptr ? Position{} : comments_->section(position_of(pattern_->span), name);
  }
  bool was_written(const char* name) const { return section(name) != Position{}; }

  void lines(const std::vector<std::string>& text, std::size_t level) {
    for (const std::string& l : text) {
      if (!l.empty())
        out_.append(2 * level, ' ').append(l);
      out_ += '\n';
    }
  }
  void line(Position at, std::size_t level, const std::string& text) {
    const CommentsOf& c = comments(at);
    lines(c.before, level);
    out_.append(2 * level, ' ').append(text);
    if (!c.behind.empty())
      out_ += "  " + c.behind;
    out_ += '\n';
  }
  void after(Position at, std::size_t level) { lines(comments(at).after, level); }
  void item(Position at, std::size_t level, const std::string& text) {
    line(at, level, text);
    after(at, level);
  }

  template <class F>
  void block(Position at, const std::string& head, F&& body) {
    line(at, 1, head + " {");
    body();
    out_ += "  }\n";
    after(at, 1);
  }

  void header(const Pattern& p) {
    const auto row = [&](const char* name, const std::string& text) {
      item(section(name), 1, fmt::format("{:<9} {}", name, text));
    };
    if (!p.doc.empty() || was_written("doc"))
      row("doc", spell_quoted(p.doc));
    row("level", std::string(to_string(p.level)));
    if (!p.pass.empty())
      row("pass", spell_name(p.pass));
    if (!p.flag.empty())
      row("flag", spell_name(p.flag));
    if (p.numerics != Numerics::exact || was_written("numerics"))
      row("numerics", std::string(to_string(p.numerics)));
    if (p.benefit != 0 || was_written("benefit"))
      row("benefit", std::to_string(p.benefit));
    if (!p.kernels.empty()) {
      row("requires", joined(p.kernels, [](const std::string& k) { return "kernel(" + spell_name(k) + ")"; }));
    }
    if (!p.platforms.empty())
      row("platforms", names(p.platforms));
    for (const Family& f : p.families) {
      const std::string text = fmt::format("{} in {{{}}}", spell_name(f.variable), names(f.values));
      // The comments of all families stand at the first.
      if (&f == p.families.data())
        row("for", text);
      else
        item({}, 1, fmt::format("{:<9} {}", "for", text));
    }
    if (!p.types.empty()) {
      row("types", joined(p.types, [](const TypeVariable& t) {
            return spell_name(t.name) + (t.dtypes.empty() ? "" : " in {" + names(t.dtypes) + "}");
          }));
    }
    if (!p.dims.empty())
      row("dims", names(p.dims));
  }

  void inputs(const std::vector<InputPattern>& list) {
    if (list.empty())
      return;
    bool together = true;
    for (const InputPattern& in : list) {
      const CommentsOf& c = comments(position_of(in.span));
      if (!c.behind.empty() || !c.after.empty() || (&in != list.data() && !c.before.empty()))
        together = false;
    }
    const std::string all = "in " + joined(list, input);
    if (together && all.size() + 4 <= widest)
      return item(position_of(list[0].span), 2, all);
    for (const InputPattern& in : list)
      item(position_of(in.span), 2, "in " + input(in));
  }

  bool is_defined(const std::string& name) const { return defined_.contains(name); }

  void clauses(const std::vector<Clause>& list, std::size_t level) {
    for (const Clause& c : list)
      clause(c, level);
  }

  void clause(const Clause& c, std::size_t level) {
    const Position at = position_of(c.span);
    switch (c.kind) {
      case Clause::Kind::node: return node(c.node, at, level);
      case Clause::Kind::use: {
        const std::string results = c.results.empty() ? "" : values(c.results) + " = ";
        return item(
            at, level,
            fmt::format("{}{}{}({})", is_defined(c.name) ? "" : "use ", results, spell_name(c.name), values(c.args)));
      }
      case Clause::Kind::either: return branches(c, "either", "or", at, level);
      // "Unless a or b" is "unless a and unless b".
      case Clause::Kind::unless: return branches(c, "unless", "unless", at, level);
    }
  }

  void branches(const Clause& c, std::string_view first, std::string_view further, Position at, std::size_t level) {
    const std::string indent(2 * level, ' ');
    const bool joined_up = further == "or";
    lines(comments(at).before, level);
    if (!comments(at).behind.empty())
      lines({comments(at).behind}, level);
    for (std::size_t i = 0; i < c.branches.size(); ++i) {
      const Position brace = comments_ == nullptr ? Position{} : comments_->branch(at, i);
      const CommentsOf& of = comments(brace);
      lines(of.before, i == 0 ? level : level + 1);
      if (i == 0)
        out_ += indent + std::string(first) + " {";
      else if (joined_up)
        out_ += indent + "} or {";
      else
        out_ += indent + "}\n" + indent + std::string(further) + " {";
      if (!of.behind.empty())
        out_ += "  " + of.behind;
      out_ += '\n';
      clauses(c.branches[i], level + 1);
      lines(of.after, level + 1);
    }
    out_ += indent + "}\n";
    after(at, level);
  }

  void node(const NodePattern& n, Position at, std::size_t level) {
    std::string head;
    if (n.keep)
      head += "keep ";
    if (n.recompute)
      head += "recompute ";
    if (n.optional)
      head += "optional ";
    if (is_defined(n.op))
      head += "node ";
    std::string types;
    if (!n.types.empty())
      types = " : " + joined(n.types, [](const TypePattern& t) { return to_string(t); });
    operation(std::move(head), n.results, n.op, operands(n), n.attrs, types, at, level);
  }

  void operation(std::string head, const std::vector<std::string>& results, const std::string& op,
                 const std::string& operands, const std::vector<AttrPattern>& attrs, const std::string& types,
                 Position at, std::size_t level) {
    if (!results.empty())
      head += values(results) + " = ";
    head += spell_name(op) + "(" + operands + ")";
    const std::string rest = (attrs.empty() ? "" : "{" + joined(attrs, attribute) + "}") + types;
    const std::size_t width = 2 * level + head.size() + 1 + rest.size();
    if (!attrs.empty() && width > widest) {
      line(at, level, head);
      out_.append(2 * level + 4, ' ').append(rest).append("\n");
      return after(at, level);
    }
    item(at, level, head + (attrs.empty() ? "" : " ") + rest);
  }

  void rewrite(const Pattern& p) {
    for (const RewriteNode& n : p.rewrite) {
      operation("", n.results, n.op, values(n.operands), n.attrs, "", position_of(n.span), 2);
    }
    for (const Replacement& r : p.replacements) {
      item(position_of(r.span), 2, spell_operand(r.matched) + " = " + spell_operand(r.replacement));
    }
  }

  const CommentTable* comments_;
  const Pattern* pattern_ = nullptr;
  std::set<std::string_view> defined_;  // names of its definitions
  std::string out_;
};

std::string write(std::span<const Pattern> patterns, const CommentTable* comments) {
  FusionWriter writer(comments);
  for (const Pattern& p : patterns) {
    if (&p != patterns.data())
      writer.separate();
    writer.fusion(p);
  }
  return writer.take();
}

}  // namespace

std::string format(const Pattern& pattern) {
  return write({&pattern, 1}, nullptr);
}
std::string format(std::span<const Pattern> patterns) {
  return write(patterns, nullptr);
}

std::string format_text(std::string_view text, std::string_view file) {
  fusion_text::CommentTable comments;
  const std::vector<Pattern> patterns = fusion_text::parse(text, file, &comments);
  return write(patterns, &comments);
}

}  // namespace tandem
