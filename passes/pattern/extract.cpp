#include <tandem/passes/pattern/extract.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/draw.h>
#include <tandem/passes/pattern/generalise.h>
#include <tandem/passes/pattern/program.h>
#include <tandem/passes/pattern/text.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem {

namespace {

class Extractor {
 public:
  Extractor(const Graph& graph, std::span<const Node> nodes, std::string_view name)
      : graph_(graph), names_(graph), nodes_(nodes.begin(), nodes.end()), name_(name) {
    std::sort(nodes_.begin(), nodes_.end(), [&](Node a, Node b) { return graph.comes_before(a, b); });
    nodes_.erase(std::unique(nodes_.begin(), nodes_.end()), nodes_.end());
    for (const Node n : nodes_)
      inside_.insert(n.index);
  }

  Pattern run() {
    if (nodes_.empty())
      throw Error("extract.no-nodes", "there is nothing to extract", "name the results of the nodes: %q,%qn");
    if (nodes_.size() > max_pattern_nodes) {
      throw Error("extract.too-large",
                  fmt::format("{} nodes are more than a pattern may have, {}", nodes_.size(), max_pattern_nodes),
                  "extract fewer, or split the fusion into several");
    }
    check_connected();
    check_read();
    choose_kept();
    check_convex();
    return build();
  }

 private:
  std::string name_of(Value v) const { return "%" + std::string(names_[v]); }

  template <class F>
  void for_each_value(Node n, F&& f) const {
    for (std::size_t i = 0; i < graph_.num_operands(n); ++i)
      f(graph_.operand(n, i));
    for (std::size_t i = 0; i < graph_.num_results(n); ++i)
      f(graph_.result(n, i));
  }

  void check_connected() const {
    std::map<std::uint32_t, std::vector<std::size_t>> by_value;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      for_each_value(nodes_[i], [&](Value v) { by_value[v.index].push_back(i); });
    std::vector<bool> reached(nodes_.size(), false);
    std::vector<std::size_t> front = {0};
    reached[0] = true;
    while (!front.empty()) {
      const Node n = nodes_[front.back()];
      front.pop_back();
      for_each_value(n, [&](Value v) {
        for (const std::size_t other : by_value[v.index]) {
          if (!reached[other]) {
            reached[other] = true;
            front.push_back(other);
          }
        }
      });
    }
    const auto lone = std::find(reached.begin(), reached.end(), false);
    if (lone == reached.end())
      return;
    const Node n = nodes_[static_cast<std::size_t>(lone - reached.begin())];
    Diagnostic d;
    d.code = "extract.disconnected";
    d.message = fmt::format("'{}' shares no value with the other nodes", draw_node(graph_, names_, n));
    d.help = "a match hangs together through values: add the nodes between";
    for (std::size_t i = 0; i < graph_.num_operands(n); ++i) {
      if (const Node def = graph_.def_node(graph_.operand(n, i)))
        d.notes.push_back("it reads: " + draw_node(graph_, names_, def));
    }
    throw Error(std::move(d));
  }

  /// A rewrite gives others what they read of the match.
  void check_read() const {
    for (const Node n : nodes_) {
      for (std::size_t i = 0; i < graph_.num_results(n); ++i) {
        if (has_users_outside(graph_.result(n, i)))
          return;
      }
    }
    throw Error("extract.unread", "no other node reads what these nodes compute, and it is not returned",
                "there is nothing that a rewrite could replace; the pass 'dce' removes such nodes");
  }

  bool has_users_outside(Value v) const {
    for (const Use use : graph_.uses(v)) {
      if (use.user == graph_.return_node() || !inside_.contains(use.user.index))
        return true;
    }
    return false;
  }

  /// Views that others read, and what they are computed from, cost nothing to leave.
  void choose_kept() {
    for (auto it = nodes_.rbegin(); it != nodes_.rend(); ++it) {
      bool keep = kept_.contains(it->index);
      for (std::size_t i = 0; i < graph_.num_results(*it) && graph_.def(*it).has(trait::view); ++i)
        keep = keep || has_users_outside(graph_.result(*it, i));
      if (!keep)
        continue;
      kept_.insert(it->index);
      for (std::size_t i = 0; i < graph_.num_operands(*it); ++i) {
        const Node def = graph_.def_node(graph_.operand(*it, i));
        if (def && inside_.contains(def.index))
          kept_.insert(def.index);
      }
    }
    const bool replaces = std::any_of(nodes_.begin(), nodes_.end(), [&](Node n) {
      if (kept_.contains(n.index))
        return false;
      for (std::size_t i = 0; i < graph_.num_results(n); ++i) {
        if (has_users_outside(graph_.result(n, i)))
          return true;
      }
      return false;
    });
    if (!replaces)
      kept_.clear();  // nothing but views: then they are what is replaced
  }

