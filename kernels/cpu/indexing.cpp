// embedding, take and gather. Indices are checked before anything is moved.
#include <array>
#include <cstdint>
#include <string>

#include <tandem/ir/diagnostic.h>
#include <tandem/kernels/cpu/loop_nest.h>
#include <tandem/kernels/cpu/parallel.h>
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/cpu/scratch.h>
#include <tandem/kernels/cpu/strided_copy.h>
#include <tandem/kernels/cpu/tensor_rows.h>

namespace tandem::cpu {
namespace {

/// All indices, row-major, in [0, length).
const std::int64_t* checked_indices(const KernelCall& call, std::int64_t length, std::size_t axis) {
  const TensorView& index = call.operands[1];
  const std::int64_t count = index.size();
  auto* out = scratch<std::int64_t>(Scratch::shared_indices, count);
  if (index.rank == 0) {
    load_row({index.data, index.dtype, 1, 1}, out);
  } else {
    const std::int64_t row = index.shape[index.rank - 1U];
    for (std::int64_t r = 0; r < num_last_axis_rows(index); ++r)
      load_row(last_axis_row(index, r), out + r * row);
  }
  for (std::int64_t i = 0; i < count; ++i)
    if (out[i] < 0 || out[i] >= length)
      throw Error("run.index", call.op.name + ": the index " + std::to_string(out[i]) + " is out of range for axis " +
                                   std::to_string(axis) + ", which has " + std::to_string(length) + " elements");
  return out;
}

/// The axes of `x` from `first` on.
TensorView trailing(const TensorView& x, std::size_t first) {
  TensorView out;
  out.data = x.data;
  out.dtype = x.dtype;
  out.rank = static_cast<std::uint8_t>(x.rank - first);
  for (std::size_t i = first; i < x.rank; ++i) {
    out.shape[i - first] = x.shape[i];
    out.strides[i - first] = x.strides[i];
  }
  return out;
}

/// Elements from the start of `x` to index `i` (row-major) of axes [first, last).
std::int64_t offset_in(const TensorView& x, std::size_t first, std::size_t last, std::int64_t i) {
  std::int64_t out = 0;
  for (std::size_t axis = last; axis-- > first;) {
    out += i % x.shape[axis] * x.strides[axis];
    i /= x.shape[axis];
  }
  return out;
}

/// y[outer, index axes, inner] = x[outer, index[..], inner].
void take_along(const KernelCall& call, std::size_t axis) {
  const TensorView& x = call.operands[0];
  const TensorView& index = call.operands[1];
  const TensorView& y = call.results[0];
  const std::int64_t* indices = checked_indices(call, x.shape[axis], axis);
  const TensorView inner_x = trailing(x, axis + 1), inner_y = trailing(y, axis + index.rank);
  const std::int64_t slice = inner_x.size(), count = index.size();
  if (y.size() == 0)
    return;
  const auto size = static_cast<std::int64_t>(byte_size(x.dtype));
  parallel_for(y.size() / slice, slice, [&](std::int64_t first, std::int64_t last) {
    TensorView from = inner_x, to = inner_y;
    for (std::int64_t item = first; item < last; ++item) {
      const std::int64_t outer = item / count, i = item % count;
      from.data = x.data + (offset_in(x, 0, axis, outer) + indices[i] * x.strides[axis]) * size;
      to.data = y.data + (offset_in(y, 0, axis, outer) + offset_in(y, axis, axis + index.rank, i)) * size;
      copy_strided_here(from, to);
    }
  });
}

void embedding(const KernelCall& call) {
  take_along(call, 0);
}
void take(const KernelCall& call) {
  take_along(call, call.axis("axis", call.operands[0].rank));
}

template <class Bits>
void gather_bits(const KernelCall& call, std::size_t axis) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  const std::int64_t* indices = checked_indices(call, x.shape[axis], axis);
  const std::size_t last_axis = y.rank - 1U;
  TensorView moves = x;  // x's strides under y's shape, standing still along the axis
  moves.shape = y.shape;
  moves.strides[axis] = 0;
  const std::int64_t length = y.shape[last_axis];
  const auto size = static_cast<std::int64_t>(byte_size(x.dtype));
  parallel_for(num_last_axis_rows(y), length, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const Row to = last_axis_row(y, r), from = last_axis_row(moves, r);
      for (std::int64_t i = 0; i < length; ++i) {
        const std::int64_t offset = i * from.stride + indices[r * length + i] * x.strides[axis];
        *reinterpret_cast<Bits*>(to.data + i * to.stride * size) =
            *reinterpret_cast<const Bits*>(from.data + offset * size);
      }
    }
  });
}

void gather(const KernelCall& call) {
  const std::size_t axis = call.axis("axis", call.operands[0].rank);
  switch (byte_size(call.operands[0].dtype)) {
    case 1: return gather_bits<std::uint8_t>(call, axis);
    case 2: return gather_bits<std::uint16_t>(call, axis);
    case 4: return gather_bits<std::uint32_t>(call, axis);
    default: return gather_bits<std::uint64_t>(call, axis);
  }
}

bool has_rank(const KernelCall& call) {
  return call.operands[0].rank > 0;
}

}  // namespace

void add_indexing(Registry& r) {
  r.add("embedding", embedding);
  r.add("take", take, has_rank);
  r.add("gather", gather, has_rank);
}

}  // namespace tandem::cpu
