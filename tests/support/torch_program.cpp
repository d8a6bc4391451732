#include "tests/support/torch_program.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace tandem::test {

namespace {

using nlohmann::json;

const std::map<std::string, int> scalar_types{{"u8", 1},    {"i8", 2},   {"i16", 3}, {"i32", 4},  {"i64", 5},
                                              {"f16", 6},   {"f32", 7},  {"f64", 8}, {"c64", 10}, {"bool", 12},
                                              {"bf16", 13}, {"u16", 28}, {"f8", 29}};

std::string trimmed(std::string text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos)
    return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Split at commas that stand in no bracket and no quotes.
std::vector<std::string> pieces(const std::string& text) {
  std::vector<std::string> out;
  std::string piece;
  int depth = 0;
  bool quoted = false;
  for (const char c : text) {
    quoted = c == '\'' ? !quoted : quoted;
    depth += c == '[' || c == '(' ? 1 : c == ']' || c == ')' ? -1 : 0;
    if (c == ',' && depth == 0 && !quoted) {
      out.push_back(trimmed(piece));
      piece.clear();
    } else {
      piece += c;
    }
  }
  if (!trimmed(piece).empty())
    out.push_back(trimmed(piece));
  return out;
}

bool is_number(const std::string& text) {
  return !text.empty() && (std::isdigit(static_cast<unsigned char>(text[0])) != 0 || text[0] == '-');
}

class Writer {
 public:
  std::string write(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      std::string line(text.substr(at, end - at));
      line = trimmed(line.substr(0, line.find('#')));
      if (!line.empty())
        add(line);
      at = end + 1;
    }
    json graph{{"inputs", inputs_},
               {"outputs", outputs_},
               {"nodes", nodes_},
               {"tensor_values", tensors_},
               {"sym_int_values", sizes_},
               {"sym_bool_values", json::object()},
               {"is_single_tensor_return", false}};
    return json{{"graph_module",
                 {{"graph", graph},
                  {"signature", {{"input_specs", input_specs_}, {"output_specs", output_specs_}}},
                  {"module_call_graph", json::array()}}},
                {"opset_version", {{"aten", 10}}},
                {"range_constraints", ranges_},
                {"schema_version", {{"major", 8}, {"minor", 15}}},
                {"torch_version", "2.11.0"}}
        .dump();
  }

 private:
  [[noreturn]] static void fail(const std::string& line) { throw std::runtime_error("no program line: " + line); }

  json size(const std::string& text) {
    if (is_number(text))
      return {{"as_int", std::stoll(text)}};
    if (!ranges_.contains(text))
      ranges_[text] = {{"min_val", 2}, {"max_val", nullptr}};
    const json expression{
        {"as_expr", {{"expr_str", "Symbol('" + text + "', positive=True, integer=True)"}, {"hint", nullptr}}}};
    sizes_[text] = expression;
    return expression;
  }

  /// "y: f32[2, 3]"; gives the name.
  std::string declare(const std::string& text) {
    const auto colon = text.find(':'), open = text.find('[', colon);
    if (colon == std::string::npos || open == std::string::npos)
      fail(text);
    const std::string name = trimmed(text.substr(0, colon)), type = trimmed(text.substr(colon + 1, open - colon - 1));
    json sizes = json::array(), strides = json::array();
    std::vector<std::string> dims = pieces(text.substr(open + 1, text.rfind(']') - open - 1));
    std::int64_t stride = 1;
    for (const std::string& dim : dims)
      sizes.push_back(size(dim));
    for (std::size_t i = dims.size(); i-- > 0;) {
      strides.insert(strides.begin(), json{{"as_int", stride}});
      stride *= is_number(dims[i]) ? std::stoll(dims[i]) : 1;
    }
    tensors_[name] = {{"dtype", scalar_types.at(type)},
                      {"sizes", sizes},
                      {"requires_grad", false},
                      {"device", {{"type", "cpu"}, {"index", nullptr}}},
                      {"strides", strides},
                      {"storage_offset", {{"as_int", 0}}},
                      {"layout", 7}};
    return name;
  }

  static json tensor(const std::string& name) { return {{"as_tensor", {{"name", name}}}}; }

  json list(const std::string& text) {
    const std::vector<std::string> items = pieces(text.substr(1, text.size() - 2));
    bool tensors = !items.empty(), optional = false, symbolic = false, reals = false;
    for (const std::string& item : items) {
      optional = optional || item == "None";
      tensors = tensors && (item == "None" || tensors_.contains(item));
      symbolic = symbolic || item[0] == '$';
      reals = reals || item.find('.') != std::string::npos;
    }
    json out = json::array();
    for (const std::string& item : items) {
      if (tensors)
        out.push_back(optional ? item == "None" ? json{{"as_none", true}} : tensor(item) : json{{"name", item}});
      else if (symbolic)
        out.push_back(item[0] == '$' ? json{{"as_name", item.substr(1)}} : json{{"as_int", std::stoll(item)}});
      else if (reals)
        out.push_back(std::stod(item));
      else
        out.push_back(std::stoll(item));
    }
    return {{tensors    ? optional ? "as_optional_tensors" : "as_tensors"
             : symbolic ? "as_sym_ints"
             : reals    ? "as_floats"
                        : "as_ints",
             out}};
  }

