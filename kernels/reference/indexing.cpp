// Reference kernels of ops that read or write where an index tensor says. An index out of range is an error.
#include <vector>

#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>

namespace tandem::reference {

namespace {

/// The slices of x along `axis`, which the axes of the index replace.
void take_along(const KernelCall& call, std::size_t axis) {
  const TensorView& x = call.operands[0];
  const TensorView& index = call.operands[1];
  for_each(call.results[0], [&](const TensorView& y, const Index& at) {
    Index at_index{};
    for (std::size_t i = 0; i < index.rank; ++i)
      at_index[i] = at[axis + i];
    Index at_x{};
    for (std::size_t i = 0; i < axis; ++i)
      at_x[i] = at[i];
    at_x[axis] = checked_index(call, 0, axis, read_integer(element(index, at_index)));
    for (std::size_t i = axis + 1; i < x.rank; ++i)
      at_x[i] = at[i + index.rank - 1];
    copy(element(x, at_x), y);
  });
}

void embedding(const KernelCall& call) {
  take_along(call, 0);
}

void take(const KernelCall& call) {
  take_along(call, call.axis("axis", call.operands[0].rank));
}

void gather(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const std::size_t axis = call.axis("axis", x.rank);
  Cursor index(call.operands[1]);
  for_each(call.results[0], [&](const TensorView& y, Index at) {
    at[axis] = checked_index(call, 0, axis, read_integer(*index));
    copy(element(x, at), y);
    index.advance();
  });
}

/// Where in operand 0 the coordinates in operand 1 for element `at` of the gathered slices point.
Index coordinates(const KernelCall& call, const Index& at) {
  const TensorView& x = call.operands[0];
  const TensorView& indices = call.operands[1];
  const std::size_t last = indices.rank - 1U;
  const auto k = static_cast<std::size_t>(indices.shape[last]);
  Index at_x{};
  Index at_indices = at;
  for (std::size_t i = 0; i < k; ++i) {
    at_indices[last] = static_cast<std::int64_t>(i);
    at_x[i] = checked_index(call, 0, i, read_integer(element(indices, at_indices)));
  }
  for (std::size_t i = k; i < x.rank; ++i)
    at_x[i] = at[last + i - k];
  return at_x;
}

void gather_nd(const KernelCall& call) {
  for_each(call.results[0],
           [&](const TensorView& y, const Index& at) { copy(element(call.operands[0], coordinates(call, at)), y); });
}

/// x with updates written or added, in their order, at what `place(index of the update)` gives. Sums are rounded once.
template <class Place>
void scatter_to(const KernelCall& call, Place place) {
  const TensorView& updates = call.operands[2];
  const TensorView& y = call.results[0];
  if (call.attr("mode").string().view() == "set") {
    copy(call.operands[0], y);
    for_each(updates, [&](const TensorView& update, const Index& at) { copy(update, element(y, place(at))); });
  } else if (is_float(y.dtype)) {
    std::vector<double> sums = read_reals(call.operands[0]);
    const TensorView totals = make_view(sums.data(), DType::f64, y.dims());
    for_each(updates, [&](const TensorView& update, const Index& at) {
      *element(totals, place(at)).template as<double>() += read_real(update);
    });
    write_reals(y, sums);
  } else {
    std::vector<std::int64_t> sums = read_integers(call.operands[0]);
    const TensorView totals = make_view(sums.data(), DType::i64, y.dims());
    for_each(updates, [&](const TensorView& update, const Index& at) {
      // Unsigned, so that it wraps around.
      *element(totals, place(at)).template as<std::uint64_t>() += static_cast<std::uint64_t>(read_integer(update));
    });
    write_integers(y, sums);
  }
}

void scatter(const KernelCall& call) {
  const std::size_t axis = call.axis("axis", call.operands[0].rank);
  scatter_to(call, [&](Index at) {
    at[axis] = checked_index(call, 0, axis, read_integer(element(call.operands[1], at)));
    return at;
  });
}

void scatter_nd(const KernelCall& call) {
  scatter_to(call, [&](const Index& at) { return coordinates(call, at); });
}

void one_hot(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  for_each(call.results[0], [&](const TensorView& y, const Index& at) {
    write_integer(y, read_integer(element(x, at)) == at[x.rank] ? 1 : 0);
  });
}

}  // namespace

void add_indexing(KernelTable& table) {
  table.add("embedding", embedding);
  table.add("take", take);
  table.add("gather", gather);
  table.add("gather_nd", gather_nd);
  table.add("scatter", scatter);
  table.add("scatter_nd", scatter_nd);
  table.add("one_hot", one_hot);
}

}  // namespace tandem::reference
