// Reads the JSON form: simdjson checks the syntax and gives a tree, which is walked once, straight into the graph. What
// costs time happens only once something is wrong: explaining a syntax error, finding the line of a path, sorting
// nodes.
#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/json_attributes.h>
#include <tandem/ir/io/json_declarations.h>
#include <tandem/ir/io/json_fields.h>
#include <tandem/ir/io/json_order.h>
#include <tandem/ir/io/json_syntax.h>
#include <tandem/ir/io/json_tree.h>
#include <tandem/ir/io/limits.h>

namespace tandem {

namespace io {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

class JsonReader {
 public:
  JsonReader(std::shared_ptr<Context> context, const object& root, JsonProblems& problems)
      : problems_(problems),
        assembly_(std::move(context)),
        fields_(assembly_, problems),
        attributes_(assembly_, problems) {
    fields_.split(root, root_, JsonPath());
  }

  /// The graph with its nodes read in that order, by default their own: then empty when an operand is not defined by
  /// the nodes before.
  std::optional<Graph> read(JsonOrder* order) {
    order_ = order;
    JsonDeclarations(root_, assembly_, fields_, problems_).read();
    if (!nodes())
      return std::nullopt;
    outputs();
    problems_.findings().throw_if_any();
    return std::move(assembly_.graph());
  }

 private:
  enum NodeKey : std::size_t { op_, in_, out_, attrs_, types_, scope_ };

  bool nodes() {
    array list;
    if (!root_.has(nodes_))
      return true;
    if (root_[nodes_].get(list) != simdjson::SUCCESS) {
      problems_.report_kind({"nodes"}, "a list", root_[nodes_]);
      return true;
    }
    const std::size_t n = list.size();  // saturates far above what a file of the largest size can hold
    assembly_.graph().reserve(n, n * 2 + 16, n + n / 4 + fields_.num_inputs + fields_.num_weights + 16);
    node_.keys = {"op", "in", "out", "attrs", "types", "scope"};
    if (order_ == nullptr) {
      index_ = 0;
      for (const element e : list) {
        if (!node(e))
          return false;
        ++index_;
      }
      return true;
    }
    std::vector<element> all;
    all.reserve(n);
    for (const element e : list)
      all.push_back(e);
    for (const std::uint32_t i : order_->nodes) {
      index_ = i;
      node(all[i]);
    }
    return true;
  }

  JsonPath node_path() const { return {"nodes", index_}; }

  /// Reads one node; false when it must wait for others.
  bool node(const element& e) {
    object fields;
    if (e.get(fields) != simdjson::SUCCESS) {
      problems_.report_kind(node_path(), "an object", e, R"(for example {"op": "neg", "in": ["x"], "out": ["y"]})");
      return true;
    }
    split_node(fields);
    faults_.clear();
    Names names = operands_and_results();
    if (names == Names::wait)
      return false;
    const OpDef* def = op();
    bool good = names == Names::good && def != nullptr;
    if (def != nullptr)
      good = attributes(*def) && good;
    good = types() && good;
    if (node_.has(scope_)) {
      const auto scope = fields_.text(node_[scope_], "a scope", [&] { return node_path() / "scope"; });
      if (scope)
        assembly_.scope = scope_symbol(*scope);
    }
    Node made;
    if (good)
      made = assembly_.finish(results_.size(), faults_);
    for (std::size_t i = 0; i < results_.size(); ++i) {
      if (results_[i].empty())
        continue;
      const Value v = made ? assembly_.graph().result(made, i) : Value{};
      if (made)
        assembly_.graph().set_name(v, fields_.symbol_of(results_[i]));
      fields_.define(results_[i], v, fields_.num_inputs + fields_.num_weights + index_, i);
    }
    for (Fault& f : faults_)
      report_fault(f);
    return true;
  }

  /// `split` for the hot case: the keys are told apart by length and first letter.
  void split_node(const object& fields) {
    node_.present = 0;
    for (const auto field : fields) {
      const std::string_view key = field.key;
      std::size_t i = 6;
      switch (key.size()) {
        case 2: i = key == "op" ? op_ : key == "in" ? in_ : i; break;
        case 3: i = key == "out" ? out_ : i; break;
        case 5: i = key == "attrs" ? attrs_ : key == "types" ? types_ : key == "scope" ? scope_ : i; break;
        default: break;
      }
      if (i == 6 || node_.has(i)) [[unlikely]]
        return fields_.split(fields, node_, node_path());
      node_.values[i] = field.value;
      node_.present |= 1U << i;
    }
  }

