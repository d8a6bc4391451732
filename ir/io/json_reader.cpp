// Reads the JSON form: simdjson checks the syntax and gives a tree, which is walked once, straight into the graph. What
// costs time happens only once something is wrong: explaining a syntax error, finding the line of a path, sorting nodes.
#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include <tandem/ir/dim_parser.h>
#include <tandem/ir/io/assembly.h>
#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/json_attributes.h>
#include <tandem/ir/io/json_names.h>
#include <tandem/ir/io/json_problems.h>
#include <tandem/ir/io/json_syntax.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/node_order.h>
#include <tandem/ir/io/spelling.h>

namespace tandem {

namespace io {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

/// A fixed set of keys and what an object has for them.
template <std::size_t N>
struct Members {
  std::array<std::string_view, N> keys;
  std::array<element, N> values{};
  std::uint32_t present = 0;

  bool has(std::size_t i) const { return (present >> i & 1U) != 0; }
  const element& operator[](std::size_t i) const { return values[i]; }
};

/// "'op', 'in', 'out'"
template <std::size_t N>
std::string list_of(const std::array<std::string_view, N>& keys) {
  std::string out;
  for (std::string_view k : keys) out += fmt::format("{}'{}'", out.empty() ? "" : ", ", k);
  return out;
}

class JsonReader {
 public:
  JsonReader(std::shared_ptr<Context> context, const object& root, JsonProblems& problems)
      : context_(std::move(context)), problems_(problems), assembly_(context_), attributes_(assembly_, problems) {
    root_.keys = {"format", "version", "name", "dims", "inputs", "weights", "nodes", "outputs"};
    split(root, root_, JsonPath());
  }

  /// The graph with its nodes read in `order` (all, in their own order, when it is empty). Empty when an operand is not
  /// defined by the nodes before: then the nodes must be sorted, or something is missing.
  std::optional<Graph> read(std::span<const std::uint32_t> order, bool sorted) {
    sorted_ = sorted;
    header();
    if (!nodes(order)) return std::nullopt;
    outputs();
    problems_.findings().throw_if_any();
    return std::move(assembly_.graph());
  }

  /// The order in which all operands are defined before they are used. Reports a cycle.
  std::vector<std::uint32_t> sort() {
    array list;
    if (!root_.has(nodes_) || root_[nodes_].get(list) != simdjson::SUCCESS) return {};
    TextMap<std::uint32_t> producer_of;
    const auto each_name = [](const element& node, std::string_view key, auto&& f) {
      array names;
      if (node[key].get(names) != simdjson::SUCCESS) return;
      for (const element e : names) {
        std::string_view name;
        if (e.get(name) == simdjson::SUCCESS) f(name);
      }
    };
    std::uint32_t count = 0;
    for (const element node : list) {
      each_name(node, "out", [&](std::string_view name) {
        if (const auto [producer, fresh] = producer_of.insert(name); fresh) *producer = count;
      });
      ++count;
    }
    std::vector<std::vector<std::uint32_t>> producers(count);
    std::uint32_t i = 0;
    for (const element node : list) {
      each_name(node, "in", [&](std::string_view name) {
        if (const std::uint32_t* p = producer_of.find(name)) producers[i].push_back(*p);
      });
      ++i;
    }
    NodeOrder result = order_nodes(producers);
    if (!result.cycle.empty()) report_cycle(list, result.cycle);
    return std::move(result.order);
  }

 private:
  enum RootKey : std::size_t { format_, version_, name_, dims_, inputs_, weights_, nodes_, outputs_ };
  enum NodeKey : std::size_t { op_, in_, out_, attrs_, types_, scope_ };

