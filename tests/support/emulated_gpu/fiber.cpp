// Switching stacks: ten instructions on x86-64, the C library's ucontext elsewhere (which also saves the signal mask,
// by a system call, and so takes thirty times as long).
#include <tests/support/emulated_gpu/fiber.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define TANDEM_FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TANDEM_FIBER_ASAN 1
#endif
#endif
#ifdef TANDEM_FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__x86_64__) && !defined(TANDEM_FIBER_UCONTEXT)
// Pushes what a callee keeps, stores the stack pointer at rdi, takes rsi for it and pops the same there.
__asm__(
    ".text\n"
    ".hidden tandem_switch_stacks\n"
    ".globl tandem_switch_stacks\n"
    ".type tandem_switch_stacks, @function\n"
    "tandem_switch_stacks:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n"
    ".size tandem_switch_stacks, .-tandem_switch_stacks\n"
    // A new stack begins here, with the fiber in r12 and its first function in r13.
    ".hidden tandem_begin_stack\n"
    ".globl tandem_begin_stack\n"
    ".type tandem_begin_stack, @function\n"
    "tandem_begin_stack:\n"
    "  movq %r12, %rdi\n"
    "  callq *%r13\n"
    "  ud2\n"
    ".size tandem_begin_stack, .-tandem_begin_stack\n");
extern "C" void tandem_switch_stacks(void** save, void* load);
extern "C" void tandem_begin_stack();
#endif

namespace tandem::test {
namespace {

#ifdef TANDEM_FIBER_ASAN
constexpr std::size_t stack_bytes = std::size_t{256} << 10;  // redzones make frames large
#else
constexpr std::size_t stack_bytes = std::size_t{64} << 10;
#endif

std::size_t page_bytes() {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)) {
  const std::size_t guard = page_bytes();
  void* mapping = ::mmap(nullptr, guard + stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED)
    throw std::bad_alloc();
  mapping_ = static_cast<std::byte*>(mapping);
  ::mprotect(mapping_, guard, PROT_NONE);
  stack_ = mapping_ + guard;
#if defined(__x86_64__) && !defined(TANDEM_FIBER_UCONTEXT)
  // As tandem_switch_stacks leaves a stack: six registers (r15 r14 r13 r12 rbx rbp), then where to go on; above it a
  // return address of 0, where backtraces end. At a function's entry the stack is 8 bytes off a multiple of 16.
  auto* top = reinterpret_cast<std::uintptr_t*>(stack_ + stack_bytes);
  *--top = 0;
  *--top = 0;
  *--top = reinterpret_cast<std::uintptr_t>(&tandem_begin_stack);
  *--top = 0;  // rbp
  *--top = 0;  // rbx
  *--top = reinterpret_cast<std::uintptr_t>(this);
  *--top = reinterpret_cast<std::uintptr_t>(&Fiber::enter);
  *--top = 0;  // r14
  *--top = 0;  // r15
  inside_ = top;
#else
  ::getcontext(&inside_);
  inside_.uc_stack.ss_sp = stack_;
  inside_.uc_stack.ss_size = stack_bytes;
  inside_.uc_link = nullptr;
  // makecontext passes ints: a pointer goes in two.
  const auto self = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this));
  void (*entry)(unsigned, unsigned) = [](unsigned high, unsigned low) {
    enter(reinterpret_cast<Fiber*>(static_cast<std::uintptr_t>((std::uint64_t{high} << 32) | low)));
  };
  ::makecontext(&inside_, reinterpret_cast<void (*)()>(entry), 2, static_cast<unsigned>(self >> 32),
                static_cast<unsigned>(self));
#endif
}

Fiber::~Fiber() {
#ifdef TANDEM_FIBER_ASAN
  __asan_unpoison_memory_region(stack_, stack_bytes);
#endif
  ::munmap(mapping_, page_bytes() + stack_bytes);
}

void Fiber::enter(Fiber* self) {
#ifdef TANDEM_FIBER_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &self->caller_stack_, &self->caller_stack_size_);
#endif
  self->body_();
  __builtin_trap();  // there is nowhere to return to
}

void Fiber::resume() {
#ifdef TANDEM_FIBER_ASAN
  __sanitizer_start_switch_fiber(&fake_outside_, stack_, stack_bytes);
  switch_to_fiber();
  __sanitizer_finish_switch_fiber(fake_outside_, nullptr, nullptr);
#else
  switch_to_fiber();
#endif
}

void Fiber::suspend() {
#ifdef TANDEM_FIBER_ASAN
  __sanitizer_start_switch_fiber(&fake_inside_, caller_stack_, caller_stack_size_);
  switch_to_caller();
  __sanitizer_finish_switch_fiber(fake_inside_, &caller_stack_, &caller_stack_size_);
#else
  switch_to_caller();
#endif
}

#if defined(__x86_64__) && !defined(TANDEM_FIBER_UCONTEXT)
void Fiber::switch_to_fiber() {
  tandem_switch_stacks(&outside_, inside_);
}
void Fiber::switch_to_caller() {
  tandem_switch_stacks(&inside_, outside_);
}
#else
void Fiber::switch_to_fiber() {
  ::swapcontext(&outside_, &inside_);
}
void Fiber::switch_to_caller() {
  ::swapcontext(&inside_, &outside_);
}
#endif

}  // namespace tandem::test
