#include <tandem/ir/io/assembly.h>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/dim_parser.h>
#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/weight_keys.h>

namespace tandem::io {

std::string signature_of(const OpDef& def) {
  return def.name + def.signature;
}

std::string check_declared_type(const TensorType& type) {
  if (type.shape.rank() > max_rank)
    return fmt::format("rank {} is above the limit of {}", type.shape.rank(), max_rank);
  for (Dim d : type.shape) {
    if (d.is_constant() && d.constant() < 0)
      return fmt::format("a dim cannot be {}", d.constant());
  }
  return {};
}

Assembly::Assembly(std::shared_ptr<Context> context)
    : context_(std::move(context)), graph_(context_), types_of_ops_(*context_) {}

const OpDef* Assembly::find_op(std::string_view name, OpId& id, std::vector<Fault>& faults) {
  if (const OpId* known = ops_.find(name)) {
    id = *known;
    return &context_->op(id);
  }
  const auto found = context_->find_op(name);
  if (!found || *found == op::return_) {
    NearestName nearest(name);
    for (const OpDef& def : context_->ops())
      nearest.consider(def.name);
    faults.push_back(
        {Part::node, 0,
         finding("graph.unknown-op", fmt::format("unknown op '{}'{}", name, nearest.text()),
                 "'tandem list ops' shows all of them; an engine adds its own with Context::register_op")});
    return nullptr;
  }
  *ops_.insert(name).first = id = *found;
  return &context_->op(id);
}

const TensorType* Assembly::find_type(std::string_view text, std::size_t& position, std::string& error) {
  if (const TensorType* known = types_of_text_.find(text))
    return known;
  position = 0;
  if (text.size() > max_type_bytes) {
    error = fmt::format("a type of {} bytes is above the limit of {}", text.size(), max_type_bytes);
    return nullptr;
  }
  const auto type = parse_type_prefix(*context_, text, position, error);
  if (!type)
    return nullptr;
  while (position < text.size() && (text[position] == ' ' || text[position] == '\t'))
    ++position;
  if (position != text.size()) {
    error = "unexpected text after the type";
    return nullptr;
  }
  TensorType* known = types_of_text_.insert(text).first;
  *known = *type;
  return known;
}

std::string Assembly::add_weight_key(Symbol key, const TensorType& type) {
  const auto [known, is_new] = types_of_keys_.insert(key.view());
  if (is_new)
    *known = type;
  return *known == type ? std::string() : weight_key_conflict(key.view(), *known, type);
}

void Assembly::start(OpId id) {
  op = id;
  operands.clear();
  attrs.assign(context_->op(id).attrs.size(), Attribute());
  types.clear();
  scope = {};
}

Node Assembly::finish(std::size_t num_results, std::vector<Fault>& faults) {
  const OpDef& def = context_->op(op);
  for (std::size_t i = 0; i < attrs.size(); ++i) {
    if (attrs[i])
      continue;
    attrs[i] = def.attrs[i].default_value;
    if (attrs[i])
      continue;
    faults.push_back({Part::node, 0,
                      finding("graph.missing-attribute",
                              fmt::format("op '{}' needs attribute '{}' ({})", def.name, def.attrs[i].name,
                                          to_string(def.attrs[i].kind)),
                              signature_of(def))});
  }
  if (!faults.empty() || !infer(def, faults))
    return {};
  if (inferred_.size() != num_results) {
    faults.push_back(
        {Part::results, 0,
         finding("graph.arity",
                 fmt::format("this '{}' has {} result{}, {} {} named", def.name, inferred_.size(),
                             inferred_.size() == 1 ? "" : "s", num_results, num_results == 1 ? "is" : "are"),
                 signature_of(def))});
    return {};
  }
  if (!types.empty())
    compare_types(def, num_results, faults);
  return graph_.create(op, operands, attrs, inferred_, {}, scope);
}

bool Assembly::infer(const OpDef& def, std::vector<Fault>& faults) {
  operand_types_.clear();
  for (Value v : operands)
    operand_types_.push_back(graph_.type(v));
  try {
    inferred_ = types_of_ops_.of(op, operand_types_, attrs);
  } catch (const Error& e) {
    for (Diagnostic d : e.diagnostics()) {
      if (d.notes.empty() && !operand_types_.empty()) {
        std::string note = "operands:";
        for (std::size_t i = 0; i < operand_types_.size() && i < 8; ++i) {
          note += fmt::format("{} {}: {}", i == 0 ? "" : ",", def.operand_name(i), to_string(operand_types_[i]));
        }
        if (operand_types_.size() > 8)
          note += ", ...";
        if (def.accepts_operands(operand_types_.size()))
          d.notes.push_back(std::move(note));
      }
      faults.push_back({d.code == "graph.arity" ? Part::operands : Part::node, 0, std::move(d)});
    }
    return false;
  }
  for (const TensorType& t : inferred_) {
    if (t.shape.rank() <= max_rank)
      continue;
    faults.push_back({Part::node, 0,
                      finding("graph.rank", fmt::format("a result of this '{}' has rank {}, above the limit of {}",
                                                        def.name, t.shape.rank(), max_rank))});
    return false;
  }
  return true;
}

void Assembly::compare_types(const OpDef& def, std::size_t num_results, std::vector<Fault>& faults) const {
  if (types.size() != num_results) {
    faults.push_back(
        {Part::type, 0,
         finding("graph.type",
                 fmt::format("{} given for {}", counted(types.size(), "result type"), counted(num_results, "result")),
                 "give the type of every result, or none")});
    return;
  }
  for (std::size_t i = 0; i < num_results; ++i) {
    if (types[i] == inferred_[i])
      continue;
    faults.push_back(
        {Part::type, i,
         finding("graph.type",
                 fmt::format("result {} of '{}' is given as {}, but its operands and attributes make it {}", i,
                             def.name, to_string(types[i]), to_string(inferred_[i])),
                 "correct the type, or leave it out: it is inferred")});
  }
}

}  // namespace tandem::io
