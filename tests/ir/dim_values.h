// Dims at given values of their symbols.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <tandem/ir/dim.h>

namespace tandem::test {

using Values = std::map<std::string, std::int64_t, std::less<>>;

inline std::optional<std::int64_t> value(Dim dim, const Values& values) {
  return evaluate(dim, [&](Symbol symbol) -> std::optional<std::int64_t> {
    const auto found = values.find(symbol.view());
    if (found == values.end())
      return std::nullopt;
    return found->second;
  });
}

}  // namespace tandem::test