  // --- pieces ----------------------------------------------------------------------------------------------------------
  /// Sorts the members of an object by its known keys; reports unknown and duplicate ones.
  template <std::size_t N>
  void split(const object& from, Members<N>& members, const JsonPath& path) {
    members.present = 0;
    for (const auto field : from) {
      std::size_t i = 0;
      while (i < N && members.keys[i] != field.key) ++i;
      if (i == N) {
        report_unknown_key(field.key, members.keys, path);
      } else if (members.has(i)) {
        problems_.report((path / field.key).at_key(), "json.duplicate-key",
                         fmt::format("key '{}' stands twice in this object", field.key), "remove one of the two");
      } else {
        members.values[i] = field.value;
        members.present |= 1U << i;
      }
    }
  }
  template <std::size_t N>
  void report_unknown_key(std::string_view key, const std::array<std::string_view, N>& keys, const JsonPath& path) {
    NearestName nearest(key);
    for (std::string_view k : keys) nearest.consider(k);
    std::string shown;
    append_quoted(shown, key.substr(0, 60));
    problems_.report((path / key).at_key(), "json.unknown-key", fmt::format("unknown key {}{}", shown, nearest.text()),
                     fmt::format("the keys here are {}", list_of(keys)));
  }

  /// A string that may serve as a name; empty after a report.
  template <class Path>
  std::optional<std::string_view> text(const element& e, std::string_view what, const Path& path) {
    std::string_view value;
    if (e.get(value) != simdjson::SUCCESS) {
      problems_.report_kind(path(), fmt::format("{} as a string", what), e);
      return std::nullopt;
    }
    if (value.size() > max_name_bytes) {
      problems_.report(path(), "json.name", fmt::format("{} of {} bytes is above the limit of {}", what, value.size(), max_name_bytes));
      return std::nullopt;
    }
    if (value.find('\0') != std::string_view::npos) {
      problems_.report(path(), "json.name", fmt::format("{} cannot hold a NUL", what));
      return std::nullopt;
    }
    return value;
  }
  template <class Path>
  std::optional<std::string_view> value_name(const element& e, const Path& path) {
    const auto name = text(e, "the name of a value", path);
    if (name && name->empty()) {
      problems_.report(path(), "json.name", "the name of a value cannot be empty");
      return std::nullopt;
    }
    return name;
  }

  template <class Path>
  const TensorType* type(const element& e, const Path& path) {
    std::string_view text;
    if (e.get(text) != simdjson::SUCCESS) {
      problems_.report_kind(path(), "a type as a string", e, "for example \"bf16[T, 7168]\"");
      return nullptr;
    }
    std::size_t position = 0;
    std::string error;
    const TensorType* type = assembly_.find_type(text, position, error);
    if (type == nullptr) {
      problems_.report(path(), "type.syntax",
                       fmt::format("{} at column {} of \"{}\"", error, position + 1, text.substr(0, 80)),
                       "for example \"bf16[T, 7168]\"; a scalar is \"f32[]\"");
    }
    return type;
  }

  /// Names a value. `place` tells where: see `place_of`.
  void define(std::string_view name, Value value, std::size_t place) {
    const auto [definition, fresh] = assembly_.values().insert(name);
    if (fresh) {
      *definition = {value, place};
      return;
    }
    std::string shown;
    append_quoted(shown, name.substr(0, 80));
    Diagnostic d = finding("graph.duplicate-name", fmt::format("two values are named {}", shown), "rename one of them");
    d.notes.push_back(fmt::format("the other is at {}", problems_.place(place_of(definition->place, name))));
    problems_.report(place_of(place, name), std::move(d));
  }
  /// Places count the inputs, then the weights, then the nodes.
  JsonPath place_of(std::size_t place, std::string_view name) {
    if (place < num_inputs_) return {"inputs", place, "name"};
    place -= num_inputs_;
    if (place < num_weights_) return {"weights", place, "name"};
    place -= num_weights_;
    JsonPath path{"nodes", place, "out"};
    array list, names;
    if (root_[nodes_].get(list) != simdjson::SUCCESS || list.at(place)["out"].get(names) != simdjson::SUCCESS) return path;
    std::size_t i = 0, last = 0;
    for (const element e : names) {
      std::string_view text;
      if (e.get(text) == simdjson::SUCCESS && text == name) last = i;
      ++i;
    }
    return path / last;
  }
  Symbol symbol_of(std::string_view json_name) { return context_->intern(name_of_json(json_name)); }