  const OpDef* op() {
    if (!node_.has(op_)) {
      problems_.report(node_path(), "json.missing-key", "a node needs 'op'");
      return nullptr;
    }
    std::string_view name;
    if (node_[op_].get(name) != simdjson::SUCCESS) {
      problems_.report_kind(node_path() / "op", "the name of an op", node_[op_]);
      return nullptr;
    }
    OpId id;
    const OpDef* def = assembly_.find_op(name, id, faults_);
    if (def == nullptr) {
      for (Fault& f : faults_)
        problems_.report(node_path() / "op", std::move(f.diagnostic));
      faults_.clear();
      return nullptr;
    }
    assembly_.start(id);
    assembly_.operands.swap(operands_);
    return def;
  }

  enum class Names { good, bad, wait };
  Names operands_and_results() {
    operands_.clear();
    results_.clear();
    Names outcome = Names::good;
    array list;
    if (node_.has(out_)) {
      if (node_[out_].get(list) != simdjson::SUCCESS) {
        problems_.report_kind(node_path() / "out", "a list of names", node_[out_]);
        outcome = Names::bad;
      } else {
        for (const element e : list) {
          const auto name = fields_.value_name(e, [&] { return node_path() / "out" / results_.size(); });
          if (!name)
            outcome = Names::bad;
          results_.push_back(name.value_or(std::string_view()));
        }
      }
    }
    if (!node_.has(in_))
      return outcome;
    if (node_[in_].get(list) != simdjson::SUCCESS) {
      problems_.report_kind(node_path() / "in", "a list of names", node_[in_]);
      return Names::bad;
    }
    std::size_t i = 0;
    for (const element e : list) {
      const auto path = [&] { return node_path() / "in" / i; };
      const auto name = fields_.value_name(e, path);
      if (!name) {
        outcome = Names::bad;
      } else if (const Definition* d = assembly_.values().find(*name)) {
        if (!d->value)
          outcome = Names::bad;
        operands_.push_back(d->value);
      } else if (order_ == nullptr) {
        return Names::wait;
      } else {
        if (order_->producer_of.find(*name) == nullptr)  // else it is part of a cycle, or faulty
          fields_.report_undefined(*name, path());
        outcome = Names::bad;
      }
      ++i;
    }
    return outcome;
  }

  bool attributes(const OpDef& def) {
    if (!node_.has(attrs_))
      return true;
    object given;
    if (node_[attrs_].get(given) != simdjson::SUCCESS) {
      problems_.report_kind(node_path() / "attrs", "an object", node_[attrs_]);
      return false;
    }
    bool good = true;
    std::uint64_t seen = 0;
    for (const auto field : given) {
      const AttributePlace place{index_, field.key};
      const int found = def.find_attr(field.key);
      if (found < 0) {
        report_unknown_attribute(def, place);
        good = false;
        continue;
      }
      const auto i = static_cast<std::size_t>(found);
      if (i < 64 ? (seen >> i & 1U) != 0 : static_cast<bool>(assembly_.attrs[i])) {
        problems_.report(place.path().at_key(), "json.duplicate-key",
                         fmt::format("attribute '{}' is given twice", field.key));
        good = false;
        continue;
      }
      if (i < 64)
        seen |= std::uint64_t{1} << i;
      assembly_.attrs[i] = attributes_.read(field.value, def.attrs[i], place);
      if (!assembly_.attrs[i])
        good = false;
    }
    return good;
  }

  bool types() {
    assembly_.types.clear();
    if (!node_.has(types_))
      return true;
    array list;
    if (node_[types_].get(list) != simdjson::SUCCESS) {
      problems_.report_kind(node_path() / "types", "a list of types", node_[types_]);
      return false;
    }
    std::size_t i = 0;
    for (const element e : list) {
      const TensorType* given = fields_.type(e, [&] { return node_path() / "types" / i; });
      if (given == nullptr)
        return false;
      assembly_.types.push_back(*given);
      ++i;
    }
    if (i == results_.size())
      return true;
    problems_.report(node_path() / "types", "graph.type",
                     fmt::format("{} given for {}", counted(i, "result type"), counted(results_.size(), "result")),
                     "give the type of every result, or leave 'types' out");
    return false;
  }

