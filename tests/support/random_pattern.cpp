#include "tests/support/random_pattern.h"

#include <bit>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace tandem::test {

namespace {

class Generator {
 public:
  Generator(std::uint64_t seed, const RandomPatternOptions& options) : random_(seed), options_(options) {}

  Pattern pattern() {
    Pattern p;
    p.name = name();
    if (chance(50))
      p.doc = text();
    p.level = static_cast<OptLevel>(below(4));
    if (chance(50))
      p.pass = chance(50) ? "raise" : "fuse";
    if (chance(50))
      p.flag = name();
    p.numerics = chance(50) ? Numerics::relaxed : Numerics::exact;
    if (chance(50))
      p.benefit = static_cast<int>(integer() % 2147483647);
    p.kernels = names(2);
    p.platforms = names(2);
    repeat(2, [&] { p.families.push_back({name(), names(3)}); });
    repeat(2, [&] { p.types.push_back({name(), names(3)}); });
    p.dims = names(4);
    repeat(2, [&] {
      Definition d;
      d.name = "def" + std::to_string(p.definitions.size());
      if (chance(20))
        d.name = odd_name() + d.name;
      d.params = values(3);
      d.results = values(2);
      definitions_.push_back(d.name);
      p.definitions.push_back(std::move(d));
    });
    for (Definition& d : p.definitions)
      d.body = clauses(3, 2);
    repeat(4, [&] { p.inputs.push_back({value(), type(), {}}); });
    computed_.clear();
    p.match = clauses(5, 3);
    repeat(4, [&] { p.where.push_back(guard()); });
    std::vector<std::string> known = computed_;
    for (const InputPattern& in : p.inputs)
      known.push_back(in.name);
    repeat(3, [&] {
      RewriteNode n;
      n.op = op();
      n.results = values(2);
      if (!known.empty())
        repeat(3, [&] { n.operands.push_back(one_of(known)); });
      n.attrs = attrs();
      known.insert(known.end(), n.results.begin(), n.results.end());
      p.rewrite.push_back(std::move(n));
    });
    if (!computed_.empty())
      repeat(3, [&] { p.replacements.push_back({one_of(computed_), one_of(known), {}}); });
    return p;
  }

