// The `tandem` command: finds the verb, lets it parse its options, runs it, and turns what is thrown into a message and
// an exit status.
#include <new>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <tandem/ir/diagnostic.h>
#include <tandem/tools/console.h>
#include <tandem/tools/exit_status.h>
#include <tandem/tools/verb.h>
#include <tandem/version.h>

namespace tandem::cli {
namespace {

struct Verb {
  std::string_view name;
  std::string_view summary;
  Runner (*setup)(CLI::App& app);
};

constexpr Verb verbs[] = {
#define TANDEM_VERB(name, summary) {#name, summary, setup_##name},
#include <tandem/tools/verbs.def>
#undef TANDEM_VERB
};

const Verb* find_verb(std::string_view name) {
  for (const Verb& verb : verbs)
    if (verb.name == name)
      return &verb;
  return nullptr;
}

std::string general_help() {
  std::string text =
      "tandem: a graph compiler that says why each fusion fired or did not\n\nUsage: tandem VERB [OPTIONS]\n\n";
  for (const Verb& verb : verbs)
    text += fmt::format("  {:<10}{}\n", verb.name, verb.summary);
  text +=
      "\n'tandem VERB --help' tells more of one. GRAPH is a file in any form, told by its content; '-' is standard\n"
      "input. Results go to standard output or to the file of -o, everything else to standard error.\n"
      "Exit status: 0 done; 1 a check that was asked for failed; 2 bad usage or bad input; 70 a bug in tandem.\n\n"
      "Example:\n"
      "  tandem generate deepseek-v3 -o v3.json\n"
      "  tandem opt v3.json --target rocm:gfx942 --expect mla_dual_rms_norm=61 --report -o v3.opt.json\n\n"
      "  --version [--json]   the version, and what it was built with\n";
  return text;
}

std::string version_text(bool as_json) {
  if (!as_json)
    return fmt::format("tandem {}\n", TANDEM_VERSION);
  const nlohmann::json version = {{"name", "tandem"},
                                  {"version", TANDEM_VERSION},
                                  {"compiler", __VERSION__},
#ifdef NDEBUG
                                  {"assertions", false}
#else
                                  {"assertions", true}
#endif
  };
  return version.dump(2) + "\n";
}

int usage_error(std::string_view who, std::string message) {
  log_error(fmt::format("{}: error: {}\n  see '{} --help'", who, message, who));
  return exit_bad_input;
}

/// "; did you mean '--target'?" for the first argument that is no option of the verb.
std::string suggest_option(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames())
      names.push_back("--" + name);
    for (const std::string& name : option->get_snames())
      names.push_back("-" + name);
  }
  for (const std::string& argument : app.remaining()) {
    if (argument.size() < 2 || argument[0] != '-')
      continue;
    std::vector<std::string_view> candidates(names.begin(), names.end());
    const std::string wrong = argument.substr(0, argument.find('='));
    if (std::find(names.begin(), names.end(), wrong) == names.end())
      return did_you_mean(wrong, candidates);
  }
  return {};
}

int run_verb(const Verb& verb, std::span<const std::string> arguments) {
  const std::string who = fmt::format("tandem {}", verb.name);
  CLI::App app(std::string(verb.summary), who);
  app.get_formatter()->column_width(34);
  const Runner runner = verb.setup(app);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    write_result("-", app.help());
    return exit_done;
  } catch (const CLI::ParseError& error) {
    throw Error("usage.arguments", error.what() + suggest_option(app), fmt::format("see '{} --help'", who));
  }
  return runner();
}

int dispatch(std::span<const std::string> arguments) {
  if (arguments.empty()) {
    log_error(general_help());
    return exit_bad_input;
  }
  const std::string& first = arguments[0];
  if (first == "--version") {
    const bool as_json = arguments.size() > 1 && arguments[1] == "--json";
    if (arguments.size() > (as_json ? 2U : 1U))
      return usage_error("tandem", "--version takes --json and nothing else");
    write_result("-", version_text(as_json));
    return exit_done;
  }
  if (first == "--help" || first == "-h" || first == "help") {
    if (arguments.size() > 1 && first == "help" && find_verb(arguments[1])) {
      const std::string help[] = {"--help"};
      return run_verb(*find_verb(arguments[1]), help);
    }
    write_result("-", general_help());
    return exit_done;
  }
  if (const Verb* verb = find_verb(first))
    return run_verb(*verb, arguments.subspan(1));

  std::vector<std::string_view> names;
  for (const Verb& verb : verbs)
    names.push_back(verb.name);
  if (first.starts_with('-'))
    return usage_error("tandem", fmt::format("unknown option '{}'; expected a verb", first));
  return usage_error("tandem", fmt::format("unknown verb '{}'{}", first, did_you_mean(first, names)));
}

int report_error(const Error& error) {
  log_diagnostics(error.diagnostics());
  for (const Diagnostic& d : error.diagnostics())
    if (d.code == "internal")
      return exit_internal;
  return exit_bad_input;
}

}  // namespace
}  // namespace tandem::cli

int main(int argc, char** argv) {
  using namespace tandem::cli;
  set_up_console();
  try {
    return dispatch(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const tandem::Error& error) {
    return report_error(error);
  } catch (const std::bad_alloc&) {
    log_error("error: out of memory");
    return exit_bad_input;
  } catch (const std::exception& error) {
    log_error(fmt::format("internal error: {}; this is a bug in tandem", error.what()));
    return exit_internal;
  }
}
