// What a verb of the command is: a function that declares its options and gives back what to do once they are parsed.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace tandem::cli {

/// Does the verb's work with the options that were parsed; returns an exit status. Throws Error.
using Runner = std::function<int()>;

#define TANDEM_VERB(name, summary) Runner setup_##name(CLI::App& app);
#include <tandem/tools/verbs.def>
#undef TANDEM_VERB

}  // namespace tandem::cli
