// Runs emulated kernels: the threads of a block in turns, on one thread of the host.
//
// A thread runs until it must wait for others (a barrier, an exchange between the lanes of its wave) or ends; only then
// does another get its turn. So the order in which threads and blocks run is chosen, and a kernel whose result depends
// on it has a race: tests run each launch in two orders. A thread that waits for what cannot happen is found too.
//
// What this does not model: the memory model (every write is seen at once), clocks, several blocks at one time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <tandem/kernels/hip/emulated_machine.h>
#include <tandem/runtime/hip/driver.h>

namespace tandem::test {

/// A kernel did what no GPU can be asked to do: a barrier that not all reach, lanes that part in an exchange. Says
/// which kernel, block, threads and lines.
class EmulationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// In which order blocks, the waves of a block and the lanes of a wave get their turns.
struct TurnOrder {
  enum class Kind : std::uint8_t { forward, backward, shuffled } kind = Kind::forward;
  std::uint64_t seed = 0;  ///< Of `shuffled`.
};

class EmulatedMachine {
 public:
  /// `module`: what the kernels of one module ask; `shared` gives all its shared memory, filled with rubbish before
  /// each block.
  EmulatedMachine(int wave_size, TandemEmulatedMachine& module, std::function<std::span<std::byte>()> shared);
  ~EmulatedMachine();

  int wave_size() const;

  /// Runs one launch to its end. Throws EmulationError, also for a shape or parameters that the kernel does not take.
  void run(const std::string& name, const TandemEmulatedKernel& kernel, const hip::LaunchShape& shape,
           const void* params, std::size_t params_size, TurnOrder order = {});

  /// Whether the last launch added floats in memory in the order of its threads: then two orders may differ.
  bool was_unordered() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem::test
