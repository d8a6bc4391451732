// A warm run allocates nothing: counted by the process's own operator new.
#include <tandem/runtime/executor.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include <tandem/ir/builder.h>
#include <tests/support/catch.h>

namespace {

[[maybe_unused]] std::atomic<long> allocations{0};
[[maybe_unused]] thread_local bool counting = false;

}  // namespace

// Sanitizers bring an operator new of their own, which must stay.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void* operator new(std::size_t size) {
  if (counting)
    ++allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size))
    return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  if (counting)
    ++allocations;
  const auto a = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(a, (size + a - 1) / a * a))
    return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

TEST_CASE("executor: a warm run into the caller's buffers allocates nothing") {
  using namespace tandem;
  GraphBuilder b(Context::create(), "g");
  const Dim T = b.dim("T");
  const Value x = b.input("x", DType::bf16, {T, 32}), w = b.input("w", DType::bf16, {48, 32});
  const Value scale = b.input("scale", DType::bf16, {40});
  const Value p = b.op("linear", {x, w});
  const auto [q, rest] = b.op<2>("split", {p}, {{"axis", -1}, {"sizes", {40, 8}}});
  b.output(b.op("rms_norm", {q, scale}, {{"eps", 1e-6}}));
  b.output(b.op("softmax", {b.op("silu", {rest})}, {{"axis", -1}}));
  Executor executor(Plan::compile(std::move(b).finish()));

  const auto zeros = [](std::vector<std::int64_t> shape) { return Tensor::zeros(DType::bf16, shape); };
  for (const std::int64_t t : {1, 7}) {
    const std::vector<Tensor> owners{zeros({t, 32}), zeros({48, 32}), zeros({40}), zeros({t, 40}), zeros({t, 8})};
    const std::vector<TensorView> in{owners[0].view, owners[1].view, owners[2].view};
    const std::vector<TensorView> out{owners[3].view, owners[4].view};
    executor.run_into(in, out);
    allocations = 0;
    counting = true;
    for (int i = 0; i < 10; ++i)
      executor.run_into(in, out);
    counting = false;
    CHECK(allocations == 0);
    counting = true;
    zeros({1});  // the counter does count
    counting = false;
    CHECK(allocations > 0);
  }
}

#endif
