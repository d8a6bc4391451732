// Evaluating dims for kernels.
#include <tandem/kernels/kernel.h>

#include <string>
#include <vector>

#include <tandem/ir/diagnostic.h>

namespace tandem {

std::int64_t DimBindings::value(Dim dim) const {
  if (dim.is_constant())
    return dim.constant();
  if (const auto value = evaluate(dim, [this](Symbol s) { return find(s); }))
    return *value;
  std::vector<Symbol> symbols;
  collect_symbols(dim, symbols);
  for (const Symbol s : symbols)
    if (!find(s))
      throw Error("run.unbound-dim", "the dim " + to_string(dim) + " needs a value for " + std::string(s.view()),
                  "give a value for " + std::string(s.view()));
  throw Error("run.too-large",
              "the dim " + to_string(dim) + " leaves 64 bits or divides by zero with the values given");
}

}  // namespace tandem
