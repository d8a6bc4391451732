// Counts in sentences.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace tandem {

/// "1 node", "2 nodes", "0 nodes"; "1 miss", "2 misses".
template <std::integral Int>
std::string counted(Int n, std::string_view what) {
  std::string out = std::to_string(n);
  out += ' ';
  out += what;
  if (n != 1)
    out += what.ends_with('s') || what.ends_with("ch") ? "es" : "s";
  return out;
}

}  // namespace tandem
