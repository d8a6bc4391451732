// `tandem list`: the tables that tandem works by.
#include <memory>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/capabilities.h>
#include <tandem/passes/pipeline.h>
#include <tandem/tools/console.h>
#include <tandem/tools/exit_status.h>
#include <tandem/tools/fusions.h>
#include <tandem/tools/gpu.h>
#include <tandem/tools/verb.h>

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ListOptions {
  std::string what;
  bool json = false;
  bool markdown = false;
  std::vector<std::string> fusions;
};

std::vector<std::string_view> trait_names(const OpDef& op) {
  static constexpr std::pair<std::uint32_t, std::string_view> names[] = {{trait::pure, "pure"},
                                                                         {trait::commutative, "commutative"},
                                                                         {trait::view, "view"},
                                                                         {trait::elementwise, "elementwise"},
                                                                         {trait::collective, "collective"},
                                                                         {trait::fused, "fused"}};
  std::vector<std::string_view> result;
  for (const auto& [bit, name] : names)
    if (op.has(bit))
      result.push_back(name);
  return result;
}

Json list_ops() {
  Json rows = Json::array();
  const auto context = Context::create();
  for (const OpDef& op : context->ops())
    rows.push_back({{"name", op.name}, {"signature", op.signature}, {"traits", trait_names(op)}, {"doc", op.doc}});
  return rows;
}

Json list_passes() {
  Json rows = Json::array();
  for (const PassRow& row : pipeline_table())
    rows.push_back({{"name", row.name},
                    {"level", to_string(row.level)},
                    {"flag", row.flag},
                    {"doc", row.doc},
                    {"needs", row.needs},
                    {"why", row.why}});
  return rows;
}

Json list_fusions(const std::vector<std::string>& files) {
  Json rows = Json::array();
  for (const FusionRow& row : fusion_rows(files))
    rows.push_back({{"name", row.name},
                    {"level", to_string(row.level)},
                    {"pass", row.pass},
                    {"flag", row.flag},
                    {"platforms", row.platforms},
                    {"kernels", row.kernels},
                    {"doc", row.doc}});
  return rows;
}

Json list_targets() {
  Json rows = Json::array();
  const HostReport host = inspect_host();
  rows.push_back(
      {{"name", "host"},
       {"is", host.capabilities.target()},
       {"hardware", host.probe.driver ? host.probe.device.name : "this machine"},
       {"gpu", host.probe.driver ? fmt::format("{} by {}", host.probe.device.arch, host.probe.driver->library)
                                 : host.probe.reason},
       {"aiter", host.capabilities.aiter.present ? fmt::format("AITER {}", host.capabilities.aiter.version)
                                                 : host.capabilities.aiter.reason}});
  for (const NamedTarget& t : named_targets())
    rows.push_back({{"name", t.arch.empty() ? std::string(to_string(t.platform))
                                            : fmt::format("{}:{}", to_string(t.platform), t.arch)},
                    {"is", ""},
                    {"hardware", t.hardware},
                    {"gpu", ""},
                    {"aiter", t.platform == Platform::rocm ? "as given: aiter=VERSION" : ""}});
  return rows;
}

std::string cell(const Json& value) {
  if (value.is_array())
    return fmt::format("{}", fmt::join(value.get<std::vector<std::string>>(), ", "));
  return value.get<std::string>();
}

/// Columns as wide as their widest cell, but for the last.
std::string as_table(const Json& rows) {
  if (rows.empty())
    return "none\n";
  std::vector<std::size_t> widths;
  for (const auto& [key, value] : rows[0].items()) {
    std::size_t width = key.size();
    for (const Json& row : rows)
      width = std::max(width, cell(row[key]).size());
    widths.push_back(width);
  }
  const auto line = [&](const auto& text_of) {
    std::string text;
    std::size_t column = 0;
    for (const auto& [key, value] : rows[0].items())
      text += fmt::format("{:<{}}  ", text_of(key), widths[column++]);
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  std::string text = line([](const std::string& key) { return key; });
  for (const Json& row : rows)
    text += line([&](const std::string& key) { return cell(row[key]); });
  return text;
}

std::string as_markdown(const Json& rows) {
  const auto escaped = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
      text.insert(at, "\\");
    return text;
  };
  std::string head = "|", rule = "|", body;
  if (rows.empty())
    return "none\n";
  for (const auto& [key, value] : rows[0].items()) {
    head += fmt::format(" {} |", key);
    rule += " --- |";
  }
  for (const Json& row : rows) {
    body += "|";
    for (const auto& [key, value] : row.items()) {
      const bool is_code = key == "name" || key == "signature" || key == "flag";
      const std::string text = escaped(cell(value));
      body += is_code && !text.empty() ? fmt::format(" `{}` |", text) : fmt::format(" {} |", text);
    }
    body += "\n";
  }
  return head + "\n" + rule + "\n" + body;
}

Json rows_of(const ListOptions& o) {
  const std::string& what = o.what;
  if (!o.fusions.empty() && what != "fusions")
    throw Error("usage.list", fmt::format("--fusions says nothing of {}", what), "tandem list fusions --fusions FILE");
  if (what == "ops")
    return list_ops();
  if (what == "passes")
    return list_passes();
  if (what == "fusions")
    return list_fusions(o.fusions);
  if (what == "targets")
    return list_targets();
  throw Error("usage.list", fmt::format("there is no list of '{}'{}; expected ops, passes, fusions or targets", what,
                                        did_you_mean(what, {"ops", "passes", "fusions", "targets"})));
}

int run_list(const ListOptions& o) {
  const Json rows = rows_of(o);
  write_result("-", o.json ? rows.dump(2) + "\n" : o.markdown ? as_markdown(rows) : as_table(rows));
  return exit_done;
}

}  // namespace

Runner setup_list(CLI::App& app) {
  auto o = std::make_shared<ListOptions>();
  app.add_option("WHAT", o->what, "ops, passes, fusions or targets")->required();
  auto* json = app.add_flag("--json", o->json, "As JSON, an array of objects");
  app.add_flag("--markdown", o->markdown, "As a Markdown table")->excludes(json);
  add_fusions_option(app, o->fusions);
  app.footer(
      "\nExample:\n"
      "  tandem list fusions --fusions mine.fusion\n"
      "  tandem list ops --json");
  return [o] { return run_list(*o); };
}

}  // namespace tandem::cli
