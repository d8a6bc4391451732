// Loading hipBLASLt and cuBLASLt.
#include <tandem/runtime/hip/blas_api.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/runtime/hip/library.h>

namespace tandem::hip {
namespace {

/// What a library writes for each algorithm that it proposes; both end alike.
template <std::size_t DescriptionBytes>
struct HeuristicResult {
  alignas(8) std::byte description[DescriptionBytes];
  std::size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
// cublasLtMatmulAlgo_t: uint64_t[8]. hipblasLtMatmulAlgo_t: uint8_t[16] and a size_t.
using CublasResult = HeuristicResult<64>;
using HipblasResult = HeuristicResult<24>;
static_assert(sizeof(CublasResult) == 96 && sizeof(HipblasResult) == 56);

/// Symbols that need an adapter because of what they take.
struct Functions {
  Library library;
  int (*find)(void*, void*, void*, void*, void*, void*, void*, int, void*, int*) = nullptr;
  int (*multiply)(void*, void*, const void*, const void*, void*, const void*, void*, const void*, const void*, void*,
                  void*, void*, const void*, void*, std::size_t, void*) = nullptr;
};

template <class Result>
int find_algorithms(const Functions& f, void* handle, void* desc, void* a, void* b, void* c, void* d, void* preference,
                    int wanted, BlasAlgorithm* algorithms, int* found) {
  std::vector<Result> results(static_cast<std::size_t>(wanted));
  int n = 0;
  const int status = f.find(handle, desc, a, b, c, d, preference, wanted, results.data(), &n);
  *found = 0;
  for (int i = 0; status == 0 && i < std::min(n, wanted); ++i) {
    const Result& r = results[static_cast<std::size_t>(i)];
    if (r.state != 0)
      continue;
    BlasAlgorithm& out = algorithms[(*found)++];
    std::memcpy(out.description.data(), r.description, sizeof(r.description));
    out.workspace = r.workspace;
  }
  return status;
}

template <class R, class... A>
void load_into(std::function<R(A...)>& entry, const Library& library, const std::string& name,
               std::vector<std::string>& missing) {
  R (*function)(A...) = nullptr;
  library.load(function, name.c_str(), missing);
  entry = function;
}

}  // namespace

BlasNumbers hipblaslt_numbers() {
  BlasNumbers n;
  n.op_n = 111;
  n.op_t = 112;
  n.compute_f32 = 2;
  n.compute_f64 = 7;
  n.desc_transpose_a = 0;
  n.desc_transpose_b = 1;
  n.desc_epilogue = 2;
  n.desc_bias = 3;
  n.desc_bias_type = 4;
  n.layout_batch_count = 0;
  n.layout_batch_stride = 1;
  n.preference_workspace = 1;
  return n;
}

BlasNumbers cublaslt_numbers() {
  BlasNumbers n;
  n.op_n = 0;
  n.op_t = 1;
  n.compute_f32 = 68;
  n.compute_f64 = 70;
  n.desc_transpose_a = 3;
  n.desc_transpose_b = 4;
  n.desc_epilogue = 7;
  n.desc_bias = 8;
  n.desc_bias_type = 26;
  n.layout_batch_count = 5;
  n.layout_batch_stride = 6;
  n.preference_workspace = 1;
  n.preference_alignment = 5;
  return n;
}

int blas_type(DType dtype) {
  switch (dtype) {
    case DType::f32: return 0;
    case DType::f64: return 1;
    case DType::f16: return 2;
    case DType::bf16: return 14;
    case DType::f8e4m3: return 28;
    case DType::f8e5m2: return 29;
    case DType::f8e4m3fnuz: return 1000;
    default: return -1;
  }
}

BlasSearch load_blas(GpuPlatform platform) {
  const bool amd = platform == GpuPlatform::rocm;
  const std::string base = amd ? "libhipblaslt" : "libcublasLt";
  const std::vector<std::string> names = amd ? std::vector{base + ".so.1", base + ".so.0", base + ".so"}
                                             : std::vector{base + ".so.13", base + ".so.12", base + ".so"};
  std::string reason;
  auto functions = std::make_shared<Functions>();
  functions->library = Library::open(names, reason);
  if (!functions->library)
    return {nullptr, reason};
  const Library& library = functions->library;
  auto api = std::make_shared<BlasApi>();
  api->library = library.name();
  api->numbers = amd ? hipblaslt_numbers() : cublaslt_numbers();
  const std::string p = amd ? "hipblasLt" : "cublasLt";
  std::vector<std::string> missing;
  load_into(api->create, library, p + "Create", missing);
  load_into(api->destroy, library, p + "Destroy", missing);
  load_into(api->desc_create, library, p + "MatmulDescCreate", missing);
  load_into(api->desc_destroy, library, p + "MatmulDescDestroy", missing);
  load_into(api->desc_set, library, p + "MatmulDescSetAttribute", missing);
  load_into(api->layout_create, library, p + "MatrixLayoutCreate", missing);
  load_into(api->layout_destroy, library, p + "MatrixLayoutDestroy", missing);
  load_into(api->layout_set, library, p + "MatrixLayoutSetAttribute", missing);
  load_into(api->preference_create, library, p + "MatmulPreferenceCreate", missing);
  load_into(api->preference_destroy, library, p + "MatmulPreferenceDestroy", missing);
  load_into(api->preference_set, library, p + "MatmulPreferenceSetAttribute", missing);
  library.load(functions->find, (p + "MatmulAlgoGetHeuristic").c_str(), missing);
  library.load(functions->multiply, (p + "Matmul").c_str(), missing);
  if (!missing.empty())
    return {nullptr, fmt::format("{} lacks {}", library.name(), fmt::join(missing, ", "))};
  api->find_algorithms = [functions, amd](void* handle, void* desc, void* a, void* b, void* c, void* d,
                                          void* preference, int wanted, BlasAlgorithm* algorithms, int* found) {
    return amd ? find_algorithms<HipblasResult>(*functions, handle, desc, a, b, c, d, preference, wanted, algorithms,
                                                found)
               : find_algorithms<CublasResult>(*functions, handle, desc, a, b, c, d, preference, wanted, algorithms,
                                               found);
  };
  api->multiply = [functions](void* handle, void* desc, const void* alpha, const void* a, void* a_layout, const void* b,
                              void* b_layout, const void* beta, const void* c, void* c_layout, void* d, void* d_layout,
                              const BlasAlgorithm& algorithm, void* workspace, std::size_t bytes, void* stream) {
    return functions->multiply(handle, desc, alpha, a, a_layout, b, b_layout, beta, c, c_layout, d, d_layout,
                               algorithm.description.data(), workspace, bytes, stream);
  };
  return {std::move(api), {}};
}

}  // namespace tandem::hip
