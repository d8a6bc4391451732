// Reading what PyTorch's torch.export.save wrote: a `.pt2` archive, or the JSON of its program alone.
//
//     ImportedProgram program = import_torch_export(context, "model.pt2");
//     run_pipeline(program.graph, ...);
//
// The graph that comes out is made of core ops and has no effects: in-place operations and writes through views have
// become values. What is accepted, and what each operator becomes, is in docs/torch-export.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>

namespace tandem {

/// A parameter, buffer or constant of the program: a strided tensor over bytes of the archive, which are not copied.
/// Several may lie over the same bytes.
struct ProgramWeight {
  std::string key;  ///< Its name in the model, which is the weight's key in the graph.
  DType dtype = DType::f32;
  std::vector<std::int64_t> sizes;     ///< As in the graph: complex numbers have a last axis of 2.
  std::vector<std::int64_t> strides;   ///< In elements.
  std::int64_t offset = 0;             ///< In elements, from the start of `storage`.
  std::span<const std::byte> storage;  ///< At any address: elements need not be aligned.
  std::shared_ptr<const void> owner;   ///< Keeps the bytes; null when the caller does.
};

/// An output of the graph that is the new value of something that the program changes.
struct ProgramMutation {
  std::size_t output = 0;  ///< Index among the graph's outputs; these come after the program's own.
  std::string target;      ///< The buffer's or parameter's name, or the input's.
};

struct ImportedProgram {
  Graph graph;
  std::vector<ProgramWeight> weights;  ///< Those that the archive has; none for bare JSON.
  std::vector<ProgramMutation> mutations;
  std::string torch_version;  ///< As the exporter wrote it.
};

/// True for bytes that start as an archive or as the JSON of a program do.
TANDEM_IR_API bool is_torch_export(std::string_view bytes);

/// Reads a file, mapped into memory; it must not be shortened while the result lives. Throws Error: "file.open",
/// "file.read", "zip.*" for a damaged archive, "torch.json" for a program that is not of the schema, "torch.version",
/// "torch.unknown" (one diagnostic with all operators and dtypes that are not known, and how often each appears),
/// "torch.unsupported" and "torch.lowering" (operators that are known, but not in this form), "torch.weights".
TANDEM_IR_API ImportedProgram import_torch_export(std::shared_ptr<Context> context, const std::string& path);

/// The same for bytes at hand; `file` stands in diagnostics. The result keeps `owner`; where that is null, the caller
/// keeps the bytes as long as the weights.
TANDEM_IR_API ImportedProgram import_torch_export_bytes(std::shared_ptr<Context> context, std::string_view bytes,
                                                        std::string_view file,
                                                        std::shared_ptr<const void> owner = nullptr);

}  // namespace tandem
