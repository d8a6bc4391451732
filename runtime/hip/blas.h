// Matrix products by a vendor's library.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <tandem/runtime/hip/blas_api.h>
#include <tandem/runtime/hip/device.h>
#include <tandem/runtime/hip/gemm.h>
#include <tandem/runtime/hip/stream.h>

namespace tandem::hip {

/// Bytes of workspace that algorithms may use: what cuBLAS takes on Hopper by itself.
inline constexpr std::size_t blas_workspace_bytes = std::size_t{32} << 20;

class Blas;

/// One product, prepared: descriptions and the algorithm. Serves one thread at a time.
class GemmPlan {
 public:
  GemmPlan(GemmPlan&&) noexcept = default;
  GemmPlan& operator=(GemmPlan&&) noexcept = default;

  const Gemm& gemm() const { return gemm_; }
  std::size_t workspace() const { return algorithm_.workspace; }
  /// Throws Error "hip.call".
  void run(const GemmOperands& operands, void* workspace, void* stream) const;

 private:
  friend class Blas;
  /// A description and what destroys it.
  class Object {
   public:
    Object() = default;
    Object(void* object, const std::function<int(void*)>* destroy) : object_(object), destroy_(destroy) {}
    ~Object() { reset(); }
    Object(Object&& o) noexcept { *this = std::move(o); }
    Object& operator=(Object&& o) noexcept;
    void* get() const { return object_; }

   private:
    void reset();
    void* object_ = nullptr;
    const std::function<int(void*)>* destroy_ = nullptr;
  };
  GemmPlan() = default;

  std::shared_ptr<const Blas> blas_;
  Gemm gemm_;
  Object desc_, a_, b_, c_, d_;
  BlasAlgorithm algorithm_;
};

/// A library's handle on a device, and the algorithms that were chosen. May be used from several threads.
class Blas : public std::enable_shared_from_this<Blas> {
 public:
  /// Throws Error "hip.call".
  static std::shared_ptr<Blas> open(std::shared_ptr<const Device> device, std::shared_ptr<const BlasApi> api);
  ~Blas();
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;

  const BlasApi& api() const { return *api_; }

  /// Prepares a product with the algorithm that the library thinks best or, with `measure`, with the fastest of those
  /// that it proposes, timed once for each Gemm on memory of its own. None when the library has no algorithm for it.
  /// Throws Error "hip.call".
  std::optional<GemmPlan> prepare(const Gemm& gemm, bool measure);

 private:
  Blas(std::shared_ptr<const Device> device, std::shared_ptr<const BlasApi> api)
      : device_(std::move(device)), api_(std::move(api)) {}
  friend class GemmPlan;

  GemmPlan describe(const Gemm& gemm) const;
  std::vector<BlasAlgorithm> propose(const GemmPlan& plan, int wanted) const;
  /// The position of the fastest; none when none of them runs.
  std::optional<std::size_t> measure_fastest(GemmPlan& plan, const std::vector<BlasAlgorithm>& algorithms) const;
  void check(int status, const char* call) const;

  std::shared_ptr<const Device> device_;
  std::shared_ptr<const BlasApi> api_;
  void* handle_ = nullptr;
  std::mutex mutex_;
  /// By product and whether it was measured; none: the library has no algorithm.
  std::map<std::pair<Gemm, bool>, std::optional<BlasAlgorithm>> chosen_;
};

}  // namespace tandem::hip
