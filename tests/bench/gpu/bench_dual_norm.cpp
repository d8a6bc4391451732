// Times fused_mla_dual_rms_norm on a GPU: replayed graphs over rotating buffers, median of 31 replays, by device
// events.
//
//     bench_dual_norm [--dtype bf16|f16|f32] [--dims Q,KV,PE] [--tokens N,N,..] [--variants]
//
// Prints, for each number of tokens: microseconds a launch, bytes moved (each row read and written once), bandwidth,
// its share of what a device-to-device copy of 2 GiB reaches in the same process, the time without overlap of launches,
// and that of the driver's copy of as many bytes between the same buffers. `--variants` adds each kernel that could
// have been chosen, with and without overlap. bench_dual_norm_peers.py times PyTorch and Triton alike.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <tandem/ir/builder.h>
#include <tandem/ir/context.h>
#include <tandem/kernels/hip/norm_params.h>
#include <tests/gpu/cuda.h>

namespace {

using namespace tandem;
using namespace tandem::test;

struct Options {
  DType dtype = DType::bf16;
  std::vector<std::int64_t> dims{1536, 512, 64};
  std::vector<std::int64_t> tokens{1, 32, 128, 512, 2048, 8192, 32768, 131072};
  bool variants = false;
};

std::vector<std::int64_t> numbers(std::string_view text) {
  std::vector<std::int64_t> out;
  while (!text.empty()) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc())
      throw std::runtime_error("expected numbers with commas between them");
    out.push_back(value);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.empty())
      text.remove_prefix(1);
  }
  return out;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const auto value = [&] {
      if (i + 1 == argc)
        throw std::runtime_error(std::string(arg) + " needs a value");
      return std::string_view(argv[++i]);
    };
    if (arg == "--dtype")
      options.dtype = parse_dtype(value()).value();
    else if (arg == "--dims")
      options.dims = numbers(value());
    else if (arg == "--tokens")
      options.tokens = numbers(value());
    else if (arg == "--variants")
      options.variants = true;
    else
      throw std::runtime_error("unknown argument " + std::string(arg));
  }
  return options;
}

/// One set of buffers: the projection's rows, and both results.
struct Buffers {
  DeviceBuffer x, q, kv;
};

struct Problem {
  const Options& options;
  std::int64_t tokens;
  DeviceBuffer weights;
  std::vector<Buffers> sets;

  std::int64_t pitch() const { return options.dims[0] + options.dims[1] + options.dims[2]; }
  std::int64_t bytes(std::int64_t elements) const {
    return elements * static_cast<std::int64_t>(byte_size(options.dtype));
  }
  std::int64_t bytes_moved() const { return 2 * bytes(tokens * (options.dims[0] + options.dims[1])); }

  TensorView rows(std::byte* data, std::int64_t length, std::int64_t row) const {
    TensorView view = make_view(data, options.dtype, std::vector<std::int64_t>{tokens, length});
    view.strides[0] = row;
    return view;
  }
};

Problem make_problem(CudaGpu& gpu, const Options& options, std::int64_t tokens) {
  Problem p{options, tokens, {}, {}};
  const auto size = [&](std::int64_t elements) { return static_cast<std::size_t>(p.bytes(elements)); };
  const std::int64_t enough = 300'000'000 / std::max<std::int64_t>(p.bytes(tokens * p.pitch()), 1) + 1;
  const std::int64_t sets = std::clamp<std::int64_t>(enough, 2, 64);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const auto random_rows = [&](std::int64_t elements) {
    std::vector<std::byte> data(size(elements));
    const TensorView view = make_view(data.data(), options.dtype, std::vector<std::int64_t>{elements});
    for (std::int64_t i = 0; i < elements; ++i)
      store_element(view, i, static_cast<double>(normal(random)));
    return data;
  };
  // One block of random numbers, repeated: the values do not matter to the time, but zeros might.
  const std::vector<std::byte> weight = random_rows(options.dims[0] + options.dims[1] + 16);
  p.weights = DeviceBuffer(gpu, weight.size());
  gpu.upload(p.weights.data(), weight.data(), weight.size());
  const std::int64_t repeated = std::min<std::int64_t>(tokens, 512);
  const std::vector<std::byte> block = random_rows(repeated * p.pitch());
  for (std::int64_t i = 0; i < sets; ++i) {
    Buffers b{DeviceBuffer(gpu, size(tokens * p.pitch())), DeviceBuffer(gpu, size(tokens * options.dims[0])),
              DeviceBuffer(gpu, size(tokens * options.dims[1]))};
    for (std::int64_t row = 0; row < tokens; row += repeated)
      gpu.upload(b.x.data() + p.bytes(row * p.pitch()), block.data(),
                 size(std::min(repeated, tokens - row) * p.pitch()));
    p.sets.push_back(std::move(b));
  }
  return p;
}

