#include "tests/support/planted_causes.h"

#include <algorithm>
#include <functional>

#include "tests/support/planted_graph.h"

namespace tandem::test {

const char* const planted_fusions_text = R"(
fusion chain {
  types T in {bf16, f16}
  dims  N, H
  match {
    in %x, %w: T[H], %b: T[N, H]
    %n = rms_norm(%x, %w) {eps = 1e-06}
    %d = sub(%n, %b)
    %s = softmax(%d) {axis = -1}
    %g = gelu(%s)
    %y = mul(%g, %x)
    unless { _ = exp(%y) }
  }
  where { H % 8 == 0  weight(%w)  uses(%w) <= 2 }
  rewrite { %o = relu(%x)  %y = %o }
}

fusion halves {
  dims H
  match {
    %a, %b = split(%x) {axis = -1, sizes = [H, H]}
    %s = silu(%a)
    %y = concat(%s, %b) {axis = -1}
  }
  rewrite { %o = relu(%x)  %y = %o }
}

fusion relu_cast {
  match {
    %r = relu(%x)
    %y = cast(%r) {dtype = any}
  }
  rewrite { %o = abs(%x)  %y = %o }
}
)";

const char* const rival_text = R"(
fusion rival {
  benefit 100
  match { %y = rms_norm(%x, %w) {eps = any, round_before_weight = any} }
  rewrite { %o = relu(%x)  %y = %o }
}
)";