 private:
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool chance(std::size_t percent) { return below(100) < percent; }
  template <class T>
  const T& one_of(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  template <class F>
  void repeat(std::size_t most, F&& f) {
    for (std::size_t n = below(most + 1); n != 0; --n)
      f();
  }

  std::string odd_name() {
    static const std::vector<std::string> odd = {"in",      "any", "floordiv", "not",  "either", "a b",      "",
                                                 "9",       "x.y", "a..b",     ".a",   "a.",     "\xc3\xa9", "a\nb",
                                                 "`",       "\"",  "\\",       "true", "use",    "match",    "a-b",
                                                 "through", "nan", "fusion",   "%x",   "# no",   "_",        "or"};
    return one_of(odd);
  }
  std::string name() {
    static const std::vector<std::string> plain = {"Q",    "C",   "P",    "T",  "eps", "axis",
                                                   "bf16", "f16", "rocm", "x1", "a.b"};
    return options_.odd_names && chance(8) ? odd_name() : one_of(plain);
  }
  std::string op() {
    if (!definitions_.empty() && chance(5))
      return one_of(definitions_);  // an op with a definition's name
    return chance(80) ? one_of(std::vector<std::string>{"split", "rms_norm", "where", "silu", "match"}) : name();
  }
  std::string value() {
    if (chance(5))
      return "_";
    const std::string n = chance(70) ? "v" + std::to_string(below(12)) : name();
    return chance(8) ? n + "..." : n;
  }
  template <class F>
  std::vector<std::string> several(std::size_t most, F&& f) {
    std::vector<std::string> out;
    repeat(most, [&] { out.push_back(f()); });
    return out;
  }
  std::vector<std::string> names(std::size_t most) {
    return several(most, [&] { return name(); });
  }
  std::vector<std::string> values(std::size_t most) {
    return several(most, [&] { return value(); });
  }
  std::string text() {
    std::string out;
    repeat(12, [&] { out += static_cast<char>(below(options_.any_bytes ? 256 : 128)); });
    return chance(20) ? out + "\xe2\x82\xac" : out;
  }

  std::int64_t integer() {
    using Limits = std::numeric_limits<std::int64_t>;
    if (options_.odd_numbers && chance(10))
      return chance(50) ? Limits::min() : Limits::max();
    return static_cast<std::int64_t>(below(200)) - 100;
  }
  double real() {
    static const std::vector<double> usual = {1e-6, 1e-5, 1.0, 0.5, -2.0, 1e22, 0.1};
    if (!options_.odd_numbers || chance(60))
      return one_of(usual);
    return std::bit_cast<double>(random_());  // any bits: NaNs, denormals, -0.0 now and then
  }

  Expr expr(int depth) {
    using Kind = Expr::Kind;
    static const std::vector<Kind> leaves = {Kind::boolean, Kind::integer, Kind::integer, Kind::real,  Kind::string,
                                             Kind::name,    Kind::name,    Kind::capture, Kind::value, Kind::uses};
    static const std::vector<Kind> inner = {Kind::list, Kind::add, Kind::sub,      Kind::mul,
                                            Kind::div,  Kind::mod, Kind::floordiv, Kind::neg};
    Expr e;
    e.kind = depth > 0 && chance(45) ? one_of(inner) : one_of(leaves);
    switch (e.kind) {
      case Kind::boolean: e.boolean = chance(50); break;
      case Kind::integer: e.integer = integer(); break;
      case Kind::real: e.real = chance(5) ? std::bit_cast<double>(0xfff8000000000001ULL) : real(); break;
      case Kind::string: e.text = text(); break;
      case Kind::name:
      case Kind::capture: e.text = name(); break;
      case Kind::value:
      case Kind::uses: e.text = value(); break;
      case Kind::list:
        repeat(3, [&] { e.args.push_back(expr(depth - 1)); });
        if (chance(30))
          e.args.emplace_back().kind = Kind::rest;
        break;
      case Kind::neg: e.args.push_back(expr(depth - 1)); break;
      default: e.args.push_back(expr(depth - 1)); e.args.push_back(expr(depth - 1));
    }
    return e;
  }
  Expr list() {
    Expr e;
    e.kind = Expr::Kind::list;
    repeat(3, [&] { e.args.push_back(expr(2)); });
    return e;
  }

  TypePattern type() {
    TypePattern t;
    if (chance(70))
      t.dtype = name();
    t.has_shape = chance(70);
    if (!t.has_shape)
      return t;
    t.open = chance(50);
    if (t.open && chance(40))
      t.leading = name();
    repeat(3, [&] { t.dims.push_back(expr(3)); });
    return t;
  }

  std::vector<AttrPattern> attrs() {
    std::vector<AttrPattern> out;
    repeat(3, [&] {
      AttrPattern a;
      a.name = name();
      a.compare = static_cast<Compare>(below(8));
      if (a.compare == Compare::one_of)
        a.value = list();
      else if (a.compare != Compare::any)
        a.value = expr(3);
      out.push_back(std::move(a));
    });
    return out;
  }

  std::vector<Clause> clauses(std::size_t most, int depth) {
    std::vector<Clause> out;
    repeat(most, [&] { out.push_back(clause(depth)); });
    return out;
  }

  Clause clause(int depth) {
    Clause c;
    const std::size_t kind = below(10);
    if (depth > 0 && kind == 0) {
      c.kind = Clause::Kind::either;
      c.branches.push_back(clauses(2, depth - 1));
      repeat(2, [&] { c.branches.push_back(clauses(2, depth - 1)); });
    } else if (depth > 0 && kind == 1) {
      c.kind = Clause::Kind::unless;
      const std::vector<std::string> before = computed_;
      c.branches.push_back(clauses(2, depth - 1));
      computed_ = before;  // what only a negative part names is bound nowhere
    } else if (kind == 2) {
      c.kind = Clause::Kind::use;
      c.name = definitions_.empty() || chance(15) ? name() : one_of(definitions_);
      c.args = values(3);
      c.results = values(2);
      computed_.insert(computed_.end(), c.results.begin(), c.results.end());
    } else {
      NodePattern& n = c.node;
      n.op = op();
      n.operands = values(3);
      for (std::size_t i = 0; i < n.operands.size(); ++i) {
        if (chance(15) && n.operands[i] != "_" && !n.operands[i].ends_with("..."))
          repeat(3, [&] { n.through.push_back({i, op(), attrs(), chance(60), {}}); });
      }
      n.results = values(3);
      computed_.insert(computed_.end(), n.results.begin(), n.results.end());
      if (chance(30)) {
        for (std::size_t i = 0; i < n.results.size(); ++i)
          n.types.push_back(type());
      }
      n.attrs = attrs();
      n.keep = chance(25);
      n.recompute = chance(15);
      n.optional = chance(15);
    }
    return c;
  }

  Guard guard() {
    Guard g;
    g.negated = chance(30);
    if (chance(40)) {
      g.predicate = name();
      if (g.predicate.empty())
        g.predicate = "constant";  // a guard without a name is a comparison
      repeat(3, [&] { g.args.push_back(expr(2)); });
      return g;
    }
    g.compare = static_cast<Compare>(below(7));
    g.args.push_back(expr(3));
    g.args.push_back(g.compare == Compare::one_of ? list() : expr(3));
    return g;
  }

  std::mt19937_64 random_;
  RandomPatternOptions options_;
  std::vector<std::string> definitions_, computed_;
};

}  // namespace

Pattern random_pattern(std::uint64_t seed, const RandomPatternOptions& options) {
  return Generator(seed, options).pattern();
}

}  // namespace tandem::test
