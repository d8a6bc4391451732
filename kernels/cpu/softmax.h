// Softmax of one row, shared by softmax and attention.
#pragma once

#include <cstdint>

namespace tandem::cpu {

/// x[i] becomes exp(x[i] - max) over the sum of those. A row that holds NaN or +infinity, or nothing but -infinity, is
/// NaN.
void softmax_row(float* x, std::int64_t n);
void softmax_row(double* x, std::int64_t n);

}  // namespace tandem::cpu