  // --- the parts of the document -----------------------------------------------------------------------------------
  void header() {
    format_and_version();
    if (root_.has(name_)) {
      const auto name = text(root_[name_], "the graph's name", [] { return JsonPath{"name"}; });
      if (name) assembly_.graph().set_name(*name);
    }
    for (const RootKey required : {nodes_, outputs_}) {
      if (root_.has(required)) continue;
      problems_.report(JsonPath(), "json.missing-key", fmt::format("a graph needs the key '{}'", root_.keys[required]),
                       "an empty list is written []");
    }
    symbols();
    declarations(inputs_, num_inputs_);
    declarations(weights_, num_weights_);
  }

  void format_and_version() {
    std::string_view format;
    if (!root_.has(format_)) {
      problems_.report(JsonPath(), "json.missing-key", "a graph needs the key 'format'",
                       R"(it starts with {"format": "tandem.graph", "version": 1,)");
    } else if (root_[format_].get(format) != simdjson::SUCCESS || format != "tandem.graph") {
      problems_.report({"format"}, "json.format", fmt::format("expected \"tandem.graph\", found {}", describe(root_[format_])),
                       "this document is of another format");
      problems_.findings().throw_if_any();
    }
    std::int64_t version = 0;
    if (!root_.has(version_)) {
      problems_.report(JsonPath(), "json.missing-key", "a graph needs the key 'version'", "this tandem reads \"version\": 1");
    } else if (root_[version_].get(version) != simdjson::SUCCESS || version != 1) {
      problems_.report({"version"}, "json.version", fmt::format("expected version 1, found {}", describe(root_[version_])),
                       version > 1 ? "the file is from a newer tandem: write version 1 there, or update this one"
                                   : "this tandem reads \"version\": 1");
      problems_.findings().throw_if_any();
    }
  }

  void symbols() {
    object dims;
    if (!root_.has(dims_)) return;
    if (root_[dims_].get(dims) != simdjson::SUCCESS) {
      return problems_.report_kind({"dims"}, "an object", root_[dims_], R"(for example {"T": {"min": 1, "max": 131072}})");
    }
    for (const auto field : dims) {
      const JsonPath path{"dims", field.key};
      Dim dim;
      std::string error;
      if (!parse_dim_text(*context_, field.key, dim, error) || dim.is_constant() || dim.symbol().empty() ||
          dim.symbol().view() != field.key) {
        std::string shown;
        append_quoted(shown, field.key.substr(0, 60));
        problems_.report(path.at_key(), "json.dim-name", fmt::format("{} cannot be the name of a dim", shown),
                         "a name starts with a letter or '_' and goes on with letters, digits, '_' and '.'");
        continue;
      }
      const auto declared = assembly_.graph().symbols();
      if (std::any_of(declared.begin(), declared.end(), [&](const SymbolRange& s) { return s.symbol == dim.symbol(); })) {
        problems_.report(path.at_key(), "json.duplicate-key", fmt::format("dim '{}' stands twice", field.key));
        continue;
      }
      if (declared.size() >= max_symbols) {
        return problems_.report(path.at_key(), "graph.too-many-dims", fmt::format("more than {} dims are declared", max_symbols));
      }
      if (const auto range = symbol_range(field.value, path)) assembly_.graph().set_range(dim.symbol(), *range);
    }
  }
  std::optional<DimRange> symbol_range(const element& e, const JsonPath& path) {
    object bounds;
    if (e.get(bounds) != simdjson::SUCCESS) {
      problems_.report_kind(path, "an object", e, R"(for example {"min": 1, "max": 131072})");
      return std::nullopt;
    }
    Members<2> members{{"min", "max"}};
    split(bounds, members, path);
    DimRange range;
    for (const std::size_t i : {0U, 1U}) {
      if (!members.has(i)) continue;
      std::int64_t bound = -1;
      if (members[i].get(bound) != simdjson::SUCCESS || bound < 0 || bound > Dim::max_constant) {
        problems_.report(path / members.keys[i], "graph.dim-range",
                         fmt::format("expected a whole number in 0..{}, found {}", Dim::max_constant, describe(members[i])));
        return std::nullopt;
      }
      (i == 0 ? range.min : range.max) = bound;
    }
    if (range.min <= range.max) return range;
    problems_.report(path, "graph.dim-range", fmt::format("the range {}..{} is empty", range.min, range.max),
                     "give a minimum that is not above the maximum");
    return std::nullopt;
  }

