// Describing, choosing and running matrix products.
#include <tandem/runtime/hip/blas.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>

namespace tandem::hip {
namespace {

/// What alpha and beta are made of, and sums too.
bool in_f64(const Gemm& g) {
  return g.in == DType::f64;
}
bool is_f8(DType dtype) {
  return byte_size(dtype) == 1;
}

}  // namespace

GemmPlan::Object& GemmPlan::Object::operator=(Object&& o) noexcept {
  if (this != &o) {
    reset();
    object_ = std::exchange(o.object_, nullptr);
    destroy_ = o.destroy_;
  }
  return *this;
}
void GemmPlan::Object::reset() {
  if (object_)
    static_cast<void>((*destroy_)(object_));
  object_ = nullptr;
}

void GemmPlan::run(const GemmOperands& o, void* workspace, void* stream) const {
  const BlasApi& api = *blas_->api_;
  if (gemm_.has_bias)
    blas_->check(api.desc_set(desc_.get(), api.numbers.desc_bias, &o.bias, sizeof o.bias), "MatmulDescSetAttribute");
  const float one = 1, zero = 0;
  const double one64 = 1, zero64 = 0;
  const void* alpha = in_f64(gemm_) ? static_cast<const void*>(&one64) : &one;
  const void* beta = in_f64(gemm_) ? static_cast<const void*>(&zero64) : &zero;
  // Column-major D^T = B^T A^T. C is not read. It is D, which hipBLASLt wants there, but for 8-bit results of cuBLASLt:
  // there C has another type, and what is in place must not.
  const bool no_c = is_f8(gemm_.out) && blas_->device_->info().platform == GpuPlatform::cuda;
  blas_->check(
      api.multiply(blas_->handle_, desc_.get(), alpha, o.b, a_.get(), o.a, b_.get(), beta, no_c ? nullptr : o.d,
                   c_.get(), o.d, d_.get(), algorithm_, workspace, algorithm_.workspace, stream),
      "Matmul");
}

std::shared_ptr<Blas> Blas::open(std::shared_ptr<const Device> device, std::shared_ptr<const BlasApi> api) {
  const std::shared_ptr<Blas> blas(new Blas(std::move(device), std::move(api)));
  const DeviceScope scope(*blas->device_);
  void* handle = nullptr;
  blas->check(blas->api_->create(&handle), "Create");
  blas->handle_ = handle;
  return blas;
}

Blas::~Blas() {
  if (handle_)
    give_back(*device_, [this] { static_cast<void>(api_->destroy(handle_)); });
}

void Blas::check(int status, const char* call) const {
  if (status != 0)
    throw Error("hip.call", fmt::format("{} of {} failed with status {}", call, api_->library, status));
}

GemmPlan Blas::describe(const Gemm& g) const {
  const BlasNumbers& n = api_->numbers;
  GemmPlan plan;
  plan.blas_ = shared_from_this();
  plan.gemm_ = g;
  const int scale = blas_type(in_f64(g) ? DType::f64 : DType::f32);
  void* object = nullptr;
  check(api_->desc_create(&object, in_f64(g) ? n.compute_f64 : n.compute_f32, scale), "MatmulDescCreate");
  plan.desc_ = {object, &api_->desc_destroy};
  const auto set = [&](int attribute, const auto& value) {
    check(api_->desc_set(plan.desc_.get(), attribute, &value, sizeof value), "MatmulDescSetAttribute");
  };
  const std::int32_t first = g.b_transposed ? n.op_t : n.op_n, second = g.a_transposed ? n.op_t : n.op_n;
  set(n.desc_transpose_a, first);
  set(n.desc_transpose_b, second);
  if (g.has_bias) {
    const auto epilogue = static_cast<std::uint32_t>(n.epilogue_bias);
    const std::int32_t bias_type = blas_type(g.out);
    set(n.desc_epilogue, epilogue);
    set(n.desc_bias_type, bias_type);
  }
  const auto layout = [&](DType dtype, std::int64_t rows, std::int64_t columns, std::int64_t leading,
                          std::int64_t stride) {
    void* made = nullptr;
    check(api_->layout_create(&made, blas_type(dtype), static_cast<std::uint64_t>(rows),
                              static_cast<std::uint64_t>(columns), leading),
          "MatrixLayoutCreate");
    GemmPlan::Object out(made, &api_->layout_destroy);
    if (g.batch > 1) {
      const auto count = static_cast<std::int32_t>(g.batch);
      check(api_->layout_set(made, n.layout_batch_count, &count, sizeof count), "MatrixLayoutSetAttribute");
      check(api_->layout_set(made, n.layout_batch_stride, &stride, sizeof stride), "MatrixLayoutSetAttribute");
    }
    return out;
  };
  plan.a_ = layout(g.in, g.b_transposed ? g.k : g.n, g.b_transposed ? g.n : g.k, g.row_b, g.batch_b);
  plan.b_ = layout(g.in, g.a_transposed ? g.m : g.k, g.a_transposed ? g.k : g.m, g.row_a, g.batch_a);
  plan.c_ = layout(is_f8(g.out) ? DType::bf16 : g.out, g.n, g.m, g.row_d, g.batch_d);
  plan.d_ = layout(g.out, g.n, g.m, g.row_d, g.batch_d);
  return plan;
}

std::vector<BlasAlgorithm> Blas::propose(const GemmPlan& plan, int wanted) const {
  const BlasNumbers& n = api_->numbers;
  void* preference = nullptr;
  check(api_->preference_create(&preference), "MatmulPreferenceCreate");
  const GemmPlan::Object owner(preference, &api_->preference_destroy);
  const std::uint64_t workspace = blas_workspace_bytes;
  check(api_->preference_set(preference, n.preference_workspace, &workspace, sizeof workspace),
        "MatmulPreferenceSetAttribute");
  for (int i = 0; n.preference_alignment >= 0 && i < 4; ++i) {
    const auto bytes = static_cast<std::uint32_t>(plan.gemm_.alignment);
    check(api_->preference_set(preference, n.preference_alignment + i, &bytes, sizeof bytes),
          "MatmulPreferenceSetAttribute");
  }
  std::vector<BlasAlgorithm> algorithms(static_cast<std::size_t>(wanted));
  int found = 0;
  // A library that does not know the combination says so here; that is no error.
  const int status = api_->find_algorithms(handle_, plan.desc_.get(), plan.a_.get(), plan.b_.get(), plan.c_.get(),
                                           plan.d_.get(), preference, wanted, algorithms.data(), &found);
  algorithms.resize(status == 0 ? static_cast<std::size_t>(std::max(found, 0)) : 0);
  std::erase_if(algorithms, [](const BlasAlgorithm& a) { return a.workspace > blas_workspace_bytes; });
  return algorithms;
}

std::optional<GemmPlan> Blas::prepare(const Gemm& gemm, bool measure) {
  constexpr int proposals = 16;
  const DeviceScope scope(*device_);
  GemmPlan plan = describe(gemm);
  const std::lock_guard lock(mutex_);
  const auto [it, fresh] = chosen_.try_emplace({gemm, measure});
  if (fresh) {
    try {
      const std::vector<BlasAlgorithm> algorithms = propose(plan, measure ? proposals : 1);
      if (algorithms.empty())
        return std::nullopt;
      const std::optional<std::size_t> fastest = measure ? measure_fastest(plan, algorithms) : 0;
      if (fastest)
        it->second = algorithms[*fastest];
    } catch (...) {
      chosen_.erase(it);
      throw;
    }
  }
  if (!it->second)
    return std::nullopt;
  plan.algorithm_ = *it->second;
  return plan;
}

}  // namespace tandem::hip
