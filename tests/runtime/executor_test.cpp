// Plans and executors: what runs, what costs nothing, and what is refused.
#include <tandem/runtime/executor.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <thread>

#include <tandem/ir/builder.h>
#include <tandem/ir/diagnostic.h>
#include <tests/support/catch.h>
#include <tests/support/random_tensor.h>
#include <tests/support/tolerance.h>

using namespace tandem;
using namespace tandem::test;

namespace {

using Sizes = std::vector<std::int64_t>;

Tensor iota(Sizes shape) {
  Tensor out = Tensor::zeros(DType::f32, shape);
  for (std::int64_t i = 0; i < out.view.size(); ++i)
    out.view.as<float>()[i] = static_cast<float>(i);
  return out;
}

std::string code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.diagnostics().front().code;
  }
  return "";
}

/// x[T, 6] -> split 4 + 2; the parts doubled, and the second part as it is.
Graph split_graph(const std::shared_ptr<Context>& context) {
  GraphBuilder b(context, "split");
  const Dim T = b.dim("T", {.min = 1, .max = 64});
  const Value x = b.input("x", DType::f32, {T, 6});
  const auto [a, c] = b.op<2>("split", {x}, {{"axis", -1}, {"sizes", {4, 2}}});
  b.output(b.named("doubled", b.op("add", {a, a})));
  b.output(c);
  return std::move(b).finish();
}

/// The two norms of an MLA layer, fused.
Graph fused_graph(const std::shared_ptr<Context>& context) {
  GraphBuilder b(context, "fused");
  const Dim T = b.dim("T");
  const Value x = b.input("x", DType::bf16, {T, 24});
  const Value qw = b.weight("qw", DType::bf16, {16}, "q.weight"), kvw = b.weight("kvw", DType::bf16, {6}, "kv.weight");
  const auto [q, c, pe] = b.op<3>("split", {x}, {{"axis", -1}, {"sizes", {16, 6, 2}}});
  const auto [qn, cn] = b.op<2>("fused_mla_dual_rms_norm", {q, qw, c, kvw}, {{"eps_q", 1e-6}, {"eps_kv", 1e-5}});
  b.output(qn);
  b.output(cn);
  b.output(pe);
  return std::move(b).finish();
}

TensorStore fused_weights() {
  Random random(5);
  TensorStore weights;
  weights.add("q.weight", random_tensor(random, DType::bf16, {16}));
  weights.add("kv.weight", random_tensor(random, DType::bf16, {6}));
  return weights;
}

const PlannedNode& node_of(const Plan& plan, std::string_view op) {
  for (const PlannedNode& n : plan.nodes())
    if (n.op == op)
      return n;
  throw std::runtime_error("no such op in the plan");
}

}  // namespace

TEST_CASE("executor: runs by position, symbols solved from shapes") {
  Executor executor(Plan::compile(split_graph(Context::create())));
  for (const std::int64_t t : {3, 1, 7, 3}) {
    const auto out = executor.run(std::vector<Tensor>{iota({t, 6})});
    REQUIRE(out.size() == 2);
    CHECK(out[0].view.shape[0] == t);
    CHECK(load_element(out[0].view, 0) == 0);
    CHECK(load_element(out[0].view, 3) == 6);
    CHECK(load_element(out[1].view, 1) == 5);
  }
}

TEST_CASE("executor: runs by name") {
  Executor executor(Plan::compile(split_graph(Context::create())));
  const auto out = executor.run_named(std::vector<NamedTensor>{{"x", iota({2, 6})}});
  CHECK(out[0].name == "doubled");
  CHECK(load_element(out[0].tensor.view, 4) == 12);
}

TEST_CASE("executor: strided inputs give what dense ones give") {
  Executor executor(Plan::compile(split_graph(Context::create())));
  Random random(1);
  for (int i = 0; i < 10; ++i) {
    const Tensor x = random_tensor(random, DType::f32, {4, 6});
    const auto strided = executor.run(std::vector<Tensor>{x});
    const auto dense = executor.run(std::vector<Tensor>{x.contiguous()});
    CHECK(difference(strided[0].view, dense[0].view, {}).empty());
    CHECK(difference(strided[1].view, dense[1].view, {}).empty());
  }
}

TEST_CASE("executor: writes into the caller's strided buffers") {
  Executor executor(Plan::compile(split_graph(Context::create())));
  Random random(2);
  const Tensor x = iota({3, 6}), a = strided_tensor(random, DType::f32, {3, 4}, false),
               c = strided_tensor(random, DType::f32, {3, 2}, false);
  executor.run_into(std::vector<TensorView>{x.view}, std::vector<TensorView>{a.view, c.view});
  const auto want = executor.run(std::vector<Tensor>{x});
  CHECK(difference(a.view, want[0].view, {}).empty());
  CHECK(difference(c.view, want[1].view, {}).empty());
}

