// What an executor holds, and what its public functions are made of.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <tandem/runtime/hip/hip_executor.h>
#include <tandem/runtime/hip/hip_frame.h>
#include <tandem/runtime/hip/hip_plan_impl.h>
#include <tandem/runtime/run_request.h>

namespace tandem {

/// All members want the device to be current.
struct HipExecutor::Impl {
  using Views = std::span<const TensorView>;

  explicit Impl(HipPlan p);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  HipPlan plan;
  const HipPlan::Impl& data;
  std::shared_ptr<hip::Device> device;
  hip::Handle own_stream;  ///< For `run`, and for recording.
  hip::ScratchMemory scratch;
  hip::DeviceBuffer staging;  ///< Inputs and outputs of `run`.
  LruCache<std::unique_ptr<hip::HipFrame>> frames;

  // The run enqueued last.
  hip::Handle last_done;
  void* last_stream = nullptr;
  bool pending = false;
  hip::HipFrame* last_frame = nullptr;

  // Reused by each run, so that it allocates nothing.
  RunRequest request;
  std::vector<std::int64_t> addresses;

  const hip::Driver& driver() const { return device->driver(); }

  /// Before memory that earlier runs use goes away.
  void wait_for_earlier_runs();
  void grow(hip::DeviceBuffer& buffer, std::size_t bytes, const char* purpose);

  /// The prepared form of the plan for these layouts; `outputs` is empty where they are row-major. `recording`: the
  /// caller records a stream, so nothing new may be made.
  hip::HipFrame& frame_for(Views inputs, Views outputs, const DimBindings& dims, bool recording);
  /// Fills in where everything lies, and gives what was recorded for that; prepared where it is new.
  hip::HipFrame::Recorded& place(hip::HipFrame& frame, Views inputs, Views outputs, bool recording);
  bool can_record(const hip::HipFrame& frame) const { return data.options.graphs && !frame.needs_host(); }
  void record(hip::HipFrame& frame, hip::HipFrame::Recorded& recorded);

  /// `layouts` are the outputs, or nothing where they are row-major.
  void enqueue(Views inputs, Views outputs, Views layouts, void* stream, const DimBindings& dims);
  void synchronize();

  /// `dense` and `outputs` get the host's memory that copies on `own_stream` read and write.
  void run(std::span<const Tensor> inputs, const DimBindings& dims, std::vector<Tensor>& dense,
           std::vector<Tensor>& outputs);
  /// Row-major device views in `staging`, one after another.
  void stage(Views inputs, Views outputs, std::vector<TensorView>& device_inputs,
             std::vector<TensorView>& device_outputs);
};

}  // namespace tandem
