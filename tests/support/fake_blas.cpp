// The fake GPU's library for matrix products: column-major, computed in f64.
#include <cstring>
#include <map>

#include <tandem/kernels/tensor.h>
#include <tests/support/fake_gpu.h>

namespace tandem::test {
namespace {

/// A description: attributes as they were set.
struct Object {
  std::map<int, std::int64_t> values;
  int type = 0;
  std::int64_t rows = 0, columns = 0, leading = 0;

  std::int64_t get(int attribute, std::int64_t otherwise) const {
    const auto it = values.find(attribute);
    return it == values.end() ? otherwise : it->second;
  }
};

DType dtype_of(int type) {
  for (const DType d : {DType::f32, DType::f64, DType::f16, DType::bf16, DType::f8e4m3})
    if (hip::blas_type(d) == type)
      return d;
  return DType::f32;
}

TensorView matrix(const Object& o, const void* data, std::int64_t batch, int stride_attribute) {
  const std::int64_t shape[] = {o.rows, o.columns};
  TensorView v = make_view(nullptr, dtype_of(o.type), shape);
  v.strides = {1, o.leading};
  const std::int64_t offset = batch * o.get(stride_attribute, 0) * static_cast<std::int64_t>(byte_size(v.dtype));
  v.data = static_cast<std::byte*>(const_cast<void*>(data)) + offset;
  return v;
}

double at(const TensorView& v, bool transposed, std::int64_t row, std::int64_t column) {
  return load_element(v, transposed ? column * v.shape[1] + row : row * v.shape[1] + column);
}

}  // namespace

std::shared_ptr<const hip::BlasApi> FakeBlas::api(FakeGpu& gpu) {
  auto api = std::make_shared<hip::BlasApi>();
  api->library = "libfakeblas.so";
  api->numbers = hip::hipblaslt_numbers();
  const hip::BlasNumbers n = api->numbers;
  const auto fails = [this] { return fail_call >= 0 && fail_call-- == 0; };
  const auto create = [this, fails](void** out) {
    if (fails())
      return 7;
    ++live;
    *out = new Object;
    return 0;
  };
  const auto destroy = [this](void* object) {
    --live;
    delete static_cast<Object*>(object);
    return 0;
  };
  const auto set = [fails](void* object, int attribute, const void* value, std::size_t size) {
    std::int64_t wide = 0;
    std::memcpy(&wide, value, size);
    static_cast<Object*>(object)->values[attribute] = wide;
    return fails() ? 7 : 0;
  };
  api->create = create;
  api->destroy = destroy;
  api->desc_create = [create](void** out, int, int) { return create(out); };
  api->desc_destroy = destroy;
  api->desc_set = set;
  api->layout_create = [create](void** out, int type, std::uint64_t rows, std::uint64_t columns, std::int64_t leading) {
    if (create(out) != 0)
      return 7;
    auto* o = static_cast<Object*>(*out);
    o->type = type;
    o->rows = static_cast<std::int64_t>(rows);
    o->columns = static_cast<std::int64_t>(columns);
    o->leading = leading;
    return 0;
  };
  api->layout_destroy = destroy;
  api->layout_set = set;
  api->preference_create = create;
  api->preference_destroy = destroy;
  api->preference_set = set;
  api->find_algorithms = [this, fails](void*, void*, void*, void*, void*, void*, void*, int wanted,
                                       hip::BlasAlgorithm* algorithms, int* found) {
    *found = knows_everything ? std::min(wanted, proposals) : 0;
    for (int i = 0; i < *found; ++i) {
      algorithms[i].description[0] = static_cast<std::byte>(proposals - i);  // how slow it is
      algorithms[i].workspace = 64;
    }
    return fails() ? 7 : 0;
  };
  api->multiply = [this, n, &gpu, fails](void*, void* desc, const void*, const void* a, void* la, const void* b,
                                         void* lb, const void*, const void* c, void*, void* d, void* ld,
                                         const hip::BlasAlgorithm& algorithm, void*, std::size_t, void* stream) {
    if (fails() || runs_nothing)
      return 7;
    ++products;
    products_without_c += c == nullptr ? 1 : 0;
    const Object o = *static_cast<Object*>(desc), oa = *static_cast<Object*>(la), ob = *static_cast<Object*>(lb),
                 od = *static_cast<Object*>(ld);
    const int slowness = static_cast<int>(algorithm.description[0]);
    gpu.queue(stream, [=, &gpu] {
      gpu.ran.insert(gpu.ran.end(), static_cast<std::size_t>(slowness), "slow");
      const bool ta = o.get(n.desc_transpose_a, n.op_n) == n.op_t, tb = o.get(n.desc_transpose_b, n.op_n) == n.op_t;
      for (std::int64_t batch = 0; batch < od.get(n.layout_batch_count, 1); ++batch) {
        const TensorView va = matrix(oa, a, batch, n.layout_batch_stride),
                         vb = matrix(ob, b, batch, n.layout_batch_stride),
                         vd = matrix(od, d, batch, n.layout_batch_stride);
        const std::int64_t k = ta ? va.shape[0] : va.shape[1];
        for (std::int64_t i = 0; i < vd.shape[0]; ++i) {
          double bias = 0;
          if (o.values.contains(n.desc_epilogue)) {
            const std::int64_t length[] = {vd.shape[0]};
            void* data = reinterpret_cast<void*>(o.get(n.desc_bias, 0));
            bias = load_element(make_view(data, dtype_of(static_cast<int>(o.get(n.desc_bias_type, 0))), length), i);
          }
          for (std::int64_t j = 0; j < vd.shape[1]; ++j) {
            double sum = bias;
            for (std::int64_t x = 0; x < k; ++x)
              sum += at(va, ta, i, x) * at(vb, tb, x, j);
            store_element(vd, i * vd.shape[1] + j, sum);
          }
        }
      }
    });
    return 0;
  };
  return api;
}

}  // namespace tandem::test
