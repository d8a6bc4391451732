// Type inference of softmax and of norms over the last axis.
#include <tandem/ir/ops/infer.h>

#include <tandem/ir/ops/checks.h>

namespace tandem {

using namespace inference;

namespace {

/// The optional operands of a norm: float vectors as long as the last dim of x.
void check_norm(const Inference& in) {
  require_float(in, 0);
  require_rank_at_least(in, 0, 1);
  for (std::size_t i = 1; i < in.operands.size(); ++i) {
    require_float(in, i);
    require_rank(in, i, 1);
    require_dim(in, i, 0, in.operands[0].shape.back(), "the last dim of 'x'");
  }
}

}  // namespace

void infer_softmax(Inference& in) {
  require_float(in, 0);
  in.axis("axis", in.operands[0].shape.rank());
  in.results.push_back(in.operands[0]);
}

void infer_rms_norm(Inference& in) {
  check_norm(in);
  require_epsilon(in, "eps");
  in.results.push_back(in.operands[0]);
}

void infer_layer_norm(Inference& in) {
  check_norm(in);
  require_epsilon(in, "eps");
  in.results.push_back(in.operands[0]);
}

}  // namespace tandem