  /// Nodes of one scope mostly stand together.
  Symbol scope_symbol(std::string_view scope) {
    if (last_scope_.view() != scope)
      last_scope_ = assembly_.context().intern(scope);
    return last_scope_;
  }

  void report_fault(Fault& f) {
    JsonPath path = node_path();
    if (f.part == Part::operands && node_.has(in_))
      path = path / "in";
    if (f.part == Part::results && node_.has(out_))
      path = path / "out";
    if (f.part == Part::type)
      path = path / "types" / f.index;
    problems_.report(path, std::move(f.diagnostic));
  }
  void report_unknown_attribute(const OpDef& def, const AttributePlace& place) {
    NearestName nearest(place.name);
    for (const AttrDef& a : def.attrs)
      nearest.consider(a.name);
    problems_.report(place.path().at_key(), "graph.unknown-attribute",
                     fmt::format("op '{}' has no attribute '{}'{}", def.name, place.name.substr(0, 60), nearest.text()),
                     signature_of(def));
  }
  void outputs() {
    array list;
    if (!root_.has(outputs_))
      return;
    if (root_[outputs_].get(list) != simdjson::SUCCESS)
      return problems_.report_kind({"outputs"}, "a list of names", root_[outputs_]);
    std::vector<Value> values;
    bool good = true;
    std::size_t i = 0;
    for (const element e : list) {
      const auto path = [&] { return JsonPath{"outputs", i}; };
      const auto name = fields_.value_name(e, path);
      const Definition* d = name ? assembly_.values().find(*name) : nullptr;
      if (name && d == nullptr)
        fields_.report_undefined(*name, path());
      if (d == nullptr || !d->value)
        good = false;
      else
        values.push_back(d->value);
      ++i;
    }
    if (good)
      assembly_.graph().set_outputs(values);
  }

  JsonProblems& problems_;
  Assembly assembly_;
  JsonFields fields_;
  JsonAttributes attributes_;
  Members<8> root_{root_keys};
  JsonOrder* order_ = nullptr;

  // The node at hand; reused.
  std::size_t index_ = 0;
  Members<6> node_;
  std::vector<Value> operands_;
  std::vector<std::string_view> results_;  // empty where the name was faulty
  std::vector<Fault> faults_;
  Symbol last_scope_;
};

}  // namespace
}  // namespace io

Graph parse_json(std::shared_ptr<Context> context, std::string_view text, std::string_view file) {
  io::SourceText source(text, file);
  io::require_readable(source, "json");
  io::JsonTree tree;
  const simdjson::error_code error = tree.parse(text, io::max_json_depth);
  if (error == simdjson::MEMALLOC)
    throw Error("json.too-large", "there is not enough memory to read this document");
  if (error != simdjson::SUCCESS)
    throw Error(io::explain_json_syntax(source, simdjson::error_message(error)));

  io::JsonProblems problems(source);
  simdjson::dom::object root;
  if (tree.root().get(root) != simdjson::SUCCESS) {
    problems.report_kind(io::JsonPath(), "an object", tree.root(),
                         R"(a graph starts with {"format": "tandem.graph", "version": 1,)");
    problems.findings().throw_if_any();
  }
  if (auto graph = io::JsonReader(context, root, problems).read(nullptr))
    return std::move(*graph);
  // Some operand was not defined by the nodes before it: once more, in an order that serves all.
  problems.findings().clear();
  simdjson::dom::array nodes;
  if (root["nodes"].get(nodes) != simdjson::SUCCESS)
    internal_error("nodes to be sorted are no list");
  io::JsonOrder order = io::order_json_nodes(nodes, problems);
  auto graph = io::JsonReader(std::move(context), root, problems).read(&order);
  if (!graph)
    internal_error("sorted nodes cannot be read");
  return std::move(*graph);
}

}  // namespace tandem
