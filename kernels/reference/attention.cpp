// Reference kernels of attention and of rotary position embedding.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>

namespace tandem::reference {

namespace {

/// Each pair (a, b) becomes (a cos - b sin, b cos + a sin). (Su et al., RoFormer, 2021.)
void rope(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  const std::size_t last = x.rank - 1U;
  const bool interleaved = call.attr("interleaved").boolean();
  std::vector<std::int64_t> pairs(x.dims().begin(), x.dims().end());
  pairs[last] /= 2;
  const std::int64_t half = pairs[last];
  const TensorView cosines = broadcast_to(call.operands[1], pairs);
  const TensorView sines = broadcast_to(call.operands[2], pairs);
  for_each(cosines, [&](const TensorView& cosine, const Index& at) {
    Index first = at;
    Index second = at;
    first[last] = interleaved ? 2 * at[last] : at[last];
    second[last] = interleaved ? 2 * at[last] + 1 : at[last] + half;
    const double c = read_real(cosine);
    const double s = read_real(element(sines, at));
    const double a = read_real(element(x, first));
    const double b = read_real(element(x, second));
    write_real(element(y, first), a * c - b * s);
    write_real(element(y, second), b * c + a * s);
  });
}

/// A query that keeps no key, for mask or for causality, gives 0, as PyTorch's scaled_dot_product_attention does; so
/// does one with no keys at all.
void attention(const KernelCall& call) {
  const TensorView& q = call.operands[0];
  const TensorView& y = call.results[0];
  const std::size_t row = q.rank - 2U;
  const std::size_t last = q.rank - 1U;
  const std::int64_t m = q.shape[row];
  const std::int64_t n = call.operands[1].shape[row];
  const std::size_t depth = static_cast<std::size_t>(q.shape[last]);
  const std::size_t value_depth = static_cast<std::size_t>(y.shape[last]);
  const double scale = call.attr("scale").real();
  const bool causal = call.attr("causal").boolean();
  const std::vector<double> queries = read_reals(q);
  const std::vector<double> keys = read_reals(call.operands[1]);
  const std::vector<double> values = read_reals(call.operands[2]);

  // What is added to each score: 0 or minus infinity for a bool mask.
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<std::int64_t> score_shape(q.dims().begin(), q.dims().end());
  score_shape[last] = n;
  std::vector<double> added;
  if (call.operands.size() > 3) {
    const TensorView mask = broadcast_to(call.operands[3], score_shape);
    for_each(mask, [&](const TensorView& e, const Index&) {
      added.push_back(is_boolean(e.dtype) ? (read_truth(e) ? 0.0 : -infinity) : read_real(e));
    });
  }

  const std::size_t num_keys = static_cast<std::size_t>(n);
  std::vector<double> weights(num_keys);
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(y.size()));
  const std::size_t num_rows = y.size() == 0 ? 0 : static_cast<std::size_t>(y.size()) / value_depth;
  for (std::size_t r = 0; r < num_rows; ++r) {
    const std::size_t batch = r / static_cast<std::size_t>(m);
    const std::int64_t query = static_cast<std::int64_t>(r) % m;
    double largest = -infinity;
    for (std::size_t j = 0; j < num_keys; ++j) {
      double score = 0;
      for (std::size_t d = 0; d < depth; ++d)
        score += queries[r * depth + d] * keys[(batch * num_keys + j) * depth + d];
      score *= scale;
      if (!added.empty())
        score += added[r * num_keys + j];
      if (causal && static_cast<std::int64_t>(j) > query + n - m)
        score = -infinity;
      weights[j] = score;
      largest = std::max(largest, score);
    }
    const bool keeps_none = std::all_of(weights.begin(), weights.end(), [](double w) { return w == -infinity; });
    if (keeps_none)
      largest = 0;
    double sum = 0;
    for (double& weight : weights) {
      weight = std::exp(weight - largest);
      sum += weight;
    }
    for (std::size_t e = 0; e < value_depth; ++e) {
      double total = 0;
      for (std::size_t j = 0; j < num_keys; ++j)
        total += (keeps_none ? 0.0 : weights[j] / sum) * values[(batch * num_keys + j) * value_depth + e];
      out.push_back(total);
    }
  }
  write_reals(y, out);
}

}  // namespace

void add_attention(KernelTable& table) {
  table.add("rope", rope);
  table.add("attention", attention);
}

}  // namespace tandem::reference
