// Timing, verifying, printing and reproducers, each from the three points at which the pass manager calls hooks.

#include <tandem/passes/hooks.h>

#include <chrono>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>

namespace tandem {

namespace {

std::string message_of(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

/// Each line of `text` after "# ", the comment sign of the text form.
std::string as_comment(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += fmt::format("# {}\n", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

PassHooks measure_time() {
  using Clock = std::chrono::steady_clock;
  const auto start = std::make_shared<Clock::time_point>();
  PassHooks hooks;
  hooks.before = [start](const PassRun&) { *start = Clock::now(); };
  hooks.after = [start](const PassRun& run) {
    run.report.seconds = std::chrono::duration<double>(Clock::now() - *start).count();
  };
  return hooks;
}

PassHooks verify_each() {
  PassHooks hooks;
  hooks.after = [](const PassRun& run) {
    std::vector<Diagnostic> findings = verify(run.graph);
    if (findings.empty())
      return;
    for (Diagnostic& d : findings) {
      d.notes.push_back(fmt::format("the graph was left so by pass '{}'; this is a bug in that pass", run.pass.name));
    }
    throw Error(std::move(findings));
  };
  return hooks;
}

PassHooks print_after(PrintAfter when, TextSink sink) {
  PassHooks hooks;
  hooks.after = [when, sink = std::move(sink)](const PassRun& run) {
    if (when == PrintAfter::change && !run.report.changed)
      return;
    sink(
        fmt::format("# after {}{}\n{}\n", run.pass.name, run.report.changed ? "" : " (no change)", to_text(run.graph)));
  };
  return hooks;
}

PassHooks write_reproducer(TextSink sink) {
  const auto saved = std::make_shared<std::optional<Graph>>();
  PassHooks hooks;
  hooks.before = [saved](const PassRun& run) { saved->emplace(run.graph); };
  hooks.after = [saved](const PassRun&) { saved->reset(); };
  hooks.failed = [saved, sink = std::move(sink)](const PassRun& run, std::exception_ptr error) {
    if (!*saved)
      return;  // another hook failed before this one saw the graph
    sink(fmt::format("# reproducer: pass '{}' failed\n{}# tandem opt --passes {} THIS-FILE\n{}", run.pass.name,
                     as_comment(message_of(error)), run.remaining, to_text(**saved)));
    saved->reset();
  };
  return hooks;
}

}  // namespace tandem
