// Asking providers, in order.
#include <tandem/runtime/provider_choice.h>

#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/diagnostic.h>

namespace tandem {

ProviderChooser::ProviderChooser(const PlanOptions& options)
    : tables_(options.providers), priority_(options.priority.begin(), options.priority.end()) {
  if (tables_.empty()) {
    tables_.push_back(cpu_kernels());
    tables_.push_back(reference_kernels());
  }
  std::set<std::string_view> names;
  for (const KernelTable& t : tables_)
    if (!names.insert(t.provider()).second)
      throw Error("plan.duplicate-provider", fmt::format("two providers are called '{}'", t.provider()),
                  "add your kernels to one table, or give it another name");
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const auto& [op, order] : priority_)
    for (const std::string& name : order)
      if (!find(name))
        throw Error("plan.unknown-provider",
                    fmt::format("the priority of '{}' names the provider '{}', which is not there{}", op, name,
                                did_you_mean(name, known)),
                    fmt::format("there are: {}", fmt::join(known, ", ")));
}

const KernelTable* ProviderChooser::find(std::string_view name) const {
  for (const KernelTable& t : tables_)
    if (t.provider() == name)
      return &t;
  return nullptr;
}

KernelChoice ProviderChooser::choose(std::string_view op) const {
  std::vector<const KernelTable*> order;
  const auto own = priority_.find(op);
  if (own == priority_.end()) {
    for (const KernelTable& t : tables_)
      order.push_back(&t);
  } else {
    for (const std::string& name : own->second)
      order.push_back(find(name));
  }
  KernelChoice choice;
  std::vector<std::string_view> without;
  for (const KernelTable* table : order) {
    choice.asked += fmt::format("{}{}", choice.asked.empty() ? "" : ", ", table->provider());
    if (choice.kernel)
      continue;
    choice.kernel = table->find(op);
    if (choice.kernel)
      choice.provider = table->provider();
    else
      without.push_back(table->provider());
  }
  const std::string_view list = own == priority_.end() ? "order" : "priority";
  choice.reason = without.empty()
                      ? fmt::format("first in {}: {}", list, choice.asked)
                      : fmt::format("no kernel in {}; {}: {}", fmt::join(without, ", "), list, choice.asked);
  return choice;
}

}  // namespace tandem
