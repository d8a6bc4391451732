// What the emulator finds wrong with kernels, and what not.
#include <string>
#include <vector>

#include <tandem/runtime/hip/memory.h>
#include <tandem/runtime/hip/step_launcher.h>
#include <tandem/runtime/hip/stream.h>
#include <tests/emulated/faulty_params.h>
#include <tests/support/catch.h>
#include <tests/support/emulated_gpu/emulated_gpu.h>

using namespace tandem;
using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;

namespace {

struct Outcome {
  std::string error;
  std::vector<float> out;
};

/// Runs a kernel of faulty_kernels.hip on `size` numbers 0, 1, 2, ...
Outcome run(int wave, const std::string& kernel, int size = 256, Dim3 grid = {1, 1, 1}, Dim3 block = {256, 1, 1}) {
  EmulatedGpu gpu(EmulatedKernels::load(emulated_kernels_path(wave, "faulty_kernels")));
  gpu.kernels_wait = {"waits_for_previous", "some_wait_for_previous"};
  const std::shared_ptr<hip::Device> device = gpu.device();
  const hip::Handle stream = hip::make_stream(device);
  const std::size_t bytes = static_cast<std::size_t>(size) * sizeof(float);
  const hip::DeviceBuffer in(device, bytes, "in"), out(device, bytes, "out");
  std::vector<float> numbers(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(i);
  Outcome outcome{{}, numbers};
  for (const auto* buffer : {&in, &out})
    device->driver().hipMemcpyAsync(buffer->data(), numbers.data(), bytes, hip::CopyKind::host_to_device, stream.get());
  const gpu::FaultyParams params{reinterpret_cast<float*>(in.data()), reinterpret_cast<float*>(out.data()), size};
  try {
    hip::StreamLauncher launcher(*device, stream.get(), nullptr, 0);
    launcher.launch(kernel, grid, block, 0, &params, sizeof params);
    device->driver().hipMemcpyAsync(outcome.out.data(), out.data(), bytes, hip::CopyKind::device_to_host, stream.get());
    device->driver().hipStreamSynchronize(stream.get());
  } catch (const EmulationError& error) {
    outcome.error = error.what();
  }
  return outcome;
}

}  // namespace

TEST_CASE("emulator: threads of a block meet at barriers, lanes in exchanges") {
  const int wave = GENERATE(32, 64);
  const Outcome neighbours = run(wave, "good_neighbour");
  CHECK(neighbours.error == "");
  CHECK(neighbours.out[0] == 1);
  CHECK(neighbours.out[255] == 0);
  const Outcome some = run(wave, "some_waves_end");
  CHECK(some.error == "");
  CHECK(some.out[63] == static_cast<float>(wave * (wave - 1) / 2));
  CHECK(some.out[64] == 64);
}

TEST_CASE("emulator: a missing barrier is a race") {
  const int wave = GENERATE(32, 64);
  const std::string kernel = GENERATE("no_barrier", "no_barrier_between_rounds");
  INFO(kernel << ", waves of " << wave);
  CHECK_THAT(run(wave, kernel).error,
             ContainsSubstring("kernel '" + kernel + "' on 1 x 1 x 1 blocks of 256 threads: a race"));
}

TEST_CASE("emulator: blocks that depend on each other are a race") {
  CHECK_THAT(run(64, "across_blocks", 256, {4, 1, 1}, {64, 1, 1}).error, ContainsSubstring("a race"));
  CHECK(run(64, "across_blocks", 64, {1, 1, 1}, {1, 1, 1}).error == "");
}

TEST_CASE("emulator: floats that are added in memory may be added in any order") {
  CHECK(run(64, "sum_in_memory").error == "");
}

TEST_CASE("emulator: a barrier that not all threads reach is told with kernel, block, threads and line") {
  const std::string error = run(64, "barrier_of_some", 256, {2, 1, 1}).error;
  CHECK_THAT(error,
             ContainsSubstring("kernel 'barrier_of_some' in waves of 64, block (1, 0, 0): threads wait for what"));
  CHECK_THAT(error, ContainsSubstring("threads 0 to 99: a barrier, faulty_kernels.hip:40 < faulty_kernels.hip:42"));
  CHECK_THAT(error, ContainsSubstring(
                        "threads 100 to 127: an exchange, faulty_kernels.hip:40 < faulty_kernels.hip:43 < wave.h:"));
  CHECK_THAT(error, ContainsSubstring("threads 128 to 255: ended"));
}

TEST_CASE("emulator: an exchange that a lane does not reach is told") {
  const std::string error = run(32, "exchange_of_some").error;
  CHECK_THAT(error, ContainsSubstring("threads 0 to 4: an exchange, faulty_kernels.hip:46 < faulty_kernels.hip:49"));
  CHECK_THAT(error, ContainsSubstring("threads 5 to 5: ended"));
}

TEST_CASE("emulator: lanes of one wave at two barriers are told") {
  CHECK_THAT(run(64, "two_barriers").error, ContainsSubstring("the lanes of a wave are at different barriers"));
}

TEST_CASE("emulator: a kernel that may overlap with the launch ahead must wait for it") {
  CHECK(run(32, "waits_for_previous").error == "");
  CHECK_THAT(run(32, "some_wait_for_previous").error,
             ContainsSubstring("ends without having waited for the launch ahead, which may be running still"));
}

TEST_CASE("emulator: lanes that are not there cannot be read") {
  CHECK_THAT(run(64, "some_waves_end", 256, {1, 1, 1}, {24, 1, 1}).error, ContainsSubstring("which is not there"));
}

TEST_CASE("emulator: launches that a GPU refuses are refused") {
  CHECK_THAT(run(64, "good_neighbour", 256, {1, 1, 1}, {512, 1, 1}).error,
             ContainsSubstring("512 x 1 x 1 threads a block"));
  CHECK_THAT(run(64, "good_neighbour", 256, {1, 70000, 1}).error, ContainsSubstring("a grid of"));
}

#if !defined(__SANITIZE_ADDRESS__)  // which ends the program, as it should
TEST_CASE("emulator: what is written behind the end of a buffer is told") {
  CHECK_THAT(run(64, "behind_the_end").error, ContainsSubstring("wrote behind the end of a buffer"));
}
#endif
