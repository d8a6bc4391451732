#include <tandem/passes/fusion/fusions.h>

#include <iterator>

#include <tandem/passes/fusion/embedded.h>
#include <tandem/passes/pattern/text.h>

namespace tandem {

std::vector<Pattern> shipped_fusions() {
  std::vector<Pattern> all;
  for (const EmbeddedFusion& f : embedded_fusions()) {
    std::vector<Pattern> patterns = parse_fusions(f.text, f.file);
    std::move(patterns.begin(), patterns.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace tandem