TEST_CASE("executor: wrong inputs are named") {
  Executor executor(Plan::compile(split_graph(Context::create())));
  const auto code = [&](std::vector<Tensor> inputs) { return code_of([&] { executor.run(inputs); }); };
  CHECK(code({}) == "run.inputs");
  CHECK(code({iota({2, 6}), iota({2, 6})}) == "run.inputs");
  CHECK(code({Tensor::zeros(DType::f64, Sizes{2, 6})}) == "run.dtype");
  CHECK(code({iota({2, 5})}) == "run.shape");
  CHECK(code({iota({6})}) == "run.shape");
  CHECK(code({iota({65, 6})}) == "run.dim-range");
  Tensor no_memory = iota({2, 6});
  no_memory.view.data = nullptr;
  CHECK(code({no_memory}) == "run.null");
  Tensor odd = iota({3, 6});
  odd.view.data += 1;
  odd.view.shape[0] = 2;
  CHECK(code({odd}) == "run.misaligned");
  CHECK(code({iota({2, 6})}).empty());  // and it still works
}

TEST_CASE("executor: names that are wrong, missing or given twice") {
  Executor executor(Plan::compile(split_graph(Context::create())));
  const auto code = [&](std::vector<NamedTensor> in) { return code_of([&] { executor.run_named(in); }); };
  CHECK(code({}) == "run.inputs");
  CHECK(code({{"y", iota({2, 6})}}) == "run.inputs");
  CHECK(code({{"x", iota({2, 6})}, {"x", iota({2, 6})}}) == "run.inputs");
}

TEST_CASE("executor: buffers that overlap or do not fit are refused") {
  Executor executor(Plan::compile(split_graph(Context::create())));
  const Tensor x = iota({2, 6}), a = iota({2, 4}), c = iota({2, 2});
  const auto code = [&](std::vector<TensorView> out) {
    return code_of([&] { executor.run_into(std::vector<TensorView>{x.view}, out); });
  };
  TensorView in_x = a.view, in_a = c.view, folded = a.view;
  in_x.data = x.view.data;
  in_a.data = a.view.data;
  folded.strides[0] = 0;
  CHECK(code({a.view}) == "run.outputs");
  CHECK(code({a.view, a.view}) == "run.overlap");
  CHECK(code({c.view, a.view}) == "run.outputs");
  CHECK(code({in_x, c.view}) == "run.overlap");
  CHECK(code({a.view, in_a}) == "run.overlap");
  CHECK(code({folded, c.view}) == "run.overlap");
  CHECK(code({a.view, c.view}).empty());
}

TEST_CASE("plan: views, kernels and what nothing needs") {
  GraphBuilder b(Context::create(), "g");
  const Value x = b.input("x", DType::f32, {4, 6});
  const Value t = b.op("transpose", {x}, {{"perm", {1, 0}}});
  b.op("exp", {x});
  b.output(b.op("neg", {t}));
  const Plan plan = Plan::compile(std::move(b).finish());
  CHECK(node_of(plan, "transpose").fate == NodeFate::view);
  CHECK(node_of(plan, "exp").fate == NodeFate::dead);
  CHECK(node_of(plan, "neg").fate == NodeFate::runs);
  CHECK(node_of(plan, "neg").provider == "cpu");
  CHECK(plan.memory({}).arena == 0);  // the one result is an output
  CHECK(to_string(plan).find("neg") != std::string::npos);
}

TEST_CASE("plan: a reshape that strides cannot express is copied") {
  GraphBuilder b(Context::create(), "g");
  const Value x = b.input("x", DType::f32, {2, 3});
  const Value t = b.op("transpose", {x}, {{"perm", {1, 0}}});
  b.output(b.op("reshape", {t}, {{"shape", {6}}}));
  Executor executor(Plan::compile(std::move(b).finish()));
  const auto out = executor.run(std::vector<Tensor>{iota({2, 3})});
  const std::vector<float> want{0, 3, 1, 4, 2, 5};
  CHECK(std::memcmp(out[0].view.data, want.data(), sizeof(float) * 6) == 0);
  Random random(3);
  const Tensor strided = strided_tensor(random, DType::f32, {6}, false);
  executor.run_into(std::vector<TensorView>{iota({2, 3}).view}, std::vector<TensorView>{strided.view});
  CHECK(difference(strided.view, out[0].view, {}).empty());
}

