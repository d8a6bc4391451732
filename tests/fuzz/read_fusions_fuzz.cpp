// Any bytes are fusions or an Error: never a crash, a hang or "internal". What was read goes through the text form.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/pattern.h>
#include <tandem/passes/pattern/text.h>

namespace {

void require(bool condition, const char* what) {
  if (condition)
    return;
  std::fputs(what, stderr);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const std::vector<tandem::Pattern> patterns = tandem::parse_fusions(bytes, "<fuzz>");
    require(tandem::parse_fusions(tandem::format(patterns), "<fuzz>") == patterns, "text does not round-trip\n");
    const std::string formatted = tandem::format_text(bytes, "<fuzz>");
    require(tandem::format_text(formatted, "<fuzz>") == formatted, "formatting is not idempotent\n");
  } catch (const tandem::Error& error) {
    for (const tandem::Diagnostic& d : error.diagnostics())
      require(d.code != "internal", error.what());
  }
  try {
    tandem::read_fusions(bytes, "<fuzz>");
  } catch (const tandem::Error& error) {
    for (const tandem::Diagnostic& d : error.diagnostics())
      require(d.code != "internal", error.what());
  }
  return 0;
}
