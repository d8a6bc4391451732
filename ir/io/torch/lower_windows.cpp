// Convolution over several axes, pooling, resizing, and padding with a tensor's own elements: all of them read windows
// or positions along axes, which is what `take` does; linear maps of an axis are products with a constant matrix.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>

namespace tandem::torch::lower {

namespace {

using Integers = std::vector<std::int64_t>;

/// One number for each of `count` axes; a single one serves them all.
Integers per_axis(Call& call, std::string_view name, std::size_t count) {
  Integers out = call.integers(name);
  if (out.size() != count && out.size() != 1)
    throw Error("torch.argument", fmt::format("the argument '{}' must be {} integers", name, count));
  out.resize(count, out[0]);
  return out;
}

/// What a window is, along each of the last axes.
struct Windows {
  Integers kernel, stride, padding, dilation;
  Dims count;  ///< How many there are.
};

/// The last axes of `v` as windows: [.., counts.., kernel..]. Elements outside are `fill`.
Value windows_of(Emitter& e, Value v, const Windows& w, double fill) {
  const std::size_t axes = w.kernel.size(), first = e.rank(v) - axes;
  Dims low(e.rank(v), Dim(0)), high(e.rank(v), Dim(0));
  for (std::size_t i = 0; i < axes; ++i) {
    const Dim length = e.dims(v)[first + i];
    const Dim reach = (w.count[i] - 1) * w.stride[i] + (w.kernel[i] - 1) * w.dilation[i] + 1;
    low[first + i] = w.padding[i];
    const Dim beyond = reach - length - w.padding[i];
    high[first + i] = beyond.is_constant() ? Dim(std::max<std::int64_t>(beyond.constant(), 0)) : Dim(w.padding[i]);
  }
  const auto is_zero = [](Dim d) { return d.is(0); };
  if (!std::all_of(low.begin(), low.end(), is_zero) || !std::all_of(high.begin(), high.end(), is_zero))
    v = e.op(op::pad, {v}, {{"low", low}, {"high", high}, {"value", fill}});
  std::vector<std::int64_t> perm;
  for (std::size_t i = 0; i < first; ++i)
    perm.push_back(static_cast<std::int64_t>(i));
  for (std::size_t i = 0; i < axes; ++i) {
    const Value starts = e.reshape(e.iota(w.count[i], 0, w.stride[i]), {w.count[i], 1});
    const Value inside = e.iota(w.kernel[i], 0, w.dilation[i]);
    v = e.op(op::take, {v, e.add(starts, inside)}, {{"axis", static_cast<std::int64_t>(first + 2 * i)}});
  }
  for (const std::size_t offset : {std::size_t{0}, std::size_t{1}})
    for (std::size_t i = 0; i < axes; ++i)
      perm.push_back(static_cast<std::int64_t>(first + 2 * i + offset));
  return e.transpose(v, perm);
}

Integers last_axes(Emitter& e, Value v, std::size_t count) {
  Integers out;
  for (std::size_t i = e.rank(v) - count; i < e.rank(v); ++i)
    out.push_back(static_cast<std::int64_t>(i));
  return out;
}

/// The windows that a pooling operator's arguments describe.
Windows pooling_windows(Call& call, std::size_t axes) {
  Windows w;
  w.kernel = per_axis(call, "kernel_size", axes);
  w.stride = call.has("stride") && !call.dims("stride").empty() ? per_axis(call, "stride", axes) : w.kernel;
  w.padding = per_axis(call, "padding", axes);
  w.dilation = call.takes("dilation") ? per_axis(call, "dilation", axes) : Integers(axes, 1);
  const Dims result = call.result_dims();
  if (result.size() < axes)
    throw Error("torch.argument", "the result has too few axes");
  w.count.assign(result.end() - static_cast<std::ptrdiff_t>(axes), result.end());
  for (const auto* numbers : {&w.kernel, &w.stride, &w.dilation})
    if (*std::min_element(numbers->begin(), numbers->end()) < 1)
      throw Error("torch.argument", "kernel sizes, strides and dilations must be positive");
  if (*std::min_element(w.padding.begin(), w.padding.end()) < 0)
    throw Error("torch.argument", "the padding must not be negative");
  return w;
}

/// A constant matrix [rows, columns].
Value matrix(Emitter& e, std::int64_t rows, std::int64_t columns,
             const std::function<void(std::int64_t row, double* elements)>& fill_row) {
  TensorLiteral literal{{DType::f32, e.context().shape(Dims{rows, columns})}, {}};
  literal.data.resize(static_cast<std::size_t>(rows * columns) * sizeof(float));
  std::vector<double> elements(static_cast<std::size_t>(columns));
  for (std::int64_t r = 0; r < rows; ++r) {
    std::fill(elements.begin(), elements.end(), 0.0);
    fill_row(r, elements.data());
    for (std::int64_t c = 0; c < columns; ++c) {
      const auto x = static_cast<float>(elements[static_cast<std::size_t>(c)]);
      const auto* bytes = reinterpret_cast<const std::byte*>(&x);
      std::copy_n(bytes, sizeof x, literal.data.begin() + static_cast<std::ptrdiff_t>(sizeof x) * (r * columns + c));
    }
  }
  return e.op(op::constant, {}, {{"value", std::move(literal)}});
}

constexpr std::int64_t max_matrix_side = 4096;

/// The lengths of the last axes before and after, which must be known.
void known_lengths(Call& call, Value v, std::size_t axes, Integers& from, Integers& to) {
  const Dims result = call.result_dims();
  const auto dims = call.emit.dims(v);
  if (dims.size() < axes || result.size() != dims.size())
    throw Error("torch.argument", "the tensor has too few axes");
  for (std::size_t i = dims.size() - axes; i < dims.size(); ++i) {
    const Dim a = dims[i], b = result[i];
    if (!a.is_constant() || !b.is_constant())
      call.unsupported("symbolic sizes");
    if (a.constant() < 1 || b.constant() < 1 || a.constant() > max_matrix_side || b.constant() > max_matrix_side)
      call.unsupported(fmt::format("an axis of {} resized to {}", a.constant(), b.constant()));
    from.push_back(a.constant());
    to.push_back(b.constant());
  }
}

/// Each of the last axes times a matrix.
Value map_axes(Emitter& e, Value v, const std::vector<Value>& matrices) {
  const DType dtype = e.dtype(v);
  v = e.cast(v, DType::f32);
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const std::size_t axis = e.rank(v) - matrices.size() + i, last = e.rank(v) - 1;
    v = e.swap_axes(e.op(op::linear, {e.swap_axes(v, axis, last), matrices[i]}), axis, last);
  }
  return e.cast(v, dtype);
}

}  // namespace