/// Seconds of one launch by the kernel that the table chooses.
double time_chosen(CudaGpu& gpu, const Problem& p) {
  const auto context = Context::create();
  const OpDef& op = context->op(context->require_op("fused_mla_dual_rms_norm"));
  const std::vector<Attribute> attrs =
      fit_attributes(*context, op, std::vector<NamedAttr>{{"eps_q", 1e-6}, {"eps_kv", 1e-6}});
  const HipKernelTable table = hip_kernels();
  const HipKernel& kernel = *table.find(op.name);
  const DimBindings none;
  const std::int64_t q = p.options.dims[0];
  const std::int64_t kv = p.options.dims[1];
  const TensorView q_weight = make_view(p.weights.data(), p.options.dtype, std::vector<std::int64_t>{q});
  const TensorView kv_weight =
      make_view(p.weights.data() + p.bytes((q + 7) / 8 * 8), p.options.dtype, std::vector<std::int64_t>{kv});
  const auto record = [&] {
    for (const Buffers& b : p.sets) {
      const std::vector<TensorView> operands{p.rows(b.x.data(), q, p.pitch()), q_weight,
                                             p.rows(b.x.data() + p.bytes(q), kv, p.pitch()), kv_weight};
      const std::vector<TensorView> results{p.rows(b.q.data(), q, q), p.rows(b.kv.data(), kv, kv)};
      kernel.run(KernelCall{op, operands, results, attrs, none}, gpu);
    }
  };
  return gpu.time_graph(record, 31) / static_cast<double>(p.sets.size());
}

/// Seconds of one launch of a kernel of NormParams by name.
double time_kernel(CudaGpu& gpu, const Problem& p, const std::string& kernel, Dim3 grid, Dim3 block) {
  const auto record = [&] {
    for (const Buffers& b : p.sets) {
      gpu::NormParams params{};
      params.rows = p.tokens;
      for (std::size_t i = 0; i < 2; ++i) {
        gpu::NormPart& part = params.part[i];
        const std::int64_t length = p.options.dims[i];
        part.x = b.x.data() + (i == 0 ? 0 : p.bytes(p.options.dims[0]));
        part.weight = p.weights.data() + (i == 0 ? 0 : p.bytes(p.options.dims[0]));
        part.y = (i == 0 ? b.q : b.kv).data();
        part.x_row = p.pitch();
        part.y_row = length;
        part.length = static_cast<std::int32_t>(length);
        part.threads = static_cast<std::int32_t>((p.bytes(length) / 16 + 31) / 32 * 32);
        part.inverse_length = 1.0F / static_cast<float>(length);
        part.epsilon = 1e-6F;
      }
      gpu.launch(kernel, grid, block, params);
    }
  };
  return gpu.time_graph(record, 31) / static_cast<double>(p.sets.size());
}

/// Seconds of the driver's copies of as many bytes as are normed.
double time_copies(CudaGpu& gpu, const Problem& p) {
  const auto record = [&] {
    for (const Buffers& b : p.sets) {
      const auto q = static_cast<std::size_t>(p.bytes(p.tokens * p.options.dims[0]));
      gpu.copy(b.q.data(), b.x.data(), q);
      gpu.copy(b.kv.data(), b.x.data() + q, static_cast<std::size_t>(p.bytes(p.tokens * p.options.dims[1])));
    }
  };
  return gpu.time_graph(record, 31) / static_cast<double>(p.sets.size());
}

