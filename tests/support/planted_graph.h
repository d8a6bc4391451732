// Random graphs around the sites of planted_causes.h.
#pragma once

#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace tandem::test {

inline std::string choose(std::mt19937_64& random, std::initializer_list<const char*> list) {
  return *(list.begin() + random() % list.size());
}

/// A graph under construction, as text: sequences of lines that are put together in random order.
class PlantedGraph {
 public:
  explicit PlantedGraph(std::mt19937_64& random) : random_(random) {}

  std::mt19937_64& random() { return random_; }
  /// A name to put in front of others.
  std::string prefix();
  /// Adds an input and returns its name with the "%".
  std::string input(const std::string& name, const std::string& type, bool weight = false);
  /// Adds lines that keep their order, and values to return.
  void add_sequence(std::vector<std::string> lines, const std::vector<std::string>& outputs);
  /// With nodes that belong to no site.
  std::string text();

 private:
  void add_noise();

  std::mt19937_64& random_;
  std::vector<std::string> parameters_;
  std::vector<std::vector<std::string>> sequences_;
  std::vector<std::string> outputs_;
  int prefixes_ = 0;
};

/// y = mul(gelu(softmax(rms_norm(x, w) - b)), x), with one thing wrong or none.
struct ChainSite {
  std::string prefix, dtype, weight_dtype, lead;
  int width = 8;
  std::string eps = "1e-06", axis = "-1";
  bool tanh = false, swapped = false, other_x = false, one_plus_weight = false, exp_after = false;
  std::string also_read, also_return, between, between_too, between_after, without, replaced_op;
  int weight_readers = 0;  ///< Others than the norm.

  static ChainSite make(PlantedGraph& graph);
  void add_to(PlantedGraph& graph) const;
};

/// The two norms of an MLA layer.
struct DualSite {
  std::string prefix, dtype;
  int spelling = 0;  ///< 0: one split; 1: nested splits; 2: slices.
  int q = 16, c = 8, p = 8;
  std::string norm = "rms_norm";  ///< Of the second latent; empty: there is none.
  bool cast_before = false, rounds = false, other_part = false, more_parts = false, depends = false, spelt_out = false;

  static DualSite make(PlantedGraph& graph);
  void add_to(PlantedGraph& graph) const;
};

}  // namespace tandem::test
