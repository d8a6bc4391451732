// libFuzzer: whatever the bytes, the text reader gives a graph or an Error; a graph that it gives is sound, prints, and
// reads back as the same.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  const auto context = Context::create();
  std::optional<Graph> graph;
  try {
    graph = parse_text(context, {reinterpret_cast<const char*>(data), size});
  } catch (const Error& e) {
    if (e.diagnostics().front().code == "internal")
      std::abort();
    return 0;
  }
  // From here on nothing may throw.
  if (!verify(*graph).empty() || !structurally_equal(*graph, parse_text(context, to_text(*graph))))
    std::abort();
  return 0;
}
