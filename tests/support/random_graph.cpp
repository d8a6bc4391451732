#include "tests/support/random_graph.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <tandem/ir/builder.h>
#include <tandem/ir/diagnostic.h>

namespace tandem::test {

namespace {

class Generator {
 public:
  Generator(std::shared_ptr<Context> context, std::uint64_t seed, const RandomGraphOptions& options)
      : random_(seed),
        options_(options),
        b_(std::move(context), options.odd_names && seed % 5 == 0 ? "odd \"name\"" : "random") {}

  Graph make() {
    if (options_.symbolic)
      tokens_ = b_.dim("T", {1, below(2) == 0 ? std::int64_t{4096} : Dim::max_constant});
    if (options_.symbolic && below(2) == 0)
      b_.dim("S.1", {0, 16});
    const std::size_t inputs = 1 + below(3);
    for (std::size_t i = 0; i < inputs; ++i) {
      const std::string name = "x" + std::to_string(i);
      add(b_.input(name, pick({DType::f32, DType::bf16, DType::f16, DType::i64}), random_shape()));
    }
    for (std::size_t i = 0; i < options_.nodes; ++i) {
      if (below(4) == 0)
        b_.set_scope(below(3) == 0 ? "" : "model.layers." + std::to_string(below(4)) + ".mlp");
      try {
        step();
      } catch (const Error& e) {  // an op that these operands do not suit: the next draw may
        if (e.diagnostics().front().code == "internal")
          throw;
      }
    }
    const std::size_t outputs = below(4);
    for (std::size_t i = 0; i < outputs; ++i)
      b_.output(any());
    return std::move(b_).finish();
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  template <class T>
  T pick(std::initializer_list<T> of) {
    return of.begin()[below(of.size())];
  }
  Value any() { return values_[values_.size() - 1 - below(std::min<std::size_t>(values_.size(), 8))]; }
  Graph& g() { return b_.graph(); }
  std::span<const Dim> dims(Value v) { return g().type(v).shape.dims(); }
  std::int64_t axis_of(Value v) {
    const auto rank = static_cast<std::int64_t>(dims(v).size());
    if (rank == 0)
      return 0;
    return static_cast<std::int64_t>(below(static_cast<std::uint64_t>(2 * rank))) - rank;
  }
  Dim dim_at(Value v, std::int64_t axis) {
    return dims(v)[static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(dims(v).size()) : axis)];
  }

  std::vector<Dim> random_shape() {
    std::vector<Dim> shape;
    const std::size_t rank = below(4);
    for (std::size_t i = 0; i < rank; ++i)
      shape.push_back(Dim(pick({1, 2, 3, 4, 6, 8})));
    if (options_.symbolic && rank != 0 && below(2) == 0) {
      shape[0] = pick(
          {tokens_, tokens_ * Dim(2) + Dim(1), floordiv(tokens_, Dim(4)), mod(tokens_, Dim(3)) + tokens_ * tokens_});
    }
    return shape;
  }

  /// Takes a value in, under a name that may be odd or none.
  void add(Value v) {
    values_.push_back(v);
    if (g().def_node(v)) {
      const std::string n = std::to_string(count_++);
      const std::uint64_t kind = options_.odd_names ? below(10) : 9;
      if (kind < 2)
        return;
      const std::string name = kind == 2   ? n  // a name that is a number
                               : kind == 3 ? "a b\\\"\t%\n" + n
                               : kind == 4 ? "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" + n
                               : kind == 5 ? "'" + n
                                           : "v" + n;
      b_.named(name, v);
    }
  }
  void add(Node n) {
    for (std::size_t i = 0; i < g().num_results(n); ++i)
      add(g().result(n, i));
  }
  Value weight(DType dtype, std::vector<Dim> shape) {
    const std::string name = "w" + std::to_string(weights_++);
    return b_.weight(name, dtype, shape, below(2) == 0 ? name : "model." + name + ".weight");
  }

