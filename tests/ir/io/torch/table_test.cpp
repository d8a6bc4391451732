// The table of operators: what it must have, and that its rows are well formed.
#include <tandem/ir/io/torch/table.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include <tandem/ir/io/torch/call.h>
#include <tests/support/catch.h>

using namespace tandem;

namespace {

// clang-format off
/// What the MLA models of Hugging Face transformers 5.17 use when they are exported, and what run_decompositions() makes
/// of them.
constexpr std::string_view of_mla_models[] = {
      "aten.__and__.Tensor", "aten._softmax.default", "aten._to_copy.default", "aten.add.Tensor",
      "aten.alias.default", "aten.arange.default", "aten.bitwise_not.default", "aten.bmm.default", "aten.cat.default",
      "aten.chunk.default", "aten.clamp.default", "aten.clamp_.default", "aten.clone.default",
      "aten.contiguous.default", "aten.conv1d.default", "aten.copy.default", "aten.copy_.default", "aten.cos.default",
      "aten.cumsum.default", "aten.detach_.default", "aten.diff.default", "aten.div.Tensor", "aten.div_.Tensor",
      "aten.dropout.default", "aten.embedding.default", "aten.empty.memory_format", "aten.empty_like.default",
      "aten.eq.Tensor", "aten.exp.default", "aten.expand.default", "aten.eye.default", "aten.flatten.using_ints",
      "aten.floor.default", "aten.floor_divide.default", "aten.gather.default", "aten.ge.Scalar", "aten.gt.Scalar",
      "aten.histc.default", "aten.index.Tensor", "aten.index_put_.default", "aten.layer_norm.default",
      "aten.le.Tensor", "aten.lift_fresh_copy.default", "aten.linear.default", "aten.log.default",
      "aten.masked_fill.Scalar", "aten.masked_fill_.Scalar", "aten.matmul.default", "aten.max.dim", "aten.mean.dim",
      "aten.mm.default", "aten.mul.Tensor", "aten.ne.Scalar", "aten.neg.default", "aten.new_empty.default",
      "aten.new_ones.default", "aten.ones.default", "aten.ones_like.default", "aten.pad.default",
      "aten.permute.default", "aten.polar.default", "aten.pow.Tensor_Scalar", "aten.relu.default",
      "aten.repeat_interleave.self_int", "aten.reshape.default", "aten.rms_norm.default", "aten.rsqrt.default",
      "aten.scatter.value", "aten.scatter_.value", "aten.select.int", "aten.sigmoid.default", "aten.silu.default",
      "aten.sin.default", "aten.slice.Tensor", "aten.slice_scatter.default", "aten.softmax.int", "aten.sort.default",
      "aten.split.Tensor", "aten.split_with_sizes.default", "aten.sqrt.default", "aten.square.default",
      "aten.squeeze.dim", "aten.sub.Tensor", "aten.sum.dim_IntList", "aten.to.device", "aten.to.dtype",
      "aten.to.dtype_layout", "aten.topk.default", "aten.transpose.int", "aten.triu.default", "aten.type_as.default",
      "aten.unbind.int", "aten.unsqueeze.default", "aten.view.default", "aten.view_as_complex.default",
      "aten.view_as_real.default", "aten.where.ScalarOther", "aten.where.self", "aten.zeros.default",
      "aten.zeros_like.default", "transformers.grouped_mm_fallback.default",
};

/// What PyTorch 2.11 tags as core ATen (torch.Tag.core), less what has no meaning here: backward and random operators,
/// those whose result's size depends on the data, Fourier transforms, and a few that are listed in docs/torch-export.md.
constexpr std::string_view core_aten[] = {
      "aten._adaptive_avg_pool2d.default", "aten._adaptive_avg_pool3d.default", "aten._log_softmax.default",
      "aten._native_batch_norm_legit.default", "aten._native_batch_norm_legit.no_stats",
      "aten._native_batch_norm_legit_no_training.default", "aten._softmax.default", "aten._to_copy.default",
      "aten.abs.default", "aten.acos.default", "aten.acosh.default", "aten.add.Scalar", "aten.add.Tensor",
      "aten.addmm.default", "aten.alias.default", "aten.amax.default", "aten.amin.default", "aten.any.default",
      "aten.any.dim", "aten.any.dims", "aten.arange.start_step", "aten.argmax.default", "aten.argmin.default",
      "aten.as_strided.default", "aten.asin.default", "aten.asinh.default", "aten.atan.default", "aten.atan2.default",
      "aten.atanh.default", "aten.avg_pool2d.default", "aten.avg_pool3d.default", "aten.bitwise_and.Scalar",
      "aten.bitwise_and.Tensor", "aten.bitwise_not.default", "aten.bitwise_or.Scalar", "aten.bitwise_or.Tensor",
      "aten.bitwise_xor.Scalar", "aten.bitwise_xor.Tensor", "aten.bmm.default", "aten.cat.default",
      "aten.ceil.default", "aten.clamp.Tensor", "aten.clamp.default", "aten.clone.default",
      "aten.constant_pad_nd.default", "aten.convolution.default", "aten.copy.default", "aten.cos.default",
      "aten.cosh.default", "aten.cumsum.default", "aten.diagonal.default", "aten.div.Scalar", "aten.div.Scalar_mode",
      "aten.div.Tensor", "aten.div.Tensor_mode", "aten.elu.default", "aten.embedding.default",
      "aten.empty.memory_format", "aten.empty_strided.default", "aten.eq.Scalar", "aten.eq.Tensor",
      "aten.erf.default", "aten.exp.default", "aten.expand.default", "aten.expm1.default", "aten.fill.Scalar",
      "aten.flip.default", "aten.floor.default", "aten.fmod.Scalar", "aten.fmod.Tensor", "aten.full.default",
      "aten.full_like.default", "aten.gather.default", "aten.ge.Scalar", "aten.ge.Tensor", "aten.gelu.default",
      "aten.gt.Scalar", "aten.gt.Tensor", "aten.hardtanh.default", "aten.index.Tensor", "aten.index_put.default",
      "aten.index_select.default", "aten.isinf.default", "aten.isnan.default", "aten.le.Scalar", "aten.le.Tensor",
      "aten.leaky_relu.default", "aten.log.default", "aten.log10.default", "aten.log1p.default", "aten.log2.default",
      "aten.logical_and.default", "aten.logical_not.default", "aten.logical_or.default", "aten.logical_xor.default",
      "aten.lt.Scalar", "aten.lt.Tensor", "aten.max.dim", "aten.max_pool2d_with_indices.default",
      "aten.max_pool3d_with_indices.default", "aten.maximum.default", "aten.mean.default", "aten.mean.dim",
      "aten.min.dim", "aten.minimum.default", "aten.mm.default", "aten.mul.Scalar", "aten.mul.Tensor",
      "aten.native_dropout.default", "aten.native_group_norm.default", "aten.native_layer_norm.default",
      "aten.ne.Scalar", "aten.ne.Tensor", "aten.neg.default", "aten.permute.default", "aten.pow.Scalar",
      "aten.pow.Tensor_Scalar", "aten.pow.Tensor_Tensor", "aten.prod.default", "aten.prod.dim_int",
      "aten.reciprocal.default", "aten.reflection_pad1d.default", "aten.reflection_pad2d.default",
      "aten.reflection_pad3d.default", "aten.relu.default", "aten.remainder.Scalar", "aten.remainder.Tensor",
      "aten.repeat.default", "aten.replication_pad2d.default", "aten.replication_pad3d.default", "aten.round.default",
      "aten.rsqrt.default", "aten.scalar_tensor.default", "aten.scatter.src", "aten.scatter.value",
      "aten.scatter_add.default", "aten.scatter_reduce.two", "aten.select.int", "aten.select_scatter.default",
      "aten.sigmoid.default", "aten.sign.default", "aten.sin.default", "aten.sinh.default", "aten.slice.Tensor",
      "aten.slice_scatter.default", "aten.sort.default", "aten.split_with_sizes.default", "aten.sqrt.default",
      "aten.squeeze.dim", "aten.squeeze.dims", "aten.sub.Scalar", "aten.sub.Tensor", "aten.sum.dim_IntList",
      "aten.tan.default", "aten.tanh.default", "aten.topk.default", "aten.trunc.default", "aten.unsqueeze.default",
      "aten.upsample_bilinear2d.vec", "aten.upsample_nearest2d.vec", "aten.var.correction", "aten.var.dim",
      "aten.view.default", "aten.where.self",
};
// clang-format on

std::set<std::string_view> targets() {
  std::set<std::string_view> out;
  for (const torch::Row& row : torch::operator_rows())
    out.insert(row.target);
  return out;
}

/// The plain form of an in-place target: those have no rows of their own, but detach_.
std::string plain(std::string_view target) {
  const std::size_t dot = target.rfind('.');
  return target[dot - 1] == '_' && target[dot - 2] != '_'
             ? std::string(target.substr(0, dot - 1)) + std::string(target.substr(dot))
             : std::string(target);
}

}  // namespace