  // [{"name": "x", "type": "bf16[T, 7168]"}], weights with "key"
  void declarations(RootKey section, std::size_t& count) {
    const bool weights = section == weights_;
    const std::string_view key = root_.keys[section];
    count = 0;
    if (!root_.has(section)) return;
    array list;
    if (root_[section].get(list) != simdjson::SUCCESS) return problems_.report_kind({key}, "a list", root_[section]);
    const std::size_t base = weights ? num_inputs_ : 0;
    for (const element e : list) {
      const std::size_t i = count++;
      declaration(e, weights, JsonPath{key, i}, base + i);
    }
  }
  void declaration(const element& e, bool weight, const JsonPath& path, std::size_t place) {
    object fields;
    if (e.get(fields) != simdjson::SUCCESS) {
      return problems_.report_kind(path, "an object", e, R"(for example {"name": "x", "type": "bf16[T, 7168]"})");
    }
    Members<3> members{{"name", "type", "key"}};
    split(fields, members, path);
    if (members.has(2) && !weight) {
      problems_.report((path / "key").at_key(), "json.unknown-key", "an input has no 'key'", "list it under 'weights'");
    }
    for (const std::size_t required : {0U, 1U}) {
      if (members.has(required)) continue;
      return problems_.report(path, "json.missing-key",
                              fmt::format("{} needs '{}'", weight ? "a weight" : "an input", members.keys[required]));
    }
    const auto name = value_name(members[0], [&] { return path / "name"; });
    if (!name) return;
    const TensorType* declared = type(members[1], [&] { return path / "type"; });
    if (declared == nullptr) return define(*name, {}, place);
    const TensorType of_value = *declared;
    if (const std::string wrong = check_declared_type(of_value); !wrong.empty()) {
      problems_.report(path / "type", "graph.type", wrong);
      return define(*name, {}, place);
    }
    const Symbol symbol = symbol_of(*name);
    if (!weight) return define(*name, assembly_.graph().add_input(of_value, symbol), place);
    Symbol key = symbol;
    if (members.has(2)) {
      const auto given = text(members[2], "the key of a weight", [&] { return path / "key"; });
      if (given) key = context_->intern(*given);
    } else if (symbol.empty()) {
      problems_.report(path, "json.missing-key", "a weight without a name needs 'key'");
    }
    define(*name, assembly_.graph().add_weight(of_value, symbol, key), place);
  }

