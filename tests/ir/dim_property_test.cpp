// Symbolic dims: what holds of every expression, on random ones.
#include <tandem/ir/dim.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <tandem/ir/context.h>

#include "tests/ir/dim_values.h"
#include "tests/support/catch.h"

using namespace tandem;
using namespace tandem::test;

namespace {

const std::int64_t huge = Dim::max_constant;

/// A random expression, with its value computed beside it from the same operations on integers.
class RandomDim {
 public:
  RandomDim(Context& context, unsigned seed) : context_(context), random_(seed) {}

  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }

  /// Values at several bindings; empty where one divides by zero.
  struct Sample {
    Dim dim;
    std::vector<std::optional<std::int64_t>> at;
  };

  Sample make(int depth, bool with_division) {
    if (depth == 0 || pick(0, 5) == 0) {
      if (pick(0, 2) == 0) {
        const std::int64_t constant = pick(-6, 9);
        return {Dim(constant), std::vector<std::optional<std::int64_t>>(bindings.size(), constant)};
      }
      const std::string name(1, static_cast<char>('A' + pick(0, 2)));
      Sample out{context_.symbol(name), {}};
      for (const Values& binding : bindings)
        out.at.emplace_back(binding.at(name));
      return out;
    }
    const auto operation = pick(0, with_division ? 7 : 2);
    const Sample a = make(depth - 1, with_division);
    Sample b = make(depth - 1, with_division);
    if (operation >= 3 && operation <= 5 && b.dim.is(0))
      b = {Dim(3), std::vector<std::optional<std::int64_t>>(bindings.size(), 3)};
    Sample out;
    switch (operation) {
      case 0: out.dim = a.dim + b.dim; break;
      case 1: out.dim = a.dim - b.dim; break;
      case 2: out.dim = a.dim * b.dim; break;
      case 3: out.dim = floordiv(a.dim, b.dim); break;
      case 4: out.dim = mod(a.dim, b.dim); break;
      case 5: out.dim = ceildiv(a.dim, b.dim); break;
      case 6: out.dim = minimum(a.dim, b.dim); break;
      default: out.dim = maximum(a.dim, b.dim); break;
    }
    for (std::size_t i = 0; i < bindings.size(); ++i)
      out.at.push_back(apply(operation, a.at[i], b.at[i]));
    return out;
  }

  const std::vector<Values> bindings = {
      {{"A", 1}, {"B", 1}, {"C", 1}},    {{"A", 7}, {"B", 2}, {"C", 5}},   {{"A", 0}, {"B", 3}, {"C", 16}},
      {{"A", 12}, {"B", 5}, {"C", 131}}, {{"A", -3}, {"B", 4}, {"C", -7}}, {{"A", 64}, {"B", -9}, {"C", 2}},
  };

 private:
  static std::optional<std::int64_t> apply(std::int64_t operation, std::optional<std::int64_t> x,
                                           std::optional<std::int64_t> y) {
    if (!x || !y)
      return std::nullopt;
    if (operation == 0)
      return *x + *y;
    if (operation == 1)
      return *x - *y;
    if (operation == 2)
      return *x * *y;
    if (operation >= 6)
      return operation == 6 ? std::min(*x, *y) : std::max(*x, *y);
    if (*y == 0)
      return std::nullopt;
    if (operation == 5 && *y < 0)
      return std::nullopt;  // ceildiv is for positive divisors.
    // Division towards minus infinity, by its definition.
    const std::int64_t numerator = operation == 5 ? *x + *y - 1 : *x;
    std::int64_t quotient = numerator / *y;
    while (*y > 0 ? quotient * *y > numerator : quotient * *y < numerator)
      --quotient;
    return operation == 4 ? numerator - quotient * *y : quotient;
  }

  Context& context_;
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("random expressions keep their values", "[dim][property]") {
  Context context;
  RandomDim random(context, 20240601);
  int compared = 0;
  for (int round = 0; round < 4000; ++round) {
    const auto sample = random.make(4, true);
    for (std::size_t i = 0; i < random.bindings.size(); ++i) {
      // A simplification may have removed a division by zero; then there is nothing to compare with.
      if (!sample.at[i])
        continue;
      const auto computed = value(sample.dim, random.bindings[i]);
      INFO(to_string(sample.dim) << " at binding " << i);
      REQUIRE(computed == sample.at[i]);
      ++compared;
    }
  }
  CHECK(compared > 10000);
}

TEST_CASE("random polynomials are equal exactly when their values are", "[dim][property]") {
  Context context;
  RandomDim random(context, 7);
  std::vector<Values> points;
  for (int i = 0; i < 40; ++i)
    points.push_back({{"A", random.pick(-900, 900)}, {"B", random.pick(-900, 900)}, {"C", random.pick(-900, 900)}});
  const auto same_values = [&](Dim a, Dim b) {
    return std::ranges::all_of(points, [&](const Values& point) { return value(a, point) == value(b, point); });
  };
  int equal = 0;
  for (int round = 0; round < 3000; ++round) {
    const Dim a = random.make(2, false).dim;
    const Dim b = random.make(2, false).dim;
    INFO(to_string(a) << " and " << to_string(b));
    REQUIRE((a == b) == same_values(a, b));
    REQUIRE((a + b) * (a + b) == a * a + 2 * a * b + b * b);
    equal += a == b ? 1 : 0;
  }
  CHECK(equal > 20);
}

TEST_CASE("bounds contain every value", "[dim][property]") {
  Context context;
  RandomDim random(context, 99);
  for (int round = 0; round < 3000; ++round) {
    const Dim dim = random.make(3, true).dim;
    const std::int64_t low = random.pick(-12, 8);
    const std::int64_t high = random.pick(low, low + 12);
    const DimRange range = bounds(dim, [&](Symbol) { return DimRange{low, high}; });
    for (int trial = 0; trial < 20; ++trial) {
      const auto computed =
          value(dim, {{"A", random.pick(low, high)}, {"B", random.pick(low, high)}, {"C", random.pick(low, high)}});
      if (!computed)
        continue;
      INFO(to_string(dim) << " over [" << low << ", " << high << "]");
      REQUIRE(range.min <= *computed);
      REQUIRE(range.max >= *computed);
    }
  }
}

TEST_CASE("open ends stay open", "[dim][property]") {
  Context context;
  RandomDim random(context, 5);
  for (int round = 0; round < 2000; ++round) {
    const Dim dim = random.make(2, true).dim;
    const DimRange range = bounds(dim, [](Symbol) { return DimRange{-huge, huge}; });
    const auto computed = value(dim, {{"A", random.pick(-1000000, 1000000)},
                                      {"B", random.pick(-1000000, 1000000)},
                                      {"C", random.pick(-1000000, 1000000)}});
    if (!computed)
      continue;
    INFO(to_string(dim));
    REQUIRE((range.min == -huge || range.min <= *computed));
    REQUIRE((range.max == huge || range.max >= *computed));
  }
}