TEST_CASE("torch table: every operator of the MLA models has a row") {
  const auto known = targets();
  for (const std::string_view target : of_mla_models) {
    INFO(target);
    CHECK((known.contains(target) || known.contains(plain(target))));
  }
}

TEST_CASE("torch table: every core ATen operator that has a meaning here has a row") {
  const auto known = targets();
  for (const std::string_view target : core_aten) {
    INFO(target);
    CHECK(known.contains(target));
  }
}

TEST_CASE("torch table: docs/torch-export.md lists the operators") {
  std::ifstream in(TANDEM_TEST_DATA "/../../docs/torch-export.md");
  std::set<std::string> listed;
  for (std::string word; in >> word;)
    listed.insert(word);
  for (const torch::Row& row : torch::operator_rows()) {
    std::string name(row.target);
    if (name.starts_with("aten."))
      name.erase(0, 5);
    if (name.ends_with(".default"))
      name.resize(name.size() - 8);
    INFO(name);
    CHECK(listed.contains(name));
  }
}

TEST_CASE("torch table: rows are distinct and complete") {
  const auto rows = torch::operator_rows();
  CHECK(targets().size() == rows.size());
  for (const torch::Row& row : rows) {
    INFO(row.target);
    CHECK(row.lowering.run != nullptr);
    CHECK(std::count(row.target.begin(), row.target.end(), '.') == 2);
    std::set<std::string_view> names;
    for (const torch::Parameter& p : torch::parse_schema(row.schema)) {
      CHECK(!p.name.empty());
      CHECK(names.insert(p.name).second);
    }
    CHECK(!names.empty());
  }
}
