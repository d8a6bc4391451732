// libFuzzer: whatever the bytes, the importer of torch.export programs gives a sound graph or an Error.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch_export.h>
#include <tandem/ir/verifier.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  try {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const ImportedProgram program = import_torch_export_bytes(Context::create(), bytes, "fuzz");
    if (!verify(program.graph).empty())
      std::abort();
  } catch (const Error& e) {
    if (e.diagnostics().front().code == "internal")
      std::abort();
  }
  return 0;
}
