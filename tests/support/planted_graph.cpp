#include "tests/support/planted_graph.h"

#include <algorithm>

namespace tandem::test {

std::string PlantedGraph::prefix() {
  return choose(random_, {"a", "layer", "m.b", "block"}) + std::to_string(prefixes_++) + ".";
}

std::string PlantedGraph::input(const std::string& name, const std::string& type, bool weight) {
  parameters_.push_back("%" + name + ": " + type + (weight ? " = weight" : ""));
  return "%" + name;
}

void PlantedGraph::add_sequence(std::vector<std::string> lines, const std::vector<std::string>& outputs) {
  sequences_.push_back(std::move(lines));
  outputs_.insert(outputs_.end(), outputs.begin(), outputs.end());
}

/// Ops of the patterns on their own, and others.
void PlantedGraph::add_noise() {
  for (std::uint64_t i = 0, n = random_() % 4; i < n; ++i) {
    const std::string p = prefix(), x = input(p + "x", "bf16[T, 24]");
    std::vector<std::string> lines;
    std::string last = x;
    for (std::uint64_t k = 0, length = 1 + random_() % 5; k < length; ++k) {
      const std::string name = "%" + p + "v" + std::to_string(k);
      const std::string op = choose(random_, {"gelu", "silu", "neg", "softmax", "mul", "sub", "cast", "abs"});
      lines.push_back(name + " = " + op + " " + last + (op == "mul" || op == "sub" ? ", " + x : "") +
                      (op == "softmax" ? " {axis = -1}"
                       : op == "cast"  ? " {dtype = bf16}"
                                       : ""));
      last = name;
    }
    add_sequence(lines, {last});
  }
}

std::string PlantedGraph::text() {
  add_noise();
  std::string out = "graph @planted(";
  for (const std::string& p : parameters_)
    out += (&p == &parameters_.front() ? "" : ", ") + p;
  out += ") where T in 1..4096 {\n";
  std::vector<std::size_t> at(sequences_.size(), 0);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < sequences_.size(); ++i)
    open.push_back(i);
  while (!open.empty()) {
    const std::size_t k = random_() % open.size(), s = open[k];
    out += "  " + sequences_[s][at[s]] + "\n";
    if (++at[s] == sequences_[s].size())
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(k));
  }
  out += "  return ";
  for (const std::string& o : outputs_)
    out += (&o == &outputs_.front() ? "" : ", ") + o;
  return out + "\n}\n";
}

ChainSite ChainSite::make(PlantedGraph& graph) {
  ChainSite s;
  s.prefix = graph.prefix();
  s.dtype = s.weight_dtype = choose(graph.random(), {"bf16", "f16"});
  s.width = 8 * static_cast<int>(1 + graph.random()() % 16);
  return s;
}

void ChainSite::add_to(PlantedGraph& graph) const {
  const std::string h = std::to_string(width), type = dtype + "[" + lead + "T, " + h + "]";
  const std::string x = graph.input(prefix + "x", type), b = graph.input(prefix + "b", type);
  std::string w = graph.input(prefix + "w", weight_dtype + "[" + h + "]", true);
  const auto name = [&](const std::string& v) { return "%" + prefix + v; };
  std::vector<std::string> lines, outputs = {name("y")};
  if (one_plus_weight) {
    lines.push_back(name("one") + " = full {shape = [], value = 1.0, dtype = " + weight_dtype + "}");
    lines.push_back(name("w1") + " = add " + w + ", " + name("one"));
    w = name("w1");
  }
  for (int i = 0; i < weight_readers; ++i) {
    lines.push_back(name("read") + std::to_string(i) + " = exp " + w);
    outputs.push_back(name("read") + std::to_string(i));
  }
  std::string last;
  const auto step = [&](const std::string& v, const std::string& op, const std::string& line) {
    if (without == op)
      return;
    lines.push_back(name(v) + " = " + line);
    last = name(v);
    if (between_after == v && !between.empty()) {
      lines.push_back(name("between") + " = " + between + " " + last +
                      (between == "cast"        ? " {dtype = " + dtype + "}"
                       : between == "reshape"   ? " {shape = [" + lead + "T, " + h + "]}"
                       : between == "transpose" ? " {perm = [0, 1]}"
                                                : ""));
      last = name("between");
      if (!between_too.empty()) {
        lines.push_back(name("between_too") + " = " + between_too + " " + last);
        last = name("between_too");
      }
    }
    if (also_read == v) {
      lines.push_back(name("extra") + " = neg " + name(v));
      outputs.push_back(name("extra"));
    }
    if (also_return == v)
      outputs.push_back(name(v));
  };
  const auto op = [&](const std::string& usual, const std::string& other) {
    return replaced_op == usual ? other : usual;
  };
  step("n", "rms_norm", op("rms_norm", "layer_norm") + " " + x + ", " + w + " {eps = " + eps + "}");
  step("d", "sub", op("sub", "div") + " " + (swapped ? b + ", " + last : last + ", " + b));
  step("s", "softmax",
       replaced_op == "softmax" ? "cumsum " + last + " {axis = " + axis + "}"
                                : "softmax " + last + " {axis = " + axis + "}");
  step("g", "gelu", op("gelu", "silu") + " " + last + (tanh ? " {tanh_approximation = true}" : ""));
  const std::string second = other_x ? graph.input(prefix + "z", type) : x;
  step("y", "mul", graph.random()() % 2 != 0 ? "mul " + last + ", " + second : "mul " + second + ", " + last);
  if (exp_after) {
    lines.push_back(name("e") + " = exp " + name("y"));
    outputs.push_back(name("e"));
  }
  graph.add_sequence(std::move(lines), outputs);
}

