// Norms on the GPU against the float64 reference, and against themselves for other numbers of rows.
#include <cstring>

#include <tests/gpu/gpu_test.h>

using namespace tandem;
using namespace tandem::test;

namespace {

/// Columns [from, from + length) of rows that lie `pitch` elements apart, at an offset: as views of a projection.
Tensor columns(Random& random, DType dtype, std::int64_t rows, std::int64_t length, std::int64_t pitch,
               std::int64_t offset) {
  Tensor storage = random_tensor(random, dtype, {rows * pitch + offset + length}, Values::ordinary, true);
  Tensor out = storage;
  out.view.data += offset * static_cast<std::int64_t>(byte_size(dtype));
  out.view.rank = 2;
  out.view.shape = {rows, length};
  out.view.strides = {pitch, 1};
  return out;
}

std::vector<NamedAttr> dual_attrs(bool round) {
  return {{"eps_q", 1e-6}, {"eps_kv", 1e-5}, {"round_before_weight", round}};
}

/// So many that a norm takes a wave a row, not a block (norm_launch.cpp).
std::int64_t many_rows() {
  return 8 * the_gpu().device().multiprocessors + 44;
}

/// One more rounding of the result's dtype where the normalised value is rounded before the weight. Of f64 rows the
/// reference's own sum is no more exact than the GPU's.
double steps(DType dtype, bool round) {
  if (dtype == DType::f64)
    return 64;
  return round ? 8 + epsilon(dtype) / epsilon(DType::f32) : 8;
}

}  // namespace

TEST_CASE("gpu: the dual norm agrees with the reference for views of a projection") {
  Random random(1);
  struct Dims {
    std::int64_t q, kv, pe;
  };
  for (const Dims& d : {Dims{1536, 512, 64}, Dims{1535, 511, 63}, Dims{768, 256, 32}, Dims{2048, 2048, 0},
                        Dims{8, 8, 0}, Dims{1, 3, 1}, Dims{4096, 512, 64}, Dims{16392, 24, 8}})
    for (const DType dtype : {DType::bf16, DType::f16, DType::f32, DType::f64})
      for (const std::int64_t rows : {std::int64_t{0}, std::int64_t{1}, std::int64_t{3}, many_rows()}) {
        if (rows > 3 && (d.q > 2048 || dtype == DType::f64))
          continue;
        const bool round = random() % 2 == 0;
        const DType weight = random() % 2 == 0 ? dtype : DType::f32;
        const std::int64_t pitch = d.q + d.kv + d.pe;
        INFO(d.q << " " << d.kv << " " << to_string(dtype) << " " << rows << " rows");
        expect_gpu({"fused_mla_dual_rms_norm",
                    {columns(random, dtype, rows, d.q, pitch, 0), random_tensor(random, weight, {d.q}),
                     columns(random, dtype, rows, d.kv, pitch, d.q), random_tensor(random, dtype, {d.kv})},
                    dual_attrs(round)},
                   random, steps(dtype, round));
      }
}

TEST_CASE("gpu: every way of taking rows agrees with the reference") {
  Random random(6);
  const auto dense = [&](DType dtype, std::vector<std::int64_t> shape) {
    return random_tensor(random, dtype, std::move(shape), Values::ordinary, true);
  };
  const std::vector<NamedAttr> eps{{"eps", 1e-6}};
  for (const DType dtype : {DType::bf16, DType::f16, DType::f32})
    for (const std::int64_t rows : {std::int64_t{3}, many_rows() - 44, many_rows()}) {
      INFO(to_string(dtype) << ", " << rows << " rows");
      for (const auto& [q, kv] : {std::pair{1536, 512}, {768, 256}, {2048, 512}, {2048, 1024}, {1535, 511}, {4096, 64}})
        for (const DType weight : {dtype, DType::f32}) {
          if (weight != dtype && q != 1536)
            continue;
          const Tensor q_weight = dense(weight, {q}), kv_weight = dense(weight, {kv});
          expect_gpu({"fused_mla_dual_rms_norm",
                      {dense(dtype, {rows, q}), q_weight, dense(dtype, {rows, kv}), kv_weight},
                      dual_attrs(false)},
                     random, steps(dtype, false), 0, true);
        }
      for (const std::int64_t length : {64, 1024, 8192}) {
        if (length * rows > 100000)
          continue;
        expect_gpu({"rms_norm", {dense(dtype, {rows, length}), dense(dtype, {length})}, eps}, random, 16, 0, true);
        expect_gpu({"rms_norm", {dense(dtype, {rows, length})}, eps}, random, 16, 0, true);
      }
    }
}

TEST_CASE("gpu: the dual norm takes any strides, offsets and leading axes") {
  Random random(2);
  for (int i = 0; i < rounds(24); ++i) {
    const DType dtype = any_of(random, gpu_floats);
    std::vector<std::int64_t> q = random_shape(random, 1, 3, 6);
    q.back() = pick(random, 0, 9) == 0 ? 0 : pick(random, 1, 300);
    std::vector<std::int64_t> kv = q;
    kv.back() = pick(random, 1, 90);
    const bool round = random() % 2 == 0;
    expect_gpu_twice({"fused_mla_dual_rms_norm",
                      {random_tensor(random, dtype, q), random_tensor(random, dtype, {q.back()}),
                       random_tensor(random, dtype, kv), random_tensor(random, DType::f32, {kv.back()})},
                      dual_attrs(round)},
                     random, steps(dtype, round));
  }
}