  void check_convex() const {
    std::map<std::uint32_t, Node> came_from;  // by value index: the outside node that computes it from a replaced value
    std::vector<std::pair<Value, Node>> front;
    for (const Node n : nodes_) {
      for (std::size_t i = 0; i < graph_.num_results(n) && !kept_.contains(n.index); ++i)
        front.emplace_back(graph_.result(n, i), Node{});
    }
    while (!front.empty()) {
      const auto [value, via] = front.back();
      front.pop_back();
      for (const Use use : graph_.uses(value)) {
        if (use.user == graph_.return_node())
          continue;
        if (inside_.contains(use.user.index)) {
          if (via)
            throw not_convex(via, use.user);
          continue;
        }
        for (std::size_t r = 0; r < graph_.num_results(use.user); ++r) {
          const Value next = graph_.result(use.user, r);
          if (came_from.emplace(next.index, use.user).second)
            front.emplace_back(next, use.user);
        }
      }
    }
  }

  Error not_convex(Node outside, Node reader) const {
    return {
        "extract.not-convex",
        fmt::format("'{}' depends on '{}', which is not among the nodes and depends on one of them",
                    draw_node(graph_, names_, reader), draw_node(graph_, names_, outside)),
        "add the nodes on the way, or leave out one end: one new node cannot both give a value and wait for what is "
        "made of it"};
  }

  // --- the pattern -----------------------------------------------------------------------------------------------

  /// A short name of its own for each value: the last part of the graph's.
  std::string fresh(std::string_view long_name) {
    std::string base(long_name.substr(long_name.rfind('.') == std::string_view::npos ? 0 : long_name.rfind('.') + 1));
    for (char& c : base) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_')
        c = '_';
    }
    if (base.empty() || base == "_" || std::isdigit(static_cast<unsigned char>(base[0])) != 0)
      base = "v" + base;
    std::string name = base;
    for (int i = 2; !used_.insert(name).second; ++i)
      name = fmt::format("{}_{}", base, i);
    return name;
  }

  const std::string& pattern_name(Value v) {
    std::string& name = value_names_[v.index];
    if (name.empty())
      name = fresh(names_[v]);
    return name;
  }

  /// `..B` says that leading dims are equal: of one value alone there is nothing to say.
  static void name_only_shared_leading_dims(Pattern& p) {
    std::map<std::string, int> uses;
    for (const InputPattern& in : p.inputs)
      ++uses[in.type.leading];
    for (InputPattern& in : p.inputs) {
      if (uses[in.type.leading] == 1)
        in.type.leading.clear();
    }
  }

  Pattern build() {
    Pattern p;
    p.name = name_;
    p.doc = fmt::format("Drafted from @{}.", graph_.name());
    p.kernels = {p.name};
    Generaliser general(graph_, nodes_);
    for (const Node n : nodes_) {
      for (std::size_t i = 0; i < graph_.num_operands(n); ++i) {
        const Value v = graph_.operand(n, i);
        const Node def = graph_.def_node(v);
        if ((def && inside_.contains(def.index)) || value_names_.contains(v.index))
          continue;
        p.inputs.push_back({pattern_name(v), general.type(v), {}});
      }
    }
    name_only_shared_leading_dims(p);
    for (const Node n : nodes_)
      add_node(p, n, general);
    p.types = general.types();
    p.dims = general.dims();
    if (p.dims.size() > max_pattern_dims || general.num_captures() > max_pattern_captures) {
      throw Error(
          "extract.too-large",
          fmt::format("{} different dims and {} attributes to capture are more than a pattern may have, {} each",
                      p.dims.size(), general.num_captures(), max_pattern_dims),
          "extract fewer nodes");
    }
    return p;
  }

