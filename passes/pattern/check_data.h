// Numbers to run a graph with, and how far two results may lie apart.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/passes/pattern/check.h>
#include <tandem/passes/pattern/check_random.h>

namespace tandem {

enum class DataKind : std::uint8_t { normal, small, mixed, zeros, special, denormal, large };
inline constexpr std::size_t num_data_kinds = 7;

/// Whether kernels that compute in f32 must agree with the float64 oracle on it: no overflow, no flushed denormals.
constexpr bool is_tame(DataKind kind) {
  return kind <= DataKind::zeros;
}

CheckTensor random_tensor(DType dtype, std::vector<std::int64_t> shape, DataKind kind, CheckRandom& random);

/// All elements alike.
CheckTensor filled(DType dtype, std::vector<std::int64_t> shape, double value);

struct Comparison {
  std::size_t elements = 0;
  std::size_t inexact = 0;  ///< Differ within the tolerance.
  struct Narrow {
    std::size_t elements = 0;  ///< Of 16- and 8-bit floats ...
    std::size_t inexact = 0;   ///< ... of which differ.
  };
  std::vector<Narrow> narrow;  ///< By output.

  struct Difference {
    std::size_t output = 0;
    std::size_t element = 0;  ///< In row-major order.
    std::string type;         ///< "f16[2, 3]", as wanted.
    double got = 0, want = 0;
    bool other_type = false;  ///< Not even the dtype and shape are those wanted.
  };
  std::optional<Difference> failure;  ///< The first element beyond the tolerance.
};

/// "element 4 of OUTPUT (f16[2, 3]) is 0.5, expected 1"
std::string describe(const Comparison::Difference& difference, std::string_view output);
/// A number as people write it: "nan" has no sign.
std::string number_text(double value);
/// "f16[2, 3]"
std::string type_text(const CheckTensor& tensor);

/// How far results may lie apart.
struct CheckTolerance {
  double steps = 16;     ///< Roundings of f32 arithmetic (f64 for f64), besides the one of the result.
  bool relaxed = false;  ///< Intermediate values may be rounded otherwise: 8 roundings to the result's dtype.
  std::vector<std::vector<double>> more;  ///< Besides, of each element of each output; empty: nothing.
};

/// The numbers beside, at random above or below, of floats that are finite.
std::vector<CheckTensor> nudged(std::span<const CheckTensor> tensors, CheckRandom& random);

/// Compares outputs. Where `want` is not finite although the inputs were (`finite_inputs`), anything goes: an
/// intermediate value overflowed.
Comparison compare_outputs(std::span<const CheckTensor> got, std::span<const CheckTensor> want,
                           const CheckTolerance& allowed, bool finite_inputs);

/// The output of which more elements of a narrow dtype differ than come from f32 arithmetic, which moves a result
/// across a rounding boundary once in some hundred elements; empty when there is none.
std::optional<std::size_t> rounds_otherwise(const Comparison& sum);

/// Of 16- and 8-bit floats, in the output that has fewest.
std::size_t narrow_elements(const Comparison& c);

/// Adds up; rounding is judged by ordinary data alone.
void accumulate(Comparison& sum, const Comparison& more, DataKind kind);

}  // namespace tandem