  // --- nodes -------------------------------------------------------------------------------------------------------
  bool nodes(std::span<const std::uint32_t> order) {
    array list;
    if (!root_.has(nodes_)) return true;
    if (root_[nodes_].get(list) != simdjson::SUCCESS) {
      problems_.report_kind({"nodes"}, "a list", root_[nodes_]);
      return true;
    }
    const std::size_t n = list.size();  // saturates far above what a file of the largest size can hold
    assembly_.graph().reserve(n, n * 2 + 16, n + n / 4 + num_inputs_ + num_weights_ + 16);
    assembly_.values().reserve(n + n / 4 + num_inputs_ + num_weights_);
    node_.keys = {"op", "in", "out", "attrs", "types", "scope"};
    if (order.empty()) {
      index_ = 0;
      for (const element e : list) {
        if (!node(e)) return false;
        ++index_;
      }
      return true;
    }
    std::vector<element> all;
    all.reserve(n);
    for (const element e : list) all.push_back(e);
    for (const std::uint32_t i : order) {
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
    if (names == Names::wait) return false;
    const OpDef* def = op();
    bool good = names == Names::good && def != nullptr;
    if (def != nullptr) good = attributes(*def) && good;
    good = types() && good;
    if (node_.has(scope_)) {
      const auto scope = text(node_[scope_], "a scope", [&] { return node_path() / "scope"; });
      if (scope) assembly_.scope = scope_symbol(*scope);
    }
    Node made;
    if (good) made = assembly_.finish(results_.size(), faults_);
    for (std::size_t i = 0; i < results_.size(); ++i) {
      if (results_[i].empty()) continue;
      const Value v = made ? assembly_.graph().result(made, i) : Value{};
      if (made) assembly_.graph().set_name(v, symbol_of(results_[i]));
      define(results_[i], v, num_inputs_ + num_weights_ + index_);
    }
    for (Fault& f : faults_) report_fault(f);
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
        return split(fields, node_, node_path());
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
      for (Fault& f : faults_) problems_.report(node_path() / "op", std::move(f.diagnostic));
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
          const auto name = value_name(e, [&] { return node_path() / "out" / results_.size(); });
          if (!name) outcome = Names::bad;
          results_.push_back(name.value_or(std::string_view()));
        }
      }
    }
    if (!node_.has(in_)) return outcome;
    if (node_[in_].get(list) != simdjson::SUCCESS) {
      problems_.report_kind(node_path() / "in", "a list of names", node_[in_]);
      return Names::bad;
    }
    std::size_t i = 0;
    for (const element e : list) {
      const auto path = [&] { return node_path() / "in" / i; };
      const auto name = value_name(e, path);
      if (!name) {
        outcome = Names::bad;
      } else if (const Definition* d = assembly_.values().find(*name)) {
        if (!d->value) outcome = Names::bad;
        operands_.push_back(d->value);
      } else if (!sorted_) {
        return Names::wait;
      } else {
        if (!in_cycle_) report_undefined(*name, path());
        outcome = Names::bad;
      }
      ++i;
    }
    return outcome;
  }