  json argument(const std::string& text) {
    if (text.empty())
      fail(text);
    if (text.front() == '[')
      return list(text);
    if (text.front() == '\'')
      return {{"as_string", text.substr(1, text.size() - 2)}};
    if (text.front() == '$')
      return {{"as_sym_int", {{"as_name", text.substr(1)}}}};
    if (text == "None")
      return {{"as_none", true}};
    if (text == "True" || text == "False")
      return {{"as_bool", text == "True"}};
    if (text == "inf" || text == "-inf")
      return {{"as_float", text == "inf" ? "Infinity" : "-Infinity"}};
    if (is_number(text)) {
      if (text.find_first_of(".e") != std::string::npos)
        return {{"as_float", std::stod(text)}};
      return {{"as_int", std::stoll(text)}};
    }
    if (tensors_.contains(text))
      return tensor(text);
    return {{"as_scalar_type", scalar_types.at(text)}};
  }

  void add_node(const std::string& results, const std::string& call) {
    const auto open = call.find('('), dot = call.find('.');
    if (open == std::string::npos || dot == std::string::npos)
      fail(call);
    json inputs = json::array(), outputs = json::array();
    for (const std::string& given : pieces(call.substr(open + 1, call.rfind(')') - open - 1))) {
      const auto equals = given.find('=');
      inputs.push_back(
          {{"name", given.substr(0, equals)}, {"arg", argument(trimmed(given.substr(equals + 1)))}, {"kind", 1}});
    }
    std::string first;
    if (!results.empty() && results.front() == '[') {
      json names = json::array();
      for (const std::string& result : pieces(results.substr(1, results.size() - 2)))
        names.push_back({{"name", declare(result)}});
      outputs.push_back({{"as_tensors", names}});
    } else {
      for (const std::string& result : pieces(results))
        outputs.push_back(tensor(declare(result)));
    }
    const std::string target = trimmed(call.substr(0, open));
    nodes_.push_back({{"target", (target.starts_with("_operator") ? "" : "torch.ops.") + target},
                      {"inputs", inputs},
                      {"outputs", outputs},
                      {"metadata", {{"nn_module_stack", "self,,Model;inner,layers.0.inner,Inner"}}},
                      {"name", "node_" + std::to_string(nodes_.size())}});
  }

  void add_stored(const std::string& declaration, const std::string& what) {
    const std::string name = declare(declaration);
    const auto space = what.find(' ');
    const std::string kind = what.substr(0, space), key = trimmed(what.substr(space));
    inputs_.push_back(tensor(name));
    const json arg{{"name", name}};
    if (kind == "weight")
      input_specs_.push_back({{"parameter", {{"arg", arg}, {"parameter_name", key}}}});
    else if (kind == "buffer")
      input_specs_.push_back({{"buffer", {{"arg", arg}, {"buffer_name", key}, {"persistent", true}}}});
    else
      input_specs_.push_back({{"tensor_constant", {{"arg", arg}, {"tensor_constant_name", key}}}});
  }

  void add(const std::string& line) {
    if (line.starts_with("range ")) {
      const auto equals = line.find('='), dots = line.find("..");
      const std::string max = trimmed(line.substr(dots + 2));
      ranges_[trimmed(line.substr(6, equals - 6))] = {{"min_val", std::stoll(line.substr(equals + 1))},
                                                      {"max_val", max.empty() ? json() : json(std::stoll(max))}};
      return;
    }
    if (line.starts_with("return")) {
      for (const std::string& item : pieces(line.substr(6))) {
        const auto arrow = item.find("->");  // y -> buffer model.b
        outputs_.push_back(tensor(trimmed(item.substr(0, arrow))));
        if (arrow == std::string::npos)
          output_specs_.push_back({{"user_output", {{"arg", outputs_.back()}}}});
        else
          output_specs_.push_back(
              {{"buffer_mutation",
                {{"arg", outputs_.back()["as_tensor"]}, {"buffer_name", trimmed(item.substr(arrow + 2))}}}});
      }
      return;
    }
    int depth = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      depth += line[i] == '[' || line[i] == '(' ? 1 : line[i] == ']' || line[i] == ')' ? -1 : 0;
      if (line[i] != '=' || depth != 0)
        continue;
      const std::string left = trimmed(line.substr(0, i)), right = trimmed(line.substr(i + 1));
      if (right.starts_with("weight ") || right.starts_with("buffer ") || right.starts_with("constant "))
        return add_stored(left, right);
      return add_node(left, right);
    }
    if (line.find('(') != std::string::npos)
      return add_node("", line);  // no results
    inputs_.push_back(tensor(declare(line)));
    input_specs_.push_back({{"user_input", {{"arg", inputs_.back()}}}});
  }

  json inputs_ = json::array(), outputs_ = json::array(), nodes_ = json::array(), input_specs_ = json::array(),
       output_specs_ = json::array(), tensors_ = json::object(), sizes_ = json::object(), ranges_ = json::object();
};

}  // namespace

std::string torch_program(std::string_view text) {
  return Writer().write(text);
}

}  // namespace tandem::test
