// Any bytes are a graph or an Error: never a crash, a hang or "internal". What was read writes out and reads back
// alike.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/read.h>
#include <tandem/ir/io/text.h>

namespace {

void require(bool condition, const char* what) {
  if (condition)
    return;
  std::fputs(what, stderr);
  std::abort();
}

bool is_internal(const tandem::Error& error) {
  for (const tandem::Diagnostic& diagnostic : error.diagnostics()) {
    if (diagnostic.code == "internal")
      return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto context = tandem::Context::create();
  try {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const tandem::Graph graph = tandem::read_graph_bytes(context, bytes, "<fuzz>");
    const std::string text = tandem::to_text(graph);
    require(tandem::to_text(tandem::parse_text(context, text)) == text, "text does not round-trip\n");
    const std::string json = tandem::to_json(graph);
    require(tandem::to_json(tandem::parse_json(context, json)) == json, "JSON does not round-trip\n");
  } catch (const tandem::Error& error) {
    require(!is_internal(error), error.what());
  }
  return 0;
}
