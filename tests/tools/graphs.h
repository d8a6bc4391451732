// Graphs that the tests of the command share.
#pragma once

namespace tandem::test {

/// The two norms of an MLA layer behind their splits: what the dual norm fusion is for. All inputs, no weights.
inline constexpr const char* mla_text =
    R"(graph @mla(%p: bf16[T, 112], %q_w: bf16[64], %kv_w: bf16[32]) where T in 1..4096 {
  %q, %kv = split %p {axis = -1, sizes = [64, 48]} : bf16[T, 64], bf16[T, 48]
  %c, %pe = split %kv {axis = -1, sizes = [32, 16]} : bf16[T, 32], bf16[T, 16]
  %qn = rms_norm %q, %q_w {eps = 1e-06} : bf16[T, 64]
  %cn = rms_norm %c, %kv_w {eps = 1e-06} : bf16[T, 32]
  return %qn, %cn, %pe
}
)";

/// y = x + x, one symbol.
inline constexpr const char* add_text = R"(graph @twice(%x: f32[T, 4]) where T in 1..16 {
  %y = add %x, %x : f32[T, 4]
  return %y
}
)";

}  // namespace tandem::test
