// Between an emulated kernel (emulated.h) and the machine that runs it.
#pragma once

/// An entry point. Those of a module are a list, whose head is `tandem_emulated_kernels`.
struct TandemEmulatedKernel {
  const char* name;
  void (*run)(const void* params);
  unsigned max_threads;
  unsigned params_size;
  const TandemEmulatedKernel* next;
};

/// What a running thread asks; the machine keeps it up to date. Each module has one.
struct TandemEmulatedMachine {
  unsigned thread[2];  ///< x, y
  unsigned block[3];
  unsigned grid_size_x;  ///< In threads.
  void* dynamic_shared;
  /// Returns when all threads of the block have called it.
  void (*barrier)();
  /// Returns, when all lanes of the wave have called it with one `what`, the word of lane `source`.
  unsigned (*exchange)(unsigned word, int source, int what);
  /// A sum of floats in memory depends on the order of its terms: two orders need not agree.
  void (*note_unordered)();
  /// The thread has waited for the launch ahead.
  void (*note_wait)();
};
