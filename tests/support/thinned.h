// How many rounds of random tests run.
#pragma once

namespace tandem::test {

/// `rounds`, or a fifth of them where every instruction is instrumented, which takes ten times as long: what a
/// sanitizer looks for shows in few rounds, and results are judged by the other builds.
constexpr int thinned(int rounds) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return (rounds + 4) / 5;
#else
  return rounds;
#endif
}

}  // namespace tandem::test