namespace {

using Random = std::mt19937_64;

// --- chain ----------------------------------------------------------------------------------------------------------

Planted chain(Random& random, Cause cause, std::string mention, const std::function<void(ChainSite&)>& plant) {
  Planted p;
  PlantedGraph g(random);
  p.fusion = "chain";
  p.cause = cause;
  p.mention = std::move(mention);
  std::vector<ChainSite> sites(2 + random() % 3);
  for (ChainSite& s : sites)
    s = ChainSite::make(g);
  ChainSite& victim = sites[random() % sites.size()];
  plant(victim);
  for (ChainSite& s : sites)
    s.add_to(g);
  p.graph = g.text();
  return p;
}

Planted wrong_eps(Random& r) {
  return chain(r, Cause::attribute, "eps of rms_norm", [&](ChainSite& s) {
    s.eps = choose(r, {"1e-05", "1e-08", "2e-06", "0.001"});
  });
}
Planted wrong_axis(Random& r) {
  return chain(r, Cause::attribute, "axis of softmax", [&](ChainSite& s) { s.axis = choose(r, {"0", "-2"}); });
}
Planted attribute_not_default(Random& r) {
  return chain(r, Cause::attribute, "tanh_approximation of gelu", [](ChainSite& s) { s.tanh = true; });
}
Planted weight_dtype(Random& r) {
  return chain(r, Cause::dtype, "%w has dtype T", [](ChainSite& s) { s.weight_dtype = "f32"; });
}
Planted dtype_not_admitted(Random& r) {
  return chain(r, Cause::dtype, "T is one of bf16, f16", [&](ChainSite& s) {
    s.dtype = s.weight_dtype = choose(r, {"f32", "f64"});
  });
}
Planted extra_user(Random& r) {
  const std::string value = choose(r, {"n", "d", "s", "g"});
  return chain(r, Cause::other_use, "%" + value + " has no other user", [&](ChainSite& s) { s.also_read = value; });
}
Planted returned(Random& r) {
  const std::string value = choose(r, {"n", "d", "s", "g"});
  return chain(r, Cause::other_use, "is an output of the graph", [&](ChainSite& s) { s.also_return = value; });
}
Planted op_in_between(Random& r) {
  const std::string op = choose(r, {"cast", "reshape", "transpose", "identity", "neg"});
  return chain(r, Cause::in_between, op, [&](ChainSite& s) {
    s.between = op;
    s.between_after = choose(r, {"n", "d", "s", "g"});
  });
}
Planted two_in_between(Random& r) {
  const std::string op = choose(r, {"cast", "reshape", "transpose", "neg"});
  return chain(r, Cause::in_between, op, [&](ChainSite& s) {
    s.between = op;
    s.between_too = "identity";
    s.between_after = choose(r, {"n", "d", "s", "g"});
  });
}
Planted swapped_operands(Random& r) {
  return chain(r, Cause::operand_order, "sub", [](ChainSite& s) { s.swapped = true; });
}
Planted missing_node(Random& r) {
  const std::string op = choose(r, {"softmax", "gelu"});
  return chain(r, Cause::missing, op, [&](ChainSite& s) { s.without = op; });
}
Planted other_op(Random& r) {
  const std::string op = choose(r, {"rms_norm", "softmax", "gelu", "sub"});
  return chain(r, Cause::other_op, op, [&](ChainSite& s) { s.replaced_op = op; });
}
Planted other_value(Random& r) {
  return chain(r, Cause::other_value, "operand '", [](ChainSite& s) { s.other_x = true; });
}
Planted guard_false(Random& r) {
  return chain(r, Cause::guard, " == 0", [&](ChainSite& s) { s.width = 8 * (1 + static_cast<int>(r() % 8)) + 4; });
}
Planted read_too_often(Random& r) {
  return chain(r, Cause::guard, "uses(%w) <= 2",
               [&](ChainSite& s) { s.weight_readers = 2 + static_cast<int>(r() % 3); });
}
Planted one_plus_weight(Random& r) {
  return chain(r, Cause::guard, "weight(%w)", [](ChainSite& s) { s.one_plus_weight = true; });
}
Planted unless_present(Random& r) {
  return chain(r, Cause::unless, "exp", [](ChainSite& s) { s.exp_after = true; });
}
Planted wrong_rank(Random& r) {
  return chain(r, Cause::rank, "%b has 2 dims", [](ChainSite& s) { s.lead = "3, "; });
}

// --- halves and relu_cast --------------------------------------------------------------------------------------------

Planted split_sizes(Random& random) {
  PlantedGraph g(random);
  const std::size_t sites = 2 + random() % 3, victim = random() % sites;
  for (std::size_t i = 0; i < sites; ++i) {
    const int h = 8 + static_cast<int>(random() % 40), other = i == victim ? h + 1 + static_cast<int>(random() % 9) : h;
    const std::string p = g.prefix(), x = g.input(p + "x", "bf16[T, " + std::to_string(h + other) + "]");
    g.add_sequence({"%" + p + "a, %" + p + "b = split " + x + " {axis = -1, sizes = [" + std::to_string(h) + ", " +
                        std::to_string(other) + "]}",
                    "%" + p + "s = silu %" + p + "a", "%" + p + "y = concat %" + p + "s, %" + p + "b {axis = -1}"},
                   {"%" + p + "y"});
  }
  Planted planted;
  planted.graph = g.text();
  planted.fusion = "halves";
  planted.cause = Cause::dims;
  planted.mention = "sizes[1] of split";
  return planted;
}

Planted result_type(Random& random) {
  PlantedGraph g(random);
  const std::size_t sites = 2 + random() % 3, victim = random() % sites;
  for (std::size_t i = 0; i < sites; ++i) {
    const std::string p = g.prefix(), x = g.input(p + "x", "f16[T, " + std::to_string(1 + random() % 64) + "]");
    const std::string to = i == victim ? choose(random, {"f32", "bf16", "i32"}) : "f16";
    g.add_sequence({"%" + p + "r = relu " + x, "%" + p + "y = cast %" + p + "r {dtype = " + to + "}"}, {"%" + p + "y"});
  }
  Planted planted;
  planted.graph = g.text();
  planted.fusion = "relu_cast";
  planted.cause = Cause::types;
  planted.mention = "has type";
  return planted;
}

// --- the dual norm ---------------------------------------------------------------------------------------------------

Planted dual(Random& random, Cause cause, std::string mention, const std::function<void(DualSite&)>& plant,
             bool all_sites = false) {
  Planted p;
  PlantedGraph g(random);
  p.fusion = "mla_dual_rms_norm";
  p.cause = cause;
  p.mention = std::move(mention);
  std::vector<DualSite> sites(2 + random() % 3);
  for (DualSite& s : sites)
    s = DualSite::make(g);
  const std::size_t victim = random() % sites.size();
  for (std::size_t i = 0; i < sites.size(); ++i) {
    if (all_sites || i == victim)
      plant(sites[i]);
  }
  for (DualSite& s : sites)
    s.add_to(g);
  p.graph = g.text();
  return p;
}

Planted dual_cast(Random& r) {
  return dual(r, Cause::in_between, "cast", [](DualSite& s) { s.cast_before = true; });
}
Planted dual_layer_norm(Random& r) {
  return dual(r, Cause::other_op, "layer_norm", [](DualSite& s) { s.norm = "layer_norm"; });
}
Planted dual_norm_missing(Random& r) {
  return dual(r, Cause::missing, "rms_norm", [](DualSite& s) { s.norm.clear(); });
}
Planted dual_rounding_differs(Random& r) {
  return dual(r, Cause::capture, "round_before_weight", [](DualSite& s) { s.rounds = true; });
}
Planted dual_other_part(Random& r) {
  return dual(r, Cause::result_index, "is result", [](DualSite& s) {
    s.spelling = 0;
    s.other_part = true;
  });
}
Planted dual_more_parts(Random& r) {
  return dual(r, Cause::arity, "split (%c) has 2 results", [](DualSite& s) {
    s.spelling = 1;
    s.more_parts = true;
  });
}
Planted dual_not_convex(Random& r) {
  return dual(r, Cause::not_convex, "depends on", [](DualSite& s) { s.depends = true; });
}
Planted dual_no_kernel_for_dtype(Random& r) {
  return dual(r, Cause::kernel_dtype, "kernel", [](DualSite& s) { s.dtype = "f64"; });
}

Planted gated(Random& r, std::string rule, const std::function<void(Planted&)>& close) {
  Planted p = dual(r, Cause::missing, std::move(rule), [](DualSite&) {});
  p.verdict = "off";
  close(p);
  return p;
}
Planted gated_by_level(Random& r) {
  return gated(r, "O0 < O1", [](Planted& p) { p.level = OptLevel::O0; });
}
Planted gated_by_flag(Random& r) {
  return gated(r, "fuse_mla_dual_rms_norm = off", [](Planted& p) { p.flag = "fuse_mla_dual_rms_norm=off"; });
}
Planted gated_by_platform(Random& r) {
  const bool cpu = r() % 2 != 0;
  return gated(r, "is not rocm", [&](Planted& p) { p.target = cpu ? "cpu" : "cuda:sm_90"; });
}
Planted lost_to_another(Random& r) {
  Planted p = dual(r, Cause::missing, "rival", [](DualSite&) {});
  p.verdict = "lost";
  p.takes_rival = true;
  return p;
}
Planted spelt_out(Random& r) {
  Planted p = dual(
      r, Cause::missing, "rsqrt", [](DualSite& s) { s.spelt_out = true; }, true);
  p.verdict = "no-candidates";
  return p;
}

}  // namespace

