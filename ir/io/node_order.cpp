#include <tandem/ir/io/node_order.h>

#include <algorithm>
#include <functional>
#include <queue>

namespace tandem::io {

NodeOrder order_nodes(std::span<const std::vector<std::uint32_t>> producers) {
  const std::size_t n = producers.size();
  std::vector<std::uint32_t> missing(n);
  std::vector<std::vector<std::uint32_t>> users(n);
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
  for (std::uint32_t i = 0; i < n; ++i) {
    missing[i] = static_cast<std::uint32_t>(producers[i].size());
    for (std::uint32_t p : producers[i])
      users[p].push_back(i);
    if (missing[i] == 0)
      ready.push(i);
  }
  NodeOrder result;
  result.order.reserve(n);
  while (!ready.empty()) {
    const std::uint32_t i = ready.top();
    ready.pop();
    result.order.push_back(i);
    for (std::uint32_t u : users[i]) {
      if (--missing[u] == 0)
        ready.push(u);
    }
  }
  if (result.order.size() == n)
    return result;

  // What is left waits for a cycle: go from operand to operand among the left until a node comes again.
  const auto left = [&](std::uint32_t i) { return missing[i] != 0; };
  std::uint32_t i = 0;
  while (!left(i))
    ++i;
  std::vector<std::uint32_t> path;
  std::vector<bool> seen(n);
  while (!seen[i]) {
    seen[i] = true;
    path.push_back(i);
    i = *std::find_if(producers[i].begin(), producers[i].end(), left);
  }
  path.erase(path.begin(), std::find(path.begin(), path.end(), i));
  result.cycle.assign(path.rbegin(), path.rend());
  // Named from its first node on.
  std::rotate(result.cycle.begin(), std::min_element(result.cycle.begin(), result.cycle.end()), result.cycle.end());
  for (std::uint32_t k = 0; k < n; ++k) {
    if (left(k))
      result.order.push_back(k);
  }
  return result;
}

}  // namespace tandem::io