Value convolve(Call& call, Value x, Value weight, const Integers& stride, const Integers& padding,
               const Integers& dilation, std::int64_t groups) {
  Emitter& e = call.emit;
  const std::size_t axes = e.rank(weight) - 2;
  if (e.rank(x) != axes + 2 || stride.size() != axes || padding.size() != axes || dilation.size() != axes || groups < 1)
    throw Error("torch.argument", "input, weight, stride, padding and dilation do not fit each other");
  Windows w{{}, stride, padding, dilation, {}};
  const Dims result = call.result_dims();
  if (result.size() < axes)
    throw Error("torch.argument", "the result has too few axes");
  w.count.assign(result.end() - static_cast<std::ptrdiff_t>(axes), result.end());
  Dim elements = 1, outputs = 1;
  for (std::size_t i = 0; i < axes; ++i) {
    const Dim k = e.dims(weight)[i + 2];
    if (!k.is_constant())
      call.unsupported("a symbolic kernel");
    w.kernel.push_back(k.constant());
    elements = elements * k;
    outputs = outputs * w.count[i];
  }
  const Dim batch = e.dims(x)[0], channels = e.dims(weight)[1], filters = floordiv(e.dims(weight)[0], groups);
  // [N, G, windows, C / G * kernel] times [G, C / G * kernel, O / G]
  Value taken = windows_of(e, x, w, 0.0);
  taken = e.reshape(taken, {batch, groups, channels, outputs, elements});
  taken = e.reshape(e.transpose(taken, {0, 1, 3, 2, 4}), {batch, groups, outputs, channels * elements});
  const Value filter = e.swap_axes(e.reshape(weight, {groups, filters, channels * elements}), 1, 2);
  const Value product = e.swap_axes(e.op(op::matmul, {taken, filter}), 2, 3);
  Dims shape{batch, e.dims(weight)[0]};
  shape.insert(shape.end(), w.count.begin(), w.count.end());
  return e.reshape(product, shape);
}

