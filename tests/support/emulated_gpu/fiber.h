// A function call that can be left in the middle and taken up again, on a stack of its own.
#pragma once

#include <cstddef>
#include <functional>

#if !defined(__x86_64__) || defined(TANDEM_FIBER_UCONTEXT)
#include <ucontext.h>
#endif

namespace tandem::test {

class Fiber {
 public:
  /// `body` runs on the first `resume`. It must not throw, and must never return: it suspends for good instead.
  explicit Fiber(std::function<void()> body);
  /// Whatever is unfinished is forgotten; destructors on its stack do not run.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// From outside: goes on where the fiber was suspended, and returns when it is suspended again.
  void resume();
  /// From inside: back to who resumed it.
  void suspend();

 private:
  static void enter(Fiber* self);
  void switch_to_fiber();
  void switch_to_caller();

  std::function<void()> body_;
  std::byte* mapping_ = nullptr;
  std::byte* stack_ = nullptr;  ///< Above a page that must not be touched.
#if !defined(__x86_64__) || defined(TANDEM_FIBER_UCONTEXT)
  ucontext_t inside_{}, outside_{};
#else
  void* inside_ = nullptr;  ///< Stack pointers.
  void* outside_ = nullptr;
#endif
  // What AddressSanitizer wants to know of the stack that is left.
  void* fake_inside_ = nullptr;
  void* fake_outside_ = nullptr;
  const void* caller_stack_ = nullptr;
  std::size_t caller_stack_size_ = 0;
};

}  // namespace tandem::test
