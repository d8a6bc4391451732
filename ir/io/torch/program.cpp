// JSON to structs. The one file that knows simdjson.
#include <tandem/ir/io/torch/program.h>

#include <utility>

#include <tandem/ir/io/json_tree.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/torch/json_reader.h>

namespace tandem::torch {

namespace {

constexpr std::size_t max_graph_depth = 32;  // of graphs in arguments of higher-order operators
constexpr std::size_t max_sizes = io::max_rank;

class ProgramReader : public Reader {
 public:
  using Reader::Reader;

  Program program(dom::element root);
  TensorMeta tensor_meta(dom::element e);

 private:
  Size size(dom::element e);
  std::vector<Size> sizes(dom::element e);
  std::string_view name_of(dom::element e);
  Element symbolic(dom::element e, std::string_view constant_key);
  Argument argument(dom::element e);
  GraphDef graph(dom::element e);
  NodeDef node(dom::element e);
  void input_spec(dom::element e, Program& program);
  void output_spec(dom::element e, Program& program);

  std::size_t depth_ = 0;
};

/// {"as_int": 4} or {"as_expr": {"expr_str": "...", "hint": ...}}
Size ProgramReader::size(dom::element e) {
  const auto [key, value] = variant(e);
  const Step step(*this, key);
  if (key == "as_int")
    return {{}, integer(value)};
  if (key == "as_float") {
    const double x = real(value);
    if (x != static_cast<double>(static_cast<std::int64_t>(x)))
      return {"?", 0};
    return {{}, static_cast<std::int64_t>(x)};
  }
  if (key != "as_expr")
    fail("expected as_int or as_expr");
  Size out;
  required(object(value), "expr_str", [&](dom::element text) { out.expression = string(text); });
  if (out.expression.empty())
    fail("the expression is empty");
  return out;
}

std::vector<Size> ProgramReader::sizes(dom::element e) {
  std::vector<Size> out;
  const dom::array list = array(e);
  if (list.size() > max_sizes)
    fail(fmt::format("{} sizes; the most is {}", list.size(), max_sizes));
  out.reserve(list.size());
  each(e, [&](dom::element s) { out.push_back(size(s)); });
  return out;
}

TensorMeta ProgramReader::tensor_meta(dom::element e) {
  const dom::object o = object(e);
  TensorMeta meta;
  std::int64_t layout = 7;
  required(o, "dtype", [&](dom::element v) {
    const std::int64_t type = integer(v);
    meta.scalar_type = type < 0 || type > 1000 ? -1 : static_cast<int>(type);
  });
  required(o, "sizes", [&](dom::element v) { meta.sizes = sizes(v); });
  optional(o, "strides", [&](dom::element v) { meta.strides = sizes(v); });
  optional(o, "storage_offset", [&](dom::element v) { meta.offset = size(v); });
  optional(o, "layout", [&](dom::element v) { layout = integer(v); });
  if (layout != 7 && layout != 0)
    fail(fmt::format("layout {}; only strided tensors are known", layout), "torch.unsupported");
  if (!meta.strides.empty() && meta.strides.size() != meta.sizes.size())
    fail(fmt::format("{} sizes but {} strides", meta.sizes.size(), meta.strides.size()));
  return meta;
}

std::string_view ProgramReader::name_of(dom::element e) {
  std::string_view name;
  required(object(e), "name", [&](dom::element v) { name = string(v); });
  return name;
}

/// {"as_name": "s"} or {"as_int": 3}
Element ProgramReader::symbolic(dom::element e, std::string_view constant_key) {
  const auto [key, value] = variant(e);
  const Step step(*this, key);
  Element out;
  if (key == "as_name")
    out.name = string(value);
  else if (key != constant_key)
    fail(fmt::format("expected as_name or {}", constant_key));
  else if (constant_key == "as_int")
    out.integer = integer(value);
  else if (constant_key == "as_bool")
    out.integer = boolean(value) ? 1 : 0;
  else
    out.real = real(value);
  return out;
}

Argument ProgramReader::argument(dom::element e) {
  using K = ArgumentKind;
  const auto [tag, value] = variant(e);
  const Step step(*this, tag);
  Argument a;
  const dom::element v = value;
  const auto list = [&](K kind, auto read) {
    a.kind = kind;
    each(v, [&](dom::element x) { a.list.push_back(read(x)); });
  };
  if (tag == "as_tensor") {
    a.kind = K::tensor;
    a.text = name_of(v);
  } else if (tag == "as_none") {
    a.kind = K::none;
  } else if (tag == "as_int") {
    a.kind = K::integer;
    a.integer = integer(v);
  } else if (tag == "as_ints") {
    list(K::integers, [&](dom::element x) { return Element{{}, integer(x), 0.0}; });
  } else if (tag == "as_float") {
    a.kind = K::real;
    a.real = real(v);
  } else if (tag == "as_bool") {
    a.kind = K::boolean;
    a.integer = boolean(v) ? 1 : 0;
  } else if (tag == "as_tensors") {
    list(K::tensors, [&](dom::element x) { return Element{name_of(x), 0, 0.0}; });
  } else if (tag == "as_optional_tensors" || tag == "as_optional_tensor") {
    const auto read = [&](dom::element x) {
      const auto [key, inner] = variant(x);
      const Step inside(*this, key);
      if (key == "as_none")
        return Element{};
      if (key != "as_tensor")
        fail("expected as_tensor or as_none");
      return Element{name_of(inner), 0, 0.0};
    };
    if (tag == "as_optional_tensors") {
      list(K::optional_tensors, read);
    } else {
      a.text = read(v).name;
      a.kind = a.text.empty() ? K::none : K::tensor;
    }
  } else if (tag == "as_scalar_type" || tag == "as_memory_format" || tag == "as_layout") {
    a.kind = tag == "as_scalar_type" ? K::scalar_type : tag == "as_layout" ? K::layout : K::memory_format;
    a.integer = integer(v);
  } else if (tag == "as_device") {
    a.kind = K::device;
    optional(object(v), "type", [&](dom::element t) { a.text = string(t); });
  } else if (tag == "as_string" || tag == "as_operator") {
    a.kind = K::string;
    a.text = string(v);
  } else if (tag == "as_sym_int") {
    a.kind = K::sym_int;
    a.list.push_back(symbolic(v, "as_int"));
  } else if (tag == "as_sym_ints") {
    list(K::sym_ints, [&](dom::element x) { return symbolic(x, "as_int"); });
  } else if (tag == "as_sym_float") {
    a.kind = K::sym_float;
    a.list.push_back(symbolic(v, "as_float"));
  } else if (tag == "as_sym_bool") {
    a.kind = K::sym_bool;
    a.list.push_back(symbolic(v, "as_bool"));
  } else if (tag == "as_floats") {
    list(K::reals, [&](dom::element x) { return Element{{}, 0, real(x)}; });
  } else if (tag == "as_bools") {
    list(K::booleans, [&](dom::element x) { return Element{{}, boolean(x) ? 1 : 0, 0.0}; });
  } else if (tag == "as_strings") {
    list(K::strings, [&](dom::element x) { return Element{string(x), 0, 0.0}; });
  } else if (tag == "as_complex") {
    a.kind = K::complex;
    required(object(v), "real", [&](dom::element x) { a.real = real(x); });
    required(object(v), "imag", [&](dom::element x) { a.imaginary = real(x); });
  } else if (tag == "as_graph") {
    if (++depth_ > max_graph_depth)
      fail(fmt::format("graphs nest deeper than {}", max_graph_depth));
    a.kind = K::graph;
    optional(object(v), "name", [&](dom::element t) { a.text = string(t); });
    required(object(v), "graph", [&](dom::element g) { a.graph = std::make_shared<const GraphDef>(graph(g)); });
    --depth_;
  } else {
    a.kind = K::other;  // of a newer minor version; a fault only where somebody needs it
    a.text = tag;
  }
  return a;
}

NodeDef ProgramReader::node(dom::element e) {
  NodeDef n;
  const dom::object o = object(e);
  required(o, "target", [&](dom::element v) { n.target = string(v); });
  required(o, "inputs", [&](dom::element v) {
    n.inputs.reserve(array(v).size());
    each(v, [&](dom::element x) {
      NamedArgument& a = n.inputs.emplace_back();
      const dom::object named = object(x);
      optional(named, "name", [&](dom::element t) { a.name = string(t); });
      required(named, "arg", [&](dom::element t) { a.value = argument(t); });
    });
  });
  required(o, "outputs", [&](dom::element v) {
    n.outputs.reserve(array(v).size());
    each(v, [&](dom::element x) { n.outputs.push_back(argument(x)); });
  });
  optional(o, "name", [&](dom::element v) { n.name = string(v); });
  optional(o, "metadata", [&](dom::element v) {
    optional(object(v), "nn_module_stack", [&](dom::element t) { n.module_stack = string(t); });
  });
  return n;
}

GraphDef ProgramReader::graph(dom::element e) {
  GraphDef g;
  const dom::object o = object(e);
  const auto arguments = [&](std::vector<Argument>& out) {
    return [this, &out](dom::element v) { each(v, [&](dom::element x) { out.push_back(argument(x)); }); };
  };
  required(o, "inputs", arguments(g.inputs));
  required(o, "outputs", arguments(g.outputs));
  required(o, "nodes", [&](dom::element v) {
    g.nodes.reserve(array(v).size());
    each(v, [&](dom::element x) { g.nodes.push_back(node(x)); });
  });
  required(o, "tensor_values", [&](dom::element v) {
    g.tensors.reserve(object(v).size());
    each_key(v, [&](std::string_view name, dom::element x) {
      if (!g.tensors.emplace(name, tensor_meta(x)).second)
        fail("the tensor is described twice");
    });
  });
  optional(o, "sym_int_values", [&](dom::element v) {
    each_key(v, [&](std::string_view name, dom::element x) { g.sym_ints.emplace(name, size(x)); });
  });
  optional(o, "sym_float_values", [&](dom::element v) {
    each_key(v, [&](std::string_view name, dom::element x) { g.sym_floats.emplace(name, size(x)); });
  });
  return g;
}

void ProgramReader::input_spec(dom::element e, Program& program) {
  const auto [kind, value] = variant(e);
  const Step step(*this, kind);
  const dom::object o = object(value);
  InputSpec spec;
  const auto stored = [&](InputSpec::Kind k, std::string_view key) {
    spec.kind = k;
    required(o, "arg", [&](dom::element v) {
      spec.argument.kind = ArgumentKind::tensor;
      spec.argument.text = name_of(v);
    });
    required(o, key, [&](dom::element v) { spec.target = string(v); });
  };
  if (kind == "user_input") {
    required(o, "arg", [&](dom::element v) { spec.argument = argument(v); });
  } else if (kind == "parameter") {
    stored(InputSpec::parameter, "parameter_name");
  } else if (kind == "buffer") {
    stored(InputSpec::buffer, "buffer_name");
    optional(o, "persistent", [&](dom::element v) { spec.persistent = boolean(v); });
  } else if (kind == "tensor_constant") {
    stored(InputSpec::tensor_constant, "tensor_constant_name");
  } else if (kind == "constant_input") {
    spec.kind = InputSpec::constant;
    optional(o, "name", [&](dom::element v) { spec.target = string(v); });
    required(o, "value", [&](dom::element v) { spec.argument = argument(v); });
  } else {
    fail(fmt::format("inputs of kind '{}' are not supported; known are tensors and constants", kind),
         "torch.unsupported");
  }
  program.inputs.push_back(std::move(spec));
}

void ProgramReader::output_spec(dom::element e, Program& program) {
  const auto tagged = variant(e);
  const std::string_view kind = tagged.key;
  const Step step(*this, kind);
  const dom::object o = object(tagged.value);
  OutputSpec spec;
  const auto mutation = [&](OutputSpec::Kind k, std::string_view key) {
    spec.kind = k;
    required(o, key, [&](dom::element v) { spec.target = string(v); });
    required(o, "arg", [&](dom::element v) {
      spec.argument.kind = ArgumentKind::tensor;
      spec.argument.text = name_of(v);
    });
  };
  if (kind == "user_output" || kind == "loss_output") {
    required(o, "arg", [&](dom::element v) {
      if (kind == "user_output") {
        spec.argument = argument(v);
      } else {
        spec.argument.kind = ArgumentKind::tensor;
        spec.argument.text = name_of(v);
      }
    });
  } else if (kind == "buffer_mutation") {
    mutation(OutputSpec::buffer_mutation, "buffer_name");
  } else if (kind == "user_input_mutation") {
    mutation(OutputSpec::user_input_mutation, "user_input_name");
  } else if (kind == "parameter_mutation") {
    mutation(OutputSpec::parameter_mutation, "parameter_name");
  } else {
    fail(fmt::format("outputs of kind '{}' are not supported; this is a program for inference only", kind),
         "torch.unsupported");
  }
  program.outputs.push_back(std::move(spec));
}

Program ProgramReader::program(dom::element root) {
  Program p;
  const dom::object o = object(root);
  required(o, "schema_version", [&](dom::element v) {
    std::int64_t major = 0;
    required(object(v), "major", [&](dom::element x) { major = integer(x); });
    optional(object(v), "minor", [&](dom::element x) { p.minor = integer(x); });
    if (major != 8) {
      fail(fmt::format("this program has schema version {}.{}; known is 8, which PyTorch writes since 2.5", major,
                       p.minor),
           "torch.version");
    }
  });
  required(o, "graph_module", [&](dom::element v) {
    required(object(v), "graph", [&](dom::element g) { p.graph = graph(g); });
    required(object(v), "signature", [&](dom::element s) {
      required(object(s), "input_specs", [&](dom::element l) { each(l, [&](dom::element x) { input_spec(x, p); }); });
      required(object(s), "output_specs", [&](dom::element l) { each(l, [&](dom::element x) { output_spec(x, p); }); });
    });
  });
  optional(o, "range_constraints", [&](dom::element v) {
    each_key(v, [&](std::string_view name, dom::element x) {
      Range range;
      // Bounds beyond 64 bits (PyTorch's int_oo) are none.
      const auto bound = [](std::optional<std::int64_t>& out) {
        return [&out](dom::element b) {
          std::int64_t number = 0;
          if (b.get(number) == simdjson::SUCCESS)
            out = number;
        };
      };
      optional(object(x), "min_val", bound(range.min));
      optional(object(x), "max_val", bound(range.max));
      p.ranges.emplace(name, range);
    });
  });
  optional(o, "torch_version", [&](dom::element v) { p.torch_version = std::string(string(v)); });
  return p;
}

/// The tree keeps the strings.
std::shared_ptr<io::JsonTree> parse(Reader& reader, std::string_view json) {
  if (json.size() > io::max_graph_bytes)
    reader.fail(fmt::format("{} bytes of JSON; the most is {}", json.size(), io::max_graph_bytes));
  auto tree = std::make_shared<io::JsonTree>();
  const simdjson::error_code error = tree->parse(json, 256);
  if (error == simdjson::MEMALLOC)
    throw std::bad_alloc();
  if (error != simdjson::SUCCESS)
    reader.fail(fmt::format("not valid JSON: {}", simdjson::error_message(error)));
  return tree;
}

}  // namespace

Program parse_program(std::string_view json, std::string_view file) {
  ProgramReader reader(file);
  std::shared_ptr<io::JsonTree> tree = parse(reader, json);
  Program program = reader.program(tree->root());
  program.text = std::move(tree);
  return program;
}

PayloadConfig parse_payload_config(std::string_view json, std::string_view file) {
  ProgramReader reader(file);
  std::shared_ptr<io::JsonTree> tree = parse(reader, json);
  PayloadConfig config;
  reader.required(reader.object(tree->root()), "config", [&](dom::element e) {
    reader.each_key(e, [&](std::string_view name, dom::element value) {
      PayloadMeta meta;
      const dom::object o = reader.object(value);
      reader.required(o, "path_name", [&](dom::element v) { meta.path = reader.string(v); });
      reader.optional(o, "use_pickle", [&](dom::element v) { meta.pickled = reader.boolean(v); });
      reader.optional(o, "tensor_meta", [&](dom::element v) { meta.tensor = reader.tensor_meta(v); });
      if (!config.entries.emplace(name, std::move(meta)).second)
        reader.fail("the tensor is described twice");
    });
  });
  config.text = std::move(tree);
  return config;
}

bool is_program_json(std::string_view text) {
  const std::string_view start = text.substr(0, 4096);
  return start.find("\"graph_module\"") != std::string_view::npos &&
         start.find("\"tandem.graph\"") == std::string_view::npos;
}

}  // namespace tandem::torch