DualSite DualSite::make(PlantedGraph& graph) {
  DualSite s;
  s.prefix = graph.prefix();
  s.dtype = choose(graph.random(), {"bf16", "f16"});
  s.spelling = static_cast<int>(graph.random()() % 3);
  s.c = static_cast<int>(8 + graph.random()() % 20);
  s.q = s.c + static_cast<int>(1 + graph.random()() % 40);
  s.p = s.c;
  return s;
}

void DualSite::add_to(PlantedGraph& graph) const {
  const auto name = [&](const std::string& v) { return "%" + prefix + v; };
  const auto number = [](int n) { return std::to_string(n); };
  const std::string x = graph.input(prefix + "x", dtype + "[T, " + number(q + c + p) + "]");
  const std::string qw = graph.input(prefix + "q_w", dtype + "[" + number(q) + "]", true);
  std::string kw = graph.input(prefix + "kv_w", dtype + "[" + number(c) + "]", true);
  std::vector<std::string> lines, outputs;
  std::string cut = name("c");
  switch (spelling) {
    case 0:
      lines.push_back(name("q") + ", " + name("c") + ", " + name("pe") + " = split " + x + " {axis = -1, sizes = [" +
                      number(q) + ", " + number(c) + ", " + number(p) + "]}");
      outputs.push_back(name("pe"));
      break;
    case 1:
      lines.push_back(name("q") + ", " + name("kv") + " = split " + x + " {axis = -1, sizes = [" + number(q) + ", " +
                      number(c + p) + "]}");
      if (more_parts) {
        lines.push_back(name("c") + ", " + name("pe") + ", " + name("rest") + " = split " + name("kv") +
                        " {axis = -1, sizes = [" + number(c) + ", " + number(p - 2) + ", 2]}");
      } else {
        lines.push_back(name("c") + ", " + name("pe") + " = split " + name("kv") + " {axis = -1, sizes = [" +
                        number(c) + ", " + number(p) + "]}");
      }
      outputs.push_back(name("pe"));
      break;
    default:
      lines.push_back(name("q") + " = slice " + x + " {axis = -1, start = 0, end = " + number(q) + "}");
      lines.push_back(name("c") + " = slice " + x + " {axis = -1, start = " + number(q) + ", end = " + number(q + c) +
                      "}");
      break;
  }
  const std::string eps = " {eps = 1e-06" + std::string(rounds ? ", round_before_weight = true" : "") + "}";
  const auto spell_norm = [&](const std::string& out, const std::string& in, const std::string& w) {
    lines.push_back(out + ".sq = square " + in);
    lines.push_back(out + ".m = mean " + out + ".sq {axes = [-1], keepdims = true}");
    lines.push_back(out + ".r = rsqrt " + out + ".m");
    lines.push_back(out + ".h = mul " + in + ", " + out + ".r");
    lines.push_back(out + " = mul " + out + ".h, " + w);
  };
  if (spelt_out)
    spell_norm(name("qn"), name("q"), qw);
  else
    lines.push_back(name("qn") + " = rms_norm " + name("q") + ", " + qw + " {eps = 1e-06}");
  outputs.push_back(name("qn"));
  if (depends) {  // the second norm's weight is made of the first norm's result
    lines.push_back(name("mean") + " = mean " + name("qn") + " {axes = [0]}");
    lines.push_back(name("kw") + " = slice " + name("mean") + " {axis = 0, start = 0, end = " + number(c) + "}");
    kw = name("kw");
  }
  if (cast_before) {
    lines.push_back(name("cf") + " = cast " + cut + " {dtype = f32}");
    cut = name("cf");
  }
  if (other_part)
    cut = name("pe");
  if (spelt_out)
    spell_norm(name("cn"), cut, kw);
  else if (!norm.empty())
    lines.push_back(name("cn") + " = " + norm + " " + cut + ", " + kw + eps);
  outputs.push_back(norm.empty() ? cut : name("cn"));
  graph.add_sequence(std::move(lines), outputs);
}

}  // namespace tandem::test