  void add_node(Pattern& p, Node n, Generaliser& general) {
    const bool keep = kept_.contains(n.index);
    const Generaliser::Attributes attrs = general.attributes(n);
    Clause clause;
    NodePattern& match = clause.node;
    match.op = graph_.def(n).name;
    match.attrs = attrs.match;
    match.keep = keep;
    RewriteNode made;
    made.op = match.op;
    made.attrs = attrs.rewrite;
    for (std::size_t i = 0; i < graph_.num_operands(n); ++i) {
      const Value v = graph_.operand(n, i);
      match.operands.push_back(pattern_name(v));
      const auto again = new_names_.find(v.index);
      made.operands.push_back(again != new_names_.end() ? again->second : pattern_name(v));
    }
    for (std::size_t i = 0; i < graph_.num_results(n); ++i) {
      const Value v = graph_.result(n, i);
      match.results.push_back(pattern_name(v));
      if (keep)
        continue;
      const std::string name = fresh("new_" + pattern_name(v));
      new_names_[v.index] = name;
      made.results.push_back(name);
      if (has_users_outside(v))
        p.replacements.push_back({pattern_name(v), name, {}});
    }
    p.match.push_back(std::move(clause));
    if (!keep)
      p.rewrite.push_back(std::move(made));
  }

  const Graph& graph_;
  ValueNames names_;
  std::vector<Node> nodes_;
  std::string name_;
  std::set<std::uint32_t> inside_, kept_;  // node indices
  std::set<std::string> used_;
  std::map<std::uint32_t, std::string> value_names_;  // by value: its name in the pattern
  std::map<std::uint32_t, std::string> new_names_;    // by value: the new value that stands for it
};

}  // namespace

Pattern extract(const Graph& graph, std::span<const Node> nodes, std::string_view name) {
  if (!fusion_text::is_identifier(name))
    throw Error("extract.name", "a draft needs a name of letters, digits and _", "--name my_norms");
  return Extractor(graph, nodes, name).run();
}

std::string extract_text(const Graph& graph, std::span<const Node> nodes, std::string_view name) {
  const Pattern p = extract(graph, nodes, name);
  std::string from = graph.name();  // a comment ends with its line
  std::replace_if(
      from.begin(), from.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  std::string text = fmt::format(
      "# A draft, cut out of @{}. To do: say in 'doc' what it is for; loosen what holds by chance (dims that are "
      "equal\n"
      "# here have one name, an attribute that is not mentioned must have its default); put the fused op in "
      "'rewrite'.\n"
      "# The nodes were\n",
      from);
  const ValueNames names(graph);
  for (const std::string& line : draw_nodes(graph, names, {nodes.begin(), nodes.end()}))
    text += "#     " + line + "\n";
  text += "\n" + format(p);
  const std::size_t rewrite = text.find("\n  rewrite {");
  if (rewrite != std::string::npos) {
    text.insert(
        rewrite + 1,
        fmt::format("  # The same nodes again, until the fused op stands here. Off until a target offers kernel({}):\n"
                    "  # as it is, what it creates would match again.\n",
                    p.name));
  }
  return text;
}

bool is_draft(const Pattern& pattern) {
  std::map<std::string, std::string> made;  // by matched value: the new one that is computed alike
  std::size_t next = 0;
  for (const Clause& c : pattern.match) {
    if (c.kind != Clause::Kind::node || c.node.optional || !c.node.through.empty())
      return false;
    if (c.node.keep)
      continue;
    if (next == pattern.rewrite.size())
      return false;
    const RewriteNode& n = pattern.rewrite[next++];
    if (n.op != c.node.op || n.attrs != c.node.attrs || n.results.size() != c.node.results.size() ||
        n.operands.size() != c.node.operands.size())
      return false;
    for (std::size_t i = 0; i < n.operands.size(); ++i) {
      const auto again = made.find(c.node.operands[i]);
      if (n.operands[i] != (again != made.end() ? again->second : c.node.operands[i]))
        return false;
    }
    for (std::size_t i = 0; i < n.results.size(); ++i)
      made[c.node.results[i]] = n.results[i];
  }
  return next == pattern.rewrite.size() && !pattern.replacements.empty() && !pattern.kernels.empty() &&
         std::all_of(pattern.replacements.begin(), pattern.replacements.end(), [&](const Replacement& r) {
           const auto again = made.find(r.matched);
           return again != made.end() && again->second == r.replacement;
         });
}

}  // namespace tandem
