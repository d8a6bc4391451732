// Compiling a hot loop for several instruction sets, chosen when the library is loaded.
#pragma once

// Only GCC on x86-64 Linux (glibc's ifunc); the sanitizers' start-up code does not bear it. Elsewhere: one version.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TANDEM_CPU_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define TANDEM_CPU_CLONES
#endif
