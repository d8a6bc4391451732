// What a plan for a GPU holds. Immutable once compiled.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/runtime/hip/blas.h>
#include <tandem/runtime/hip/hip_chains.h>
#include <tandem/runtime/hip/hip_plan.h>
#include <tandem/runtime/hip/static_data.h>
#include <tandem/runtime/plan_impl.h>

namespace tandem {

/// Who computes a step of `Plan::Impl::steps`.
struct HipStep {
  enum class By : std::uint8_t { view, kernel, host } by = By::view;
  const HipKernel* kernel = nullptr;  ///< Where `by` is `kernel`.
  bool is_matrix_product = false;     ///< A library is asked first.
};

struct HipPlan::Impl {
  Impl(Plan p, const Plan::Impl& d) : plan(std::move(p)), data(d) {}

  Plan plan;
  const Plan::Impl& data;
  std::shared_ptr<hip::Device> device;
  HipPlanOptions options;
  HipKernelTable kernels;
  const HipKernel* copy_kernel = nullptr;  ///< Of `copy_op`; copies between views of one shape.
  OpId copy_op;
  std::vector<HipStep> steps;  ///< As `data.steps`.
  std::vector<PlannedNode> nodes;
  hip::ChainPlan chains;
  bool has_host_steps = false;
  hip::StaticData statics;
  std::shared_ptr<hip::Blas> blas;  ///< Null where none is used.
  std::string blas_reason;
};

}  // namespace tandem
