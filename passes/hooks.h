// The instrumentation that comes with tandem. Each function makes hooks for PassManager::add_hooks.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <tandem/ir/export.h>
#include <tandem/passes/pass_manager.h>

namespace tandem {

/// Takes pieces of text, each whole lines.
using TextSink = std::function<void(std::string_view)>;

/// Writes the seconds that each pass takes into its report entry.
TANDEM_PASSES_API PassHooks measure_time();

/// Verifies the graph after each pass. What it finds is thrown as an Error that names the pass: a valid graph went in,
/// so the pass is at fault.
TANDEM_PASSES_API PassHooks verify_each();

/// When to print.
enum class PrintAfter : std::uint8_t { all, change };

/// Prints the graph, under a heading with the pass's name, after each pass or after each that changed it.
TANDEM_PASSES_API PassHooks print_after(PrintAfter when, TextSink sink);

/// Keeps a copy of the graph before each pass; when one throws, gives `sink` a reproducer: the error and the pipeline
/// that remained as comments, then the graph as text. `tandem opt` with `--passes` set to that pipeline repeats the
/// failure.
TANDEM_PASSES_API PassHooks write_reproducer(TextSink sink);

}  // namespace tandem
