// What a module of emulated kernels holds beside them.
#include <tandem/kernels/hip/emulated.h>

namespace {

thread_local char some_shared_memory = 0;

}  // namespace

extern "C" {
__attribute__((visibility("default"))) TandemEmulatedMachine tandem_emulated_machine{};
__attribute__((visibility("default"))) const TandemEmulatedKernel* tandem_emulated_kernels = nullptr;
extern __attribute__((visibility("default"))) const int tandem_emulated_wave;
const int tandem_emulated_wave = TANDEM_EMULATED;
/// Makes the shared memory of the calling thread exist.
__attribute__((visibility("default"))) void tandem_emulated_touch() {
  some_shared_memory = 1;
}
}