TEST_CASE("gpu: a row's norm does not depend on how many rows there are") {
  Random random(3);
  const KernelTable table = gpu_table(the_gpu());
  struct Dims {
    std::int64_t length, kv, pitch;
  };
  for (const DType dtype : {DType::bf16, DType::f16, DType::f32})
    for (const auto& [length, kv_length, pitch] : {Dims{1536, 512, 2112}, {776, 512, 2112}, {1535, 511, 2109}}) {
      const std::int64_t rows = many_rows(), probed = rows / 2;
      const Tensor q = columns(random, dtype, rows, length, pitch, 0),
                   kv = columns(random, dtype, rows, kv_length, pitch, length);
      const Tensor qw = random_tensor(random, dtype, {length}, Values::ordinary, true);
      const Tensor kvw = random_tensor(random, dtype, {kv_length}, Values::ordinary, true);
      const auto run = [&](std::int64_t first, std::int64_t count) {
        Tensor some_q = q, some_kv = kv;
        for (Tensor* t : {&some_q, &some_kv}) {
          t->view.data += first * pitch * static_cast<std::int64_t>(byte_size(dtype));
          t->view.shape[0] = count;
        }
        return Comparison("fused_mla_dual_rms_norm", {some_q, qw, some_kv, kvw}, dual_attrs(false))
            .run(table, random, true);
      };
      const auto all = run(0, rows), one = run(probed, 1), few = run(probed - 7, 20);
      for (std::size_t result = 0; result < 2; ++result) {
        const auto row = [&](const Tensor& t, std::int64_t r) {
          TensorView view = t.view;
          view.data += r * view.strides[0] * static_cast<std::int64_t>(byte_size(dtype));
          view.shape[0] = 1;
          return view;
        };
        CHECK(difference(row(all[result], probed), row(one[result], 0), {}) == "");
        CHECK(difference(row(all[result], probed), row(few[result], 7), {}) == "");
      }
    }
}

TEST_CASE("gpu: a row's norm does not depend on where the row lies") {
  Random random(7);
  const KernelTable table = gpu_table(the_gpu());
  for (const DType dtype : {DType::bf16, DType::f16, DType::f32})
    for (const std::int64_t rows : {std::int64_t{2}, many_rows()}) {
      const Tensor aligned = random_tensor(random, dtype, {rows, 768}, Values::ordinary, true);
      const Tensor weight = random_tensor(random, dtype, {768}, Values::ordinary, true);
      const auto normed = [&](const Tensor& x) {
        return std::move(Comparison("rms_norm", {x, weight}, {{"eps", 1e-6}}).run(table, random, true)[0]);
      };
      const Tensor want = normed(aligned);
      for (const std::int64_t offset : {1, 3, 6}) {
        Tensor shifted = columns(random, dtype, rows, 768, 768 + offset, offset);
        for (std::int64_t i = 0; i < rows * 768; ++i)
          store_element(shifted.view, i, load_element(aligned.view, i));
        INFO(to_string(dtype) << ", " << rows << " rows, " << offset << " elements behind an aligned place");
        CHECK(difference(normed(shifted).view, want.view, {}) == "");
      }
    }
}

TEST_CASE("gpu: NaN, infinities and zeros go through the dual norm as through the reference") {
  Random random(4);
  for (const DType dtype : {DType::bf16, DType::f16, DType::f32})
    for (const std::int64_t rows : {std::int64_t{5}, many_rows()}) {
      Tensor q = columns(random, dtype, rows, 1536, 2112, 0), kv = columns(random, dtype, rows, 512, 2112, 1536);
      for (std::int64_t i = 0; i < 1536; ++i)
        store_element(q.view, i, 0.0);                // a row of zeros
      store_element(q.view, 1536 + 7, std::nan(""));  // a NaN in a row
      store_element(kv.view, 2 * 512 + 3, HUGE_VAL);  // an infinity
      expect_gpu_twice({"fused_mla_dual_rms_norm",
                        {q, random_tensor(random, dtype, {1536}), kv, random_tensor(random, dtype, {512})},
                        {{"eps_q", 0.0}, {"eps_kv", 1e-6}}},
                       random, 8);
    }
}

TEST_CASE("gpu: rms_norm and layer_norm agree with the reference") {
  Random random(5);
  const std::vector<DType> dtypes{DType::f64, DType::f32, DType::f16, DType::bf16, DType::f8e4m3, DType::f8e5m2};
  for (int i = 0; i < rounds(30); ++i) {
    const DType dtype = any_of(random, dtypes);
    std::vector<std::int64_t> shape = random_shape(random, 1, 3);
    shape.back() = i % 3 == 0 ? 8 * pick(random, 1, 2000) : pick(random, 1, 300);
    const bool dense = i % 3 == 0;
    const Tensor x = random_tensor(random, dtype, shape, Values::ordinary, dense);
    const Tensor w = random_tensor(random, dtype, {shape.back()}, Values::ordinary, dense);
    const Tensor b = random_tensor(random, dtype, {shape.back()});
    expect_gpu_twice({"rms_norm", {x, w}, {{"eps", 1e-6}}}, random, 16);
    expect_gpu_twice({"rms_norm", {x}, {{"eps", 1e-3}}}, random, 16);
    expect_gpu_twice({"layer_norm", {x, w, b}, {{"eps", 1e-3}}}, random, 64, 4);
  }
}
