// libFuzzer: whatever the bytes, the JSON reader gives a graph or an Error; a graph that it gives is sound, prints, and
// reads back as the same.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/verifier.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  const auto context = Context::create();
  std::optional<Graph> graph;
  try {
    graph = parse_json(context, {reinterpret_cast<const char*>(data), size});
  } catch (const Error& e) {
    if (e.diagnostics().front().code == "internal")
      std::abort();
    return 0;
  }
  // From here on nothing may throw.
  if (!verify(*graph).empty() || !structurally_equal(*graph, parse_json(context, to_json(*graph))))
    std::abort();
  return 0;
}