  void step() {
    const Value x = any();
    const DType dtype = g().type(x).dtype;
    switch (below(18)) {
      case 0:
      case 1:
        return add(b_.op(pick({"neg", "abs", "exp", "silu", "sigmoid", "sqrt", "relu", "identity", "is_nan"}), {x}));
      case 2:
      case 3: return add(b_.op(pick({"add", "mul", "sub", "maximum", "lt", "eq"}), {x, any()}));
      case 4:
        return add(b_.op("cast", {x},
                         {{"dtype", pick({DType::f32, DType::bf16, DType::i64, DType::f8e4m3, DType::boolean})}}));
      case 5: {
        const std::int64_t axis = axis_of(x);
        if (dims(x).empty())
          return;
        const Dim length = dim_at(x, axis), first(1);
        return add(b_.node("split", std::vector{x},
                           std::vector<NamedAttr>{{"axis", axis}, {"sizes", {first, length - first}}}));
      }
      case 6: return add(b_.op("slice", {x}, {{"axis", axis_of(x)}, {"start", Dim(0)}, {"end", Dim(1)}}));
      case 7: return add(b_.op("concat", {x, x}, {{"axis", axis_of(x)}}));
      case 8: {
        Dim product(1);
        for (Dim d : dims(x))
          product = product * d;
        return add(b_.op("reshape", {x}, {{"shape", std::vector<Dim>{product, 1}}}));
      }
      case 9: {
        std::vector<Dim> perm;
        for (std::size_t i = dims(x).size(); i-- > 0;)
          perm.push_back(Dim(static_cast<std::int64_t>(i)));
        return add(b_.op("transpose", {x}, {{"perm", perm}}));
      }
      case 10:
        return add(b_.op(pick({"sum", "reduce_max", "mean"}), {x},
                         {{"axes", std::vector<Dim>{Dim(axis_of(x))}}, {"keepdims", below(2) == 0}}));
      case 11: return add(b_.op("softmax", {x}, {{"axis", axis_of(x)}}));
      case 12:
        if (dims(x).empty())
          return;
        return add(below(2) == 0 ? b_.op("rms_norm", {x, weight(dtype, {dims(x).back()})},
                                         {{"eps", real()}, {"round_before_weight", below(2) == 0}})
                                 : b_.op("rms_norm", {x}, {{"eps", 1e-6}}));
      case 13:
        if (dims(x).empty())
          return;
        return add(b_.op("linear", {x, weight(dtype, {4, dims(x).back()})}));
      case 14:
        return add(b_.node("topk", std::vector{x},
                           std::vector<NamedAttr>{{"k", Dim(1)}, {"axis", axis_of(x)}, {"largest", below(2) == 0}}));
      case 15:
        return add(b_.op(
            "full", {},
            {{"shape", random_shape()}, {"value", real()}, {"dtype", pick({DType::f32, DType::f64, DType::i32})}}));
      case 16:
        return add(b_.op("iota", {},
                         {{"length", options_.symbolic ? tokens_ + Dim(3) : Dim(7)},
                          {"step", std::int64_t{-1} - static_cast<std::int64_t>(below(5))}}));
      default:
        if (options_.constants)
          add(b_.op("constant", {}, {{"value", literal()}}));
    }
  }

  double real() {
    switch (below(8)) {
      case 0: return std::bit_cast<double>(random_());  // any bits: NaNs with payloads, subnormals
      case 1: return std::numeric_limits<double>::infinity();
      case 2: return -0.0;
      case 3: return std::numeric_limits<double>::quiet_NaN();
      case 4: return static_cast<double>(below(100));
      default: return std::ldexp(static_cast<double>(random_() >> 11), -60);
    }
  }

  TensorLiteral literal() {
    const auto all = all_dtypes();
    const DType dtype = all[below(all.size())];
    const auto rows = static_cast<std::int64_t>(below(4)), columns = static_cast<std::int64_t>(1 + below(30));
    TensorLiteral l{b_.context().type(dtype, {Dim(rows), Dim(columns)}), {}};
    l.data.resize(static_cast<std::size_t>(rows * columns) * byte_size(dtype));
    for (std::byte& byte : l.data)
      byte = static_cast<std::byte>(dtype == DType::boolean ? below(2) : random_());
    return l;
  }

  std::mt19937_64 random_;
  RandomGraphOptions options_;
  GraphBuilder b_;
  Dim tokens_;
  std::vector<Value> values_;
  std::size_t count_ = 0, weights_ = 0;
};

}  // namespace

Graph random_graph(std::shared_ptr<Context> context, std::uint64_t seed, const RandomGraphOptions& options) {
  return Generator(std::move(context), seed, options).make();
}

}  // namespace tandem::test
