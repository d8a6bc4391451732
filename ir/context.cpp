#include <tandem/ir/context.h>

#include <cstring>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/hash_mix.h>
#include <tandem/ir/ops/infer.h>
#include <tandem/ir/string_table.h>

namespace tandem {

namespace {

std::size_t hash_bytes(const void* data, std::size_t size) {
  return std::hash<std::string_view>()({static_cast<const char*>(data), size});
}

struct DimsHash {
  using is_transparent = void;
  std::size_t operator()(std::span<const Dim> dims) const {
    std::size_t h = dims.size();
    for (Dim d : dims)
      h = hash_mix(h, d.bits());
    return h;
  }
};
struct DimsEqual {
  using is_transparent = void;
  bool operator()(std::span<const Dim> a, std::span<const Dim> b) const {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
};
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
};
struct RealsHash {
  std::size_t operator()(const std::vector<double>& v) const { return hash_bytes(v.data(), v.size() * sizeof(double)); }
};
struct RealsEqual {  // by bits: NaN equals itself
  bool operator()(const std::vector<double>& a, const std::vector<double>& b) const {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
  }
};
struct LiteralHash {
  std::size_t operator()(const TensorLiteral& l) const {
    return hash_mix(hash_bytes(l.data.data(), l.data.size()), static_cast<std::uint64_t>(l.type.dtype));
  }
};
struct LiteralEqual {
  bool operator()(const TensorLiteral& a, const TensorLiteral& b) const { return a.type == b.type && a.data == b.data; }
};

}  // namespace

// Nodes of the unordered sets have stable addresses: those are the interned pointers.
struct Context::Interner {
  std::mutex mutex;
  StringTable strings;
  std::unordered_set<std::vector<Dim>, DimsHash, DimsEqual> shapes;
  std::unordered_set<std::vector<double>, RealsHash, RealsEqual> reals;
  std::unordered_set<TensorLiteral, LiteralHash, LiteralEqual> literals;
  std::unordered_map<std::string, OpId, TextHash, std::equal_to<>> ops;
};

std::shared_ptr<Context> Context::create() {
  return std::make_shared<Context>();
}

Context::Context() : interner_(std::make_unique<Interner>()) {
  using namespace trait;
  ops_.reserve(static_cast<std::size_t>(op::Core::count_) + 16);
#define TANDEM_OP(name, signature, traits, infer, doc) register_op({#name, signature, traits, &infer, doc});
#include <tandem/ir/ops.def>
#undef TANDEM_OP
#define TANDEM_DECOMPOSED(name) ops_[op::name.index].decompose = &decompose_##name
  TANDEM_DECOMPOSED(fused_mla_dual_rms_norm);
  TANDEM_DECOMPOSED(fused_add_rms_norm);
  TANDEM_DECOMPOSED(fused_silu_and_mul);
  TANDEM_DECOMPOSED(fused_qk_norm_rope);
  TANDEM_DECOMPOSED(fused_rms_norm_static_quant);
  TANDEM_DECOMPOSED(fused_rms_norm_dynamic_quant);
  TANDEM_DECOMPOSED(fused_silu_and_mul_static_quant);
#undef TANDEM_DECOMPOSED
}

Context::~Context() = default;

OpId Context::register_op(const OpRow& row) {
  OpDef def = parse_op_row(*this, row);
  if (ops_.size() >= 0xffff)
    throw Error("op.too-many", "the op table is full: 65,535 rows at most");
  if (interner_->ops.contains(def.name)) {
    throw Error("op.duplicate", fmt::format("op '{}' is already registered", def.name), "give the new op another name");
  }
  const OpId id{static_cast<std::uint16_t>(ops_.size())};
  interner_->ops.emplace(def.name, id);
  ops_.push_back(std::move(def));
  return id;
}

std::optional<OpId> Context::find_op(std::string_view name) const {
  const auto it = interner_->ops.find(name);
  if (it == interner_->ops.end() || it->second == op::return_)
    return std::nullopt;
  return it->second;
}

OpId Context::require_op(std::string_view name) const {
  if (const auto id = find_op(name))
    return *id;
  std::vector<std::string_view> names;
  for (const OpDef& def : ops_) {
    if (def.name != "return")
      names.push_back(def.name);
  }
  throw Error("graph.unknown-op", fmt::format("unknown op '{}'{}", name, did_you_mean(name, names)),
              "'tandem list ops' shows all of them; an engine adds its own with Context::register_op");
}

Symbol Context::intern(std::string_view text) {
  if (text.empty())
    return {};
  const std::lock_guard lock(interner_->mutex);
  return Symbol(interner_->strings.intern(text));
}

Shape Context::shape(std::span<const Dim> dims) {
  if (dims.empty())
    return {};
  const std::lock_guard lock(interner_->mutex);
  auto it = interner_->shapes.find(dims);
  if (it == interner_->shapes.end())
    it = interner_->shapes.emplace(dims.begin(), dims.end()).first;
  return Shape(&*it);
}

const std::vector<double>* Context::reals(std::span<const double> values) {
  const std::lock_guard lock(interner_->mutex);
  return &*interner_->reals.emplace(values.begin(), values.end()).first;
}

const TensorLiteral* Context::literal(TensorLiteral literal) {
  const std::lock_guard lock(interner_->mutex);
  return &*interner_->literals.insert(std::move(literal)).first;
}

}  // namespace tandem
