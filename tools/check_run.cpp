// See check_run.h.
#include <tandem/tools/check_run.h>

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/file.h>
#include <tandem/ir/io/json.h>
#include <tandem/runtime/executor.h>
#include <tandem/runtime/safetensors.h>

namespace tandem::cli {
namespace {

Tensor to_tensor(const CheckTensor& t) {
  Tensor out = Tensor::zeros(t.dtype, t.shape);
  for (std::size_t i = 0; i < t.values.size(); ++i)
    store_element(out.view, static_cast<std::int64_t>(i), t.values[i]);
  return out;
}

CheckTensor from_tensor(const Tensor& t) {
  CheckTensor out{t.view.dtype, {t.view.dims().begin(), t.view.dims().end()}, {}};
  for (std::int64_t i = 0; i < t.view.size(); ++i)
    out.values.push_back(load_element(t.view, i));
  return out;
}

CheckExecutor executor(std::string name, std::vector<KernelTable> providers) {
  return {std::move(name), [providers = std::move(providers)](const Graph& graph, std::span<const CheckTensor> given) {
            std::vector<Tensor> inputs;
            for (std::size_t i = 0; i < graph.inputs().size(); ++i)
              inputs.push_back(to_tensor(given[i]));
            TensorStore weights;
            for (std::size_t i = 0; i < graph.weights().size(); ++i)
              weights.add(std::string(graph.weights()[i].key.view()), to_tensor(given[inputs.size() + i]));
            PlanOptions options;
            options.providers = providers;
            options.fold_constants = false;  // every node by the provider's own kernel
            std::vector<CheckTensor> out;
            for (const Tensor& t : Executor(Plan::compile(graph, weights, options)).run(inputs))
              out.push_back(from_tensor(t));
            return out;
          }};
}

void write_tensors(const std::string& path, std::span<const std::pair<std::string, CheckTensor>> tensors) {
  std::vector<NamedTensor> named;
  for (const auto& [name, tensor] : tensors)
    named.push_back({name, to_tensor(tensor)});
  write_safetensors(path, named);
}

}  // namespace

std::vector<CheckExecutor> check_executors() {
  return {executor("reference", {reference_kernels()}), executor("cpu", {cpu_kernels(), reference_kernels()})};
}

std::vector<Capabilities> all_targets() {
  std::vector<Capabilities> out;
  for (const NamedTarget& t : named_targets()) {
    const std::string name = fmt::format("{}:{}", to_string(t.platform), t.arch);
    out.push_back(parse_target(name));
    if (t.platform == Platform::rocm)
      out.push_back(parse_target(name + ",aiter=0.1.20"));
  }
  return out;
}

std::vector<std::string> counterexample_files(const std::string& directory, const std::string& name) {
  const std::string base = (std::filesystem::path(directory) / name).string();
  return {base + ".json", base + ".rewritten.json", base + ".safetensors", base + ".expected.safetensors"};
}

SavedCounterexample save_counterexample(const std::string& directory, const std::string& name,
                                        const Counterexample& c) {
  std::error_code ignored;  // what matters is whether the files can be written
  std::filesystem::create_directories(directory, ignored);
  const std::string base = (std::filesystem::path(directory) / name).string();
  const std::vector<std::string> files = counterexample_files(directory, name);
  SavedCounterexample saved;
  const auto write_graph = [&](const std::string& path, const Graph& graph) {
    write_file(path, to_json(graph) + "\n");
    saved.files.push_back(path);
  };
  write_graph(files[0], c.graph);
  if (c.rewritten)
    write_graph(files[1], *c.rewritten);
  if (c.inputs.empty()) {
    saved.command = fmt::format("tandem show {}.json", base);
    return saved;
  }
  write_tensors(files[2], c.inputs);
  saved.files.push_back(files[2]);
  std::string weights;
  if (!c.graph.weights().empty())
    weights = fmt::format(" --weights {}.safetensors", base);
  if (!c.expected.empty()) {
    write_tensors(files[3], c.expected);
    saved.files.push_back(files[3]);
  }
  const std::string inputs = c.graph.inputs().empty() ? "" : fmt::format(" --inputs {}.safetensors", base);
  saved.command =
      fmt::format("tandem run {}{}.json{}{} -O0 --device reference{}", base, c.rewritten ? ".rewritten" : "", inputs,
                  weights, c.expected.empty() ? "" : fmt::format(" --compare {}.expected.safetensors", base));
  return saved;
}

}  // namespace tandem::cli