TEST_CASE("plan: what depends on constants and weights only is computed once") {
  GraphBuilder b(Context::create(), "g");
  const Value x = b.input("x", DType::f32, {6}), w = b.weight("w", DType::f32, {3});
  const Value both = b.op("concat", {w, w}, {{"axis", 0}});
  b.output(b.op("add", {x, both}));
  const Graph graph = std::move(b).finish();
  TensorStore weights;
  weights.add("w", iota({3}));
  const Plan folded = Plan::compile(graph, weights);
  CHECK(node_of(folded, "concat").fate == NodeFate::folded);
  CHECK(folded.memory({}).constants == 24);
  PlanOptions tight;
  tight.fold_limit = 23;
  const Plan unfolded = Plan::compile(graph, weights, tight);
  CHECK(node_of(unfolded, "concat").fate == NodeFate::runs);
  for (const Plan& plan : {folded, unfolded})
    CHECK(load_element(Executor(plan).run(std::vector<Tensor>{iota({6})})[0].view, 5) == 7);
}

TEST_CASE("plan: joined weights take the place of their parts, which the limit allows") {
  GraphBuilder b(Context::create(), "g");
  const Value x = b.input("x", DType::f32, {6}), v = b.weight("v", DType::f32, {3}), w = b.weight("w", DType::f32, {3});
  const Value both = b.op("concat", {v, w}, {{"axis", 0}});
  b.output(b.op("add", {x, both}));
  TensorStore weights;
  weights.add("v", iota({3}));
  weights.add("w", iota({3}));
  PlanOptions tight;
  tight.fold_limit = 0;
  const Plan plan = Plan::compile(std::move(b).finish(), weights, tight);
  CHECK(node_of(plan, "concat").fate == NodeFate::folded);
  CHECK(plan.memory({}).constants == 24);  // the parts are gone
  CHECK(load_element(Executor(plan).run(std::vector<Tensor>{iota({6})})[0].view, 5) == 7);
}

TEST_CASE("plan: outputs that are inputs, weights, constants or given twice") {
  GraphBuilder b(Context::create(), "g");
  const Value x = b.input("x", DType::f32, {2}), w = b.weight("w", DType::f32, {2});
  const Value n = b.op("neg", {x});
  for (const Value v : {x, w, b.scalar(DType::f32, 7), n, n})
    b.output(v);
  TensorStore weights;
  weights.add("w", iota({2}));
  const auto out = Executor(Plan::compile(std::move(b).finish(), weights)).run(std::vector<Tensor>{iota({2})});
  CHECK(load_element(out[0].view, 1) == 1);
  CHECK(load_element(out[1].view, 1) == 1);
  CHECK(load_element(out[2].view, 0) == 7);
  CHECK(load_element(out[3].view, 1) == -1);
  CHECK(load_element(out[4].view, 1) == -1);
}

TEST_CASE("plan: weights that are missing or of another type are all named at once") {
  const Graph graph = fused_graph(Context::create());
  try {
    Plan::compile(graph);
    FAIL("expected an error");
  } catch (const Error& e) {
    REQUIRE(e.diagnostics().size() == 2);
    CHECK(e.diagnostics()[0].code == "plan.missing-weight");
  }
  TensorStore wrong;
  wrong.add("q.weight", iota({16}));
  wrong.add("kv.weight", fused_weights().find("kv.weight")[0]);
  CHECK(code_of([&] { Plan::compile(graph, wrong); }) == "plan.weight-type");
}

TEST_CASE("plan: a fused op without a kernel runs by its decomposition") {
  const Graph graph = fused_graph(Context::create());
  KernelTable mine("mine");
  const KernelTable reference = reference_kernels();
  mine.add("rms_norm", *reference.find("rms_norm"));
  PlanOptions only_mine;
  only_mine.providers = {mine};
  const Plan decomposed = Plan::compile(graph, fused_weights(), only_mine);
  CHECK(node_of(decomposed, "rms_norm").reason.find("decomposed from fused_mla_dual_rms_norm") != std::string::npos);

  Random random(4);
  const std::vector<Tensor> in{random_tensor(random, DType::bf16, {5, 24})};
  const auto a = Executor(decomposed).run(in), b = Executor(Plan::compile(graph, fused_weights())).run(in);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(difference(b[i].view, a[i].view, tolerance(DType::bf16, 8)).empty());
}

TEST_CASE("plan: an op that nobody can compute is named with those who were asked") {
  const Graph graph = split_graph(Context::create());
  PlanOptions options;
  options.providers = {KernelTable("a"), KernelTable("b")};
  CHECK_THROWS_WITH(Plan::compile(graph, {}, options), Catch::Matchers::ContainsSubstring("'add' (asked: a, b)"));
}

TEST_CASE("plan: priorities choose the provider of an op, and unknown names are refused") {
  const Graph graph = split_graph(Context::create());
  PlanOptions options;
  options.priority["add"] = {"reference", "cpu"};
  CHECK(node_of(Plan::compile(graph, {}, options), "add").provider == "reference");
  options.priority["add"] = {"gpu"};
  CHECK(code_of([&] { Plan::compile(graph, {}, options); }) == "plan.unknown-provider");
}

