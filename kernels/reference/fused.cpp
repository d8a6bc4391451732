// Reference kernels of ops that fusions make. Each says anew what the op means, so that it can disagree with the op's
// decomposition: it does not call the kernels of core ops.
#include <cmath>

#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>

namespace tandem::reference {

namespace {

/// y = x / sqrt(mean(x^2) + eps) * weight along the last axis.
void norm(const TensorView& x, const TensorView& weight, const TensorView& y, double eps, bool round_before_weight) {
  const std::size_t last = x.rank - 1U;
  const std::int64_t length = x.shape[last];
  for_each_line(x, last, [&](Index at) {
    double mean_square = 0;
    for (at[last] = 0; at[last] < length; ++at[last]) {
      const double e = read_real(element(x, at));
      mean_square += e * e / static_cast<double>(length);
    }
    const double rms = std::sqrt(mean_square + eps);
    for (at[last] = 0; at[last] < length; ++at[last]) {
      double normed = read_real(element(x, at)) / rms;
      if (round_before_weight)
        normed = round_to(x.dtype, normed);
      write_real(element(y, at), normed * read_real(element(weight, {at[last]})));
    }
  });
}

void fused_mla_dual_rms_norm(const KernelCall& call) {
  const bool round_before_weight = call.attr("round_before_weight").boolean();
  norm(call.operands[0], call.operands[1], call.results[0], call.attr("eps_q").real(), round_before_weight);
  norm(call.operands[2], call.operands[3], call.results[1], call.attr("eps_kv").real(), round_before_weight);
}

}  // namespace

void add_fused(KernelTable& table) {
  table.add("fused_mla_dual_rms_norm", fused_mla_dual_rms_norm);
}

}  // namespace tandem::reference
