#include <tandem/ir/io/scope_tree.h>

#include <unordered_map>

namespace tandem::io {

ScopeTree::ScopeTree(const Graph& graph) : scopes_(1) {
  constexpr std::size_t deepest = 16;
  std::unordered_map<std::string, std::size_t> by_path;
  std::unordered_map<Symbol, std::size_t> known;  // looked up only
  for (Node n : graph.nodes()) {
    const auto [entry, fresh] = known.try_emplace(graph.scope(n), 0);
    if (fresh) {
      const std::string_view path = graph.scope(n).view();
      std::size_t at = 0;
      for (std::size_t start = 0; start < path.size();) {
        std::size_t end = path.find('.', start);
        if (end == std::string_view::npos || scopes_[at].depth + 1 == deepest)
          end = path.size();
        const auto [child, is_new] = by_path.try_emplace(std::string(path.substr(0, end)), scopes_.size());
        if (is_new) {
          scopes_.push_back(
              {std::string(path.substr(start, end - start)), child->first, at, scopes_[at].depth + 1, {}, {}});
          scopes_[at].children.push_back(child->second);
        }
        at = child->second;
        start = end + 1;
      }
      entry->second = at;
    }
    scopes_[entry->second].nodes.push_back(n);
  }
}

}  // namespace tandem::io