TEST_CASE("plan: an engine's own op runs by the engine's kernel") {
  const auto context = Context::create();
  context->register_op({.name = "halve",
                        .signature = "(x) -> y",
                        .infer = [](Inference& i) { i.results.push_back(i.operands[0]); },
                        .doc = "x / 2"});
  GraphBuilder b(context, "g");
  const Value x = b.input("x", DType::f32, {4});
  b.output(b.op("halve", {b.op("neg", {x})}));
  KernelTable engine("engine");
  engine.add("halve", [](const KernelCall& call) {
    for (std::int64_t i = 0; i < call.results[0].size(); ++i)
      store_element(call.results[0], i, load_element(call.operands[0], i) / 2);
  });
  PlanOptions options;
  options.providers = {engine, cpu_kernels(), reference_kernels()};
  const Plan plan = Plan::compile(std::move(b).finish(), {}, options);
  CHECK(node_of(plan, "halve").provider == "engine");
  CHECK(load_element(Executor(plan).run(std::vector<Tensor>{iota({4})})[0].view, 3) == -1.5);
}

TEST_CASE("executor: a kernel's error says which node it was, and the executor lives on") {
  GraphBuilder b(Context::create(), "g");
  const Value table = b.input("table", DType::f32, {4, 2}), ids = b.input("ids", DType::i64, {1});
  b.output(b.named("rows", b.op("embedding", {table, ids})));
  Executor executor(Plan::compile(std::move(b).finish()));
  Tensor id = Tensor::zeros(DType::i64, Sizes{1});
  id.view.as<std::int64_t>()[0] = 4;
  CHECK_THROWS_WITH(executor.run(std::vector<Tensor>{iota({4, 2}), id}),
                    Catch::Matchers::ContainsSubstring("%rows = embedding"));
  id.view.as<std::int64_t>()[0] = 3;
  CHECK(load_element(executor.run(std::vector<Tensor>{iota({4, 2}), id})[0].view, 0) == 6);
}

TEST_CASE("executor: a run beyond the memory limit is refused with its sizes") {
  PlanOptions options;
  options.memory_limit = 100;
  Executor executor(Plan::compile(split_graph(Context::create()), {}, options));
  CHECK(code_of([&] { executor.run(std::vector<Tensor>{iota({64, 6})}); }) == "run.too-large");
  CHECK(code_of([&] { executor.run(std::vector<Tensor>{iota({2, 6})}); }).empty());
}

TEST_CASE("executor: sizes beyond reason are refused, not tried") {
  GraphBuilder b(Context::create(), "g");
  const Dim T = b.dim("T");
  const Value x = b.input("x", DType::f32, {T});
  b.output(b.op("full", {}, {{"shape", {T * T * T * T}}, {"value", 1.0}, {"dtype", DType::f32}}));
  b.output(x);
  Executor executor(Plan::compile(std::move(b).finish()));
  CHECK(code_of([&] { executor.run(std::vector<Tensor>{iota({5000})}); }) == "run.too-large");
}

TEST_CASE("executor: more shapes than the cache holds") {
  PlanOptions options;
  options.max_bindings = 2;
  Executor executor(Plan::compile(split_graph(Context::create()), {}, options));
  for (int round = 0; round < 3; ++round)
    for (std::int64_t t = 1; t <= 6; ++t)
      CHECK(load_element(executor.run(std::vector<Tensor>{iota({t, 6})})[0].view, t * 4 - 1) ==
            2 * static_cast<double>(t * 6 - 3));
}

TEST_CASE("executor: several executors over one plan run at once") {
  const Plan plan = Plan::compile(fused_graph(Context::create()), fused_weights());
  Random random(6);
  std::vector<Tensor> inputs, wanted;
  for (std::int64_t t = 1; t <= 4; ++t) {
    inputs.push_back(random_tensor(random, DType::bf16, {t, 24}));
    wanted.push_back(Executor(plan).run(std::span(&inputs.back(), 1))[0]);
  }
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::size_t start = 0; start < 4; ++start)
    threads.emplace_back([&, start] {
      Executor executor(plan);
      for (std::size_t i = 0; i < 200; ++i) {
        const std::size_t k = (start + i) % inputs.size();
        if (!difference(executor.run(std::span(&inputs[k], 1))[0].view, wanted[k].view, {}).empty())
          ++wrong;
      }
    });
  for (std::thread& t : threads)
    t.join();
  CHECK(wrong == 0);
}

TEST_CASE("executor: the observer sees every kernel") {
  Executor executor(Plan::compile(split_graph(Context::create())));
  std::vector<std::string> seen;
  executor.set_observer([&](const StepEvent& e) { seen.push_back(e.node.op); });
  executor.run(std::vector<Tensor>{iota({2, 6})});
  CHECK(seen == std::vector<std::string>{"add"});
}
