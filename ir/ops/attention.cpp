// Type inference of attention and of rotary position embedding.
#include <tandem/ir/ops/infer.h>

#include <cmath>

#include <tandem/ir/context.h>
#include <tandem/ir/ops/checks.h>

namespace tandem {

using namespace inference;

void infer_rope(Inference& in) {
  const TensorType& x = in.operands[0];
  require_float(in, 0);
  require_rank_at_least(in, 0, 1);
  require_float(in, 1);
  require_same_dtype(in, 1, 2);
  const std::size_t rank = x.shape.rank();
  for (std::size_t i = 1; i < 3; ++i) {
    const Shape angles = in.operands[i].shape;
    require_rank_at_least(in, i, 1);
    if (2 * angles.back() != x.shape.back()) {
      in.fail(cat(describe(in, i), " and ", describe(in, 0), "; expected the last dim of '", in.op.operand_name(i),
                  "' to be half of that of 'x', but twice ", angles.back(), " is not provably ", x.shape.back()));
    }
    if (!broadcasts_to(angles.dims().first(angles.rank() - 1), x.shape.dims().first(rank - 1)))
      in.fail(cat(describe(in, i), ", whose leading dims do not broadcast to those of 'x', which is ", x));
  }
  in.results.push_back(x);
}

void infer_attention(Inference& in) {
  const TensorType& q = in.operands[0];
  const TensorType& k = in.operands[1];
  const TensorType& v = in.operands[2];
  require_float(in, 0);
  require_same_dtype(in, 0, 1);
  require_same_dtype(in, 0, 2);
  require_rank_at_least(in, 0, 2);
  const std::size_t rank = q.shape.rank();
  require_rank(in, 1, rank);
  require_rank(in, 2, rank);
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    require_dim(in, 1, i, q.shape[i], "as in 'q'");
    require_dim(in, 2, i, q.shape[i], "as in 'q'");
  }
  require_dim(in, 1, rank - 1, q.shape.back(), "the last dim of 'q'");
  require_dim(in, 2, rank - 2, k.shape[rank - 2], "as in 'k'");
  if (!std::isfinite(in.attr("scale").real()))
    in.fail(cat("'scale' is ", in.attr("scale"), "; expected a finite number"));

  DimBuffer dims(in, q.shape.dims());
  if (in.operands.size() > 3) {
    const TensorType& mask = in.operands[3];
    if (!is_boolean(mask.dtype) && mask.dtype != q.dtype)
      fail_operand(in, 3, cat("bool or ", q.dtype, ", the dtype of 'q'"));
    dims[rank - 1] = k.shape[rank - 2];
    if (!broadcasts_to(mask.shape.dims(), dims.dims()))
      in.fail(cat(describe(in, 3), ", which does not broadcast to the scores, ", in.context.shape(dims.dims())));
  }
  dims[rank - 1] = v.shape.back();
  push_result(in, q.dtype, dims, q.shape);
}

}  // namespace tandem