double copy_bandwidth(CudaGpu& gpu) {
  constexpr std::size_t bytes = std::size_t{2} << 30;
  const DeviceBuffer from(gpu, bytes), to(gpu, bytes);
  gpu.fill(from.data(), 1, bytes);
  constexpr int copies = 10;
  const auto enqueue = [&] {
    for (int i = 0; i < copies; ++i)
      gpu.copy(to.data(), from.data(), bytes);
  };
  return 2.0 * copies * static_cast<double>(bytes) / gpu.time_stream(enqueue, 5);
}

/// Seconds of a launch that does next to nothing.
double launch_floor(CudaGpu& gpu) {
  const DeviceBuffer word(gpu, 256);
  const auto context = Context::create();
  const OpDef& op = context->op(context->require_op("dim_value"));
  const std::vector<Attribute> attrs = fit_attributes(*context, op, std::vector<NamedAttr>{{"value", 1}});
  const HipKernelTable table = hip_kernels();
  const std::vector<TensorView> results{make_view(word.data(), DType::i64, {})};
  const DimBindings bindings;
  constexpr int launches = 200;
  const auto record = [&] {
    for (int i = 0; i < launches; ++i)
      table.find("dim_value")->run(KernelCall{op, {}, results, attrs, bindings}, gpu);
  };
  return gpu.time_graph(record, 31) / launches;
}

void run(const Options& options) {
  std::string reason;
  const std::unique_ptr<CudaGpu> gpu = CudaGpu::open(reason);
  if (!gpu)
    throw std::runtime_error(reason);
  const double copy = copy_bandwidth(*gpu);
  std::printf("%s, %s, q %lld, kv %lld, pe %lld; copy %.3f TB/s; smallest launch %.3f us", gpu->device().name.c_str(),
              std::string(to_string(options.dtype)).c_str(), static_cast<long long>(options.dims[0]),
              static_cast<long long>(options.dims[1]), static_cast<long long>(options.dims[2]), copy * 1e-12,
              launch_floor(*gpu) * 1e6);
  gpu->set_overlap(false);
  std::printf(" (%.3f without overlap)\n%8s %10s %12s %10s %8s %12s %10s\n", launch_floor(*gpu) * 1e6, "tokens", "us",
              "bytes", "GB/s", "of copy", "no overlap", "copies");
  for (const std::int64_t tokens : options.tokens) {
    const Problem p = make_problem(*gpu, options, tokens);
    gpu->set_overlap(true);
    const double time = time_chosen(*gpu, p);
    gpu->set_overlap(false);
    const double alone = time_chosen(*gpu, p);
    const double rate = static_cast<double>(p.bytes_moved()) / time;
    std::printf("%8lld %10.3f %12lld %10.1f %7.1f%% %12.3f %10.3f\n", static_cast<long long>(tokens), time * 1e6,
                static_cast<long long>(p.bytes_moved()), rate * 1e-9, 100 * rate / copy, alone * 1e6,
                time_copies(*gpu, p) * 1e6);
    if (!options.variants)
      continue;
    const std::string dtype = "_" + std::string(to_string(options.dtype));
    const auto rows = static_cast<std::uint32_t>(tokens);
    const auto threads =
        static_cast<std::uint32_t>((p.bytes(std::max(options.dims[0], options.dims[1])) / 16 + 31) / 32 * 32);
    for (const bool overlap : {true, false}) {
      gpu->set_overlap(overlap);
      const char* how = overlap ? "" : " (no overlap)";
      const auto show = [&](const std::string& kernel, Dim3 grid, Dim3 block) {
        std::printf("%19.3f   %s%s\n", time_kernel(*gpu, p, kernel + dtype, grid, block) * 1e6, kernel.c_str(), how);
      };
      show("rms_norm_block", {rows, 2, 1}, {threads, 1, 1});
      constexpr std::uint32_t rows_a_block = gpu::norm_wave_threads / 32;
      const Dim3 waves{(rows + rows_a_block - 1) / rows_a_block, 1, 1};
      show("dual_rms_norm_wave", waves, {gpu::norm_wave_threads, 1, 1});
      if (options.dims[0] == 1536 && options.dims[1] == 512) {
        show("dual_rms_norm_1536_512", waves, {gpu::norm_wave_threads, 1, 1});
        show("dual_rms_norm_1536_512_streaming", waves, {gpu::norm_wave_threads, 1, 1});
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  }
}
