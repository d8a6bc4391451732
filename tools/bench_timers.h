// How `tandem bench` times graphs on a device.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/tools/bench_report.h>
#include <tandem/tools/gpu.h>
#include <tandem/tools/run_data.h>

namespace tandem::cli {

struct BenchSettings {
  int rounds = 30;
  bool steps = false;
};

/// Holds the plans of a graph as it was read and as it was optimised.
class BenchTimer {
 public:
  virtual ~BenchTimer() = default;
  virtual std::string machine() const = 0;
  /// "optimised", then "as read". The rounds of both are interleaved, so that a change of the clock hits both.
  virtual std::vector<VariantTiming> time(const RunData& data, const BenchSettings& settings) = 0;
};

std::unique_ptr<BenchTimer> make_cpu_timer(const Graph& graph, const Graph& optimised, const TensorStore& weights);

/// Times device work only: a recorded graph of runs over rotating inputs and outputs, so that neither launches from the
/// host nor a cache that holds the last run's data are measured.
std::unique_ptr<BenchTimer> make_gpu_timer(const Graph& graph, const Graph& optimised, const TensorStore& weights,
                                           const GpuSettings& settings, bool relaxed_numerics);

}  // namespace tandem::cli