Value pad_by_index(Call& call, Value v, const Dims& widths, std::string_view mode) {
  Emitter& e = call.emit;
  if (mode != "reflect" && mode != "replicate" && mode != "circular")
    call.unsupported(fmt::format("padding mode '{}'", mode));
  if (widths.size() % 2 != 0 || widths.size() / 2 > e.rank(v))
    throw Error("torch.argument", "there must be two widths for each of some last axes");
  for (std::size_t i = 0; i < widths.size() / 2; ++i) {
    const std::size_t axis = e.rank(v) - 1 - i;
    const Dim n = e.dims(v)[axis], before = widths[2 * i], after = widths[2 * i + 1];
    if (before.is(0) && after.is(0))
      continue;
    const Value at = e.iota(n + before + after, Dim(0) - before), last = e.dim(n - 1, DType::i64);
    Value index;
    if (mode == "replicate")
      index = e.op(op::minimum, {e.op(op::maximum, {at, e.integer(DType::i64, 0)}), last});
    else if (mode == "circular")
      index = e.op(op::remainder, {at, e.dim(n, DType::i64)});
    else
      index = e.sub(last, e.op(op::abs, {e.sub(last, e.op(op::abs, {at}))}));
    v = e.op(op::take, {v, index}, {{"axis", static_cast<std::int64_t>(axis)}});
  }
  return v;
}

void pad_by_index(Call& call, const Lowering& row) {
  call.give(
      pad_by_index(call, call.real_value("self"), call.dims("padding"), row.number == 0.0 ? "reflect" : "replicate"));
}

void average_pool(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const auto axes = static_cast<std::size_t>(row.number);
  const Value v = call.real_value("self");
  const DType dtype = e.dtype(v), wide = compute_dtype(dtype);
  const Windows w = pooling_windows(call, axes);
  if (e.rank(v) < axes)
    throw Error("torch.argument", "the tensor has too few axes");
  const Value taken = windows_of(e, e.cast(v, wide), w, 0.0);
  const Value total = e.reduce(op::sum, taken, last_axes(e, taken, axes), false);
  if (call.takes("divisor_override") && call.has("divisor_override"))
    return call.give(e.cast(e.div(total, e.scalar(wide, call.real("divisor_override"))), dtype));
  // How many elements each window has: a pooling of ones, where the padding counts or does not.
  const auto dims = e.dims(v);
  Dims plane(dims.end() - static_cast<std::ptrdiff_t>(axes), dims.end());
  Windows bare = w;
  if (call.boolean("count_include_pad")) {
    for (std::size_t i = 0; i < axes; ++i) {
      plane[i] = plane[i] + 2 * w.padding[i];
      bare.padding[i] = 0;
    }
  }
  const Value ones = windows_of(e, e.full(plane, 1.0, wide), bare, 0.0);
  call.give(e.cast(e.div(total, e.reduce(op::sum, ones, last_axes(e, ones, axes), false)), dtype));
}