  bool attributes(const OpDef& def) {
    if (!node_.has(attrs_)) return true;
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
        problems_.report(place.path().at_key(), "json.duplicate-key", fmt::format("attribute '{}' is given twice", field.key));
        good = false;
        continue;
      }
      if (i < 64) seen |= std::uint64_t{1} << i;
      assembly_.attrs[i] = attributes_.read(field.value, def.attrs[i], place);
      if (!assembly_.attrs[i]) good = false;
    }
    return good;
  }

  bool types() {
    assembly_.types.clear();
    if (!node_.has(types_)) return true;
    array list;
    if (node_[types_].get(list) != simdjson::SUCCESS) {
      problems_.report_kind(node_path() / "types", "a list of types", node_[types_]);
      return false;
    }
    std::size_t i = 0;
    for (const element e : list) {
      const TensorType* given = type(e, [&] { return node_path() / "types" / i; });
      if (given == nullptr) return false;
      assembly_.types.push_back(*given);
      ++i;
    }
    if (i == results_.size()) return true;
    problems_.report(node_path() / "types", "graph.type", fmt::format("{} result types are given for {} results", i, results_.size()),
                     "give the type of every result, or leave 'types' out");
    return false;
  }

  /// Nodes of one scope mostly stand together.
  Symbol scope_symbol(std::string_view scope) {
    if (last_scope_.view() != scope) last_scope_ = context_->intern(scope);
    return last_scope_;
  }

  // --- reports -----------------------------------------------------------------------------------------------------
  void report_fault(Fault& f) {
    JsonPath path = node_path();
    if (f.part == Part::operands && node_.has(in_)) path = path / "in";
    if (f.part == Part::results && node_.has(out_)) path = path / "out";
    if (f.part == Part::type) path = path / "types" / f.index;
    problems_.report(path, std::move(f.diagnostic));
  }
  void report_unknown_attribute(const OpDef& def, const AttributePlace& place) {
    NearestName nearest(place.name);
    for (const AttrDef& a : def.attrs) nearest.consider(a.name);
    problems_.report(place.path().at_key(), "graph.unknown-attribute",
                     fmt::format("op '{}' has no attribute '{}'{}", def.name, place.name.substr(0, 60), nearest.text()),
                     signature_of(def));
  }
  void report_undefined(std::string_view name, const JsonPath& path) {
    NearestName nearest(name);
    assembly_.values().for_each([&](std::string_view known, const Definition&) { nearest.consider(known); });
    std::string shown;
    append_quoted(shown, name.substr(0, 80));
    problems_.report(path, "graph.undefined-value", fmt::format("no input, weight or node defines {}{}", shown, nearest.text()));
  }
  void report_cycle(const array& list, const std::vector<std::uint32_t>& cycle) {
    constexpr std::size_t shown = 10;
    std::string names;
    for (std::size_t i = 0; i <= cycle.size(); ++i) {
      if (i != 0) names += " -> ";
      if (i == shown && cycle.size() > shown) {
        names += fmt::format("... ({} more) -> ", cycle.size() - shown);
        i = cycle.size();
      }
      std::string_view name;
      const std::uint32_t node = cycle[i % cycle.size()];
      if (list.at(node)["out"].at(0).get(name) == simdjson::SUCCESS) append_quoted(names, name.substr(0, 80));
      else names += fmt::format("nodes[{}]", node);
    }
    in_cycle_ = true;
    problems_.report({"nodes", std::size_t{cycle[0]}, "in"}, "graph.cycle",
                     fmt::format("these values depend on themselves: {}", names), "a graph has no cycles: break this one");
  }

  void outputs() {
    array list;
    if (!root_.has(outputs_)) return;
    if (root_[outputs_].get(list) != simdjson::SUCCESS) return problems_.report_kind({"outputs"}, "a list of names", root_[outputs_]);
    std::vector<Value> values;
    bool good = true;
    std::size_t i = 0;
    for (const element e : list) {
      const auto path = [&] { return JsonPath{"outputs", i}; };
      const auto name = value_name(e, path);
      const Definition* d = name ? assembly_.values().find(*name) : nullptr;
      if (name && d == nullptr) report_undefined(*name, path());
      if (d == nullptr || !d->value) good = false;
      else values.push_back(d->value);
      ++i;
    }
    if (good) assembly_.graph().set_outputs(values);
  }

  std::shared_ptr<Context> context_;
  JsonProblems& problems_;
  Assembly assembly_;
  JsonAttributes attributes_;
  Members<8> root_;
  std::size_t num_inputs_ = 0, num_weights_ = 0;
  bool sorted_ = false, in_cycle_ = false;

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
  simdjson::dom::parser parser(simdjson::SIMDJSON_MAXSIZE_BYTES);
  simdjson::error_code error = parser.allocate(std::max<std::size_t>(text.size(), 64), io::max_json_depth);
  simdjson::dom::element document;
  if (error == simdjson::SUCCESS) error = parser.parse(text.data(), text.size(), true).get(document);
  if (error == simdjson::MEMALLOC) throw Error("json.too-large", "there is not enough memory to read this document");
  if (error != simdjson::SUCCESS) throw Error(io::explain_json_syntax(source, simdjson::error_message(error)));

  io::JsonProblems problems(source);
  simdjson::dom::object root;
  if (document.get(root) != simdjson::SUCCESS) {
    problems.report_kind(io::JsonPath(), "an object", document, R"(a graph starts with {"format": "tandem.graph", "version": 1,)");
    problems.findings().throw_if_any();
  }
  if (auto graph = io::JsonReader(context, root, problems).read({}, false)) return std::move(*graph);
  // Some operand was not defined by the nodes before it: once more, in an order that serves all.
  problems.findings().clear();
  io::JsonReader reader(std::move(context), root, problems);
  const std::vector<std::uint32_t> order = reader.sort();
  auto graph = reader.read(order, true);
  if (!graph) internal_error("sorted nodes cannot be read");
  return std::move(*graph);
}

}  // namespace tandem