const std::vector<PlantKind>& plant_kinds() {
  static const std::vector<PlantKind> kinds = {
      {"another eps", wrong_eps},
      {"another axis", wrong_axis},
      {"an attribute is not at its default", attribute_not_default},
      {"the weight has another dtype", weight_dtype},
      {"a dtype that is not admitted", dtype_not_admitted},
      {"an inner value has another user", extra_user},
      {"an inner value is returned", returned},
      {"a node stands in between", op_in_between},
      {"two nodes stand in between", two_in_between},
      {"operands are swapped", swapped_operands},
      {"a node is missing", missing_node},
      {"another op", other_op},
      {"two values where one should be", other_value},
      {"a guard is false", guard_false},
      {"the weight has too many readers", read_too_often},
      {"the weight is 1 + w", one_plus_weight},
      {"an 'unless' part is there", unless_present},
      {"another rank", wrong_rank},
      {"unequal sizes of a split", split_sizes},
      {"the result has another type", result_type},
      {"dual norm: cast to f32 in between", dual_cast},
      {"dual norm: a layer_norm", dual_layer_norm},
      {"dual norm: one norm is missing", dual_norm_missing},
      {"dual norm: they round differently", dual_rounding_differs},
      {"dual norm: another part is normed", dual_other_part},
      {"dual norm: more parts", dual_more_parts},
      {"dual norm: not convex", dual_not_convex},
      {"dual norm: no kernel for the dtype", dual_no_kernel_for_dtype},
      {"off by level", gated_by_level},
      {"off by flag", gated_by_flag},
      {"off by platform", gated_by_platform},
      {"lost to another fusion", lost_to_another},
      {"no candidates: the norm is spelt out", spelt_out},
  };
  return kinds;
}

bool names_cause(const Planted& planted, const FusionExplanation& e) {
  const auto speaks = [&](const std::string& text) { return text.find(planted.mention) != std::string::npos; };
  if (planted.verdict == "off")
    return e.verdict == FusionExplanation::Verdict::off && speaks(e.rule) && !e.would_fire.empty();
  if (planted.verdict == "lost")
    return e.verdict == FusionExplanation::Verdict::lost && !e.lost.empty() && speaks(e.lost.front().winner);
  if (planted.verdict == "no-candidates") {
    return e.verdict == FusionExplanation::Verdict::no_candidates && e.absent.size() == 1 &&
           std::any_of(e.absent[0].similar.begin(), e.absent[0].similar.end(), speaks);
  }
  if (e.missed.empty() || e.missed.front().failures.empty())
    return false;
  const FailedPredicate& first = e.missed.front().failures.front();
  return first.cause == planted.cause && speaks(first.predicate + "; " + first.found);
}

}  // namespace tandem::test