/// The largest element of each window and, where they are wanted, its position in the flattened last axes.
void max_pool(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const auto axes = static_cast<std::size_t>(row.number);
  const Value v = call.real_value("self");
  if (!is_float(e.dtype(v)))
    call.unsupported("integers");
  const Windows w = pooling_windows(call, axes);
  const double lowest = -std::numeric_limits<double>::infinity();
  const Value taken = windows_of(e, v, w, lowest);
  call.give(e.reduce(op::reduce_max, taken, last_axes(e, taken, axes), false));
  if (call.num_results() < 2)
    return;
  const auto dims = e.dims(v);
  const Dims plane(dims.end() - static_cast<std::ptrdiff_t>(axes), dims.end());
  Dim area = 1, elements = 1;
  for (std::size_t i = 0; i < axes; ++i) {
    area = area * plane[i];
    elements = elements * w.kernel[i];
  }
  const auto joined = [&](Value windows) {
    const auto d = e.dims(windows);
    Dims shape(d.begin(), d.end() - static_cast<std::ptrdiff_t>(axes));
    shape.push_back(elements);
    return e.reshape(windows, shape);
  };
  const Value flat = joined(taken);
  const auto last = static_cast<std::int64_t>(e.rank(flat) - 1);
  const Value best = e.op(op::argmax, {flat}, {{"axis", last}, {"keepdims", true}});
  Value positions = joined(windows_of(e, e.reshape(e.iota(area), plane), w, 0.0));
  const auto shape = e.dims(flat);
  positions = e.expand(positions, Dims(shape.begin(), shape.end()));
  call.give(e.reshape(e.op(op::gather, {positions, best}, {{"axis", last}}), call.result_dims(1)));
}

void adaptive_average_pool(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const auto axes = static_cast<std::size_t>(row.number);
  const Value v = call.real_value("self");
  Integers from, to;
  known_lengths(call, v, axes, from, to);
  std::vector<Value> matrices;
  for (std::size_t i = 0; i < axes; ++i) {
    const std::int64_t n = from[i], m = to[i];
    matrices.push_back(matrix(e, m, n, [&](std::int64_t r, double* elements) {
      const std::int64_t start = r * n / m, end = ((r + 1) * n + m - 1) / m;
      std::fill(elements + start, elements + end, 1.0 / static_cast<double>(end - start));
    }));
  }
  call.give(map_axes(e, v, matrices));
}

/// Nearest (number 0) or bilinear (1), as aten/src/ATen/native/UpSample.h finds the sources.
void upsample(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value v = call.real_value("input");
  Integers from, to;
  known_lengths(call, v, 2, from, to);
  const std::vector<double> factors = call.has("scale_factors") ? call.reals("scale_factors") : std::vector<double>{};
  const bool corners = row.number == 1.0 && call.boolean("align_corners");
  std::vector<Value> matrices;
  Value nearest = v;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t n = from[i], m = to[i];
    double scale = i < factors.size() ? 1.0 / factors[i] : static_cast<double>(n) / static_cast<double>(m);
    if (corners)
      scale = m > 1 ? static_cast<double>(n - 1) / static_cast<double>(m - 1) : 0.0;
    if (row.number == 0.0) {
      // floor(position * scale): taken, not multiplied, so that an infinity stays where it is.
      const Value at = e.op(op::floor, {e.mul(e.iota(m, 0, 1, DType::f32), scale)});
      const Value index = e.op(op::minimum, {e.cast(at, DType::i64), e.integer(DType::i64, n - 1)});
      nearest = e.op(op::take, {nearest, index}, {{"axis", static_cast<std::int64_t>(e.rank(v) - 2 + i)}});
      continue;
    }
    matrices.push_back(matrix(e, m, n, [&](std::int64_t r, double* elements) {
      const double at = corners ? scale * static_cast<double>(r) : scale * (static_cast<double>(r) + 0.5) - 0.5;
      const double source = std::max(at, 0.0);
      const std::int64_t low = std::min(static_cast<std::int64_t>(source), n - 1), high = std::min(low + 1, n - 1);
      const double weight = std::clamp(source - static_cast<double>(low), 0.0, 1.0);
      elements[low] += 1.0 - weight;
      elements[high] += weight;
    }));
  }
  call.give(row.number == 0.0 ? nearest : map_axes(e, v, matrices));
}

}  // namespace tandem::torch::lower
