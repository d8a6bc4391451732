// Turns, barriers, exchanges.
#include <tests/support/emulated_gpu/machine.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <numeric>
#include <random>

#include <fmt/format.h>

#include <tests/support/emulated_gpu/fiber.h>
#include <tests/support/emulated_gpu/source_line.h>

namespace tandem::test {
namespace {

constexpr std::uint32_t max_threads = 1024;
constexpr std::uint32_t max_wave = 64;
constexpr std::byte rubbish{0xCD};

enum class State : std::uint8_t { not_begun, ready, at_barrier, at_exchange, ended };

struct Slot;

struct Thread {
  std::uint32_t x = 0, y = 0;
  std::uint32_t wave = 0, lane = 0;
  State state = State::not_begun;
  Slot* slot = nullptr;         ///< Whose stack it is on, from its first turn to its end.
  const void* place = nullptr;  ///< Where in the kernel it waits.
  int what = 0;                 ///< Of an exchange: which.
  bool waited = false;          ///< For the launch ahead.
};

/// A stack that threads use one after another.
struct Slot {
  std::unique_ptr<Fiber> fiber;
};

/// Words go through one of two rooms by turns: a lane that is ahead by one exchange does not disturb those behind.
struct Wave {
  std::uint32_t first = 0, count = 0, arrived = 0, room = 0;
  std::array<std::array<std::uint32_t, max_wave>, 2> words{};
};

/// Numbers below a count, in some order.
class Turns {
 public:
  Turns(TurnOrder order, std::uint32_t count) : kind_(order.kind), count_(count) {
    if (kind_ != TurnOrder::Kind::shuffled)
      return;
    shuffled_.resize(count);
    std::iota(shuffled_.begin(), shuffled_.end(), 0U);
    std::mt19937_64 random(order.seed);
    for (std::uint32_t i = count; i > 1; --i)
      std::swap(shuffled_[i - 1], shuffled_[random() % i]);
  }
  std::uint32_t operator[](std::uint32_t i) const {
    switch (kind_) {
      case TurnOrder::Kind::forward: return i;
      case TurnOrder::Kind::backward: return count_ - 1 - i;
      case TurnOrder::Kind::shuffled: return shuffled_[i];
    }
    return i;
  }

 private:
  TurnOrder::Kind kind_;
  std::uint32_t count_;
  std::vector<std::uint32_t> shuffled_;
};

std::uint64_t product(Dim3 d) {
  return std::uint64_t{d.x} * d.y * d.z;
}

}  // namespace

struct EmulatedMachine::Impl {
  Impl(int wave, TandemEmulatedMachine& m, std::function<std::span<std::byte>()> s)
      : wave_size(static_cast<std::uint32_t>(wave)), module(m), static_shared(std::move(s)) {
    module.barrier = [] { running->wait(State::at_barrier, 0, __builtin_return_address(0)); };
    module.exchange = [](unsigned word, int source, int what) {
      return running->exchange(word, source, what, __builtin_return_address(0));
    };
    module.note_unordered = [] { running->unordered = true; };
    module.note_wait = [] { running->current->waited = true; };
  }

  static inline Impl* running = nullptr;  ///< While `one_at_a_time` is held.
  static inline std::mutex one_at_a_time;

  const std::uint32_t wave_size;
  TandemEmulatedMachine& module;
  const std::function<std::span<std::byte>()> static_shared;
  bool unordered = false;

  // The launch.
  std::string name;
  void (*kernel)(const void*) = nullptr;
  const void* params = nullptr;
  bool overlaps = false;

  // The block.
  std::vector<Thread> threads;
  std::vector<Wave> waves;
  std::uint32_t ended = 0;
  std::vector<std::unique_ptr<Slot>> slots;
  std::vector<Slot*> idle;

  // The wave whose lanes get turns.
  Wave* having_turns = nullptr;
  const Turns* lanes = nullptr;
  std::uint32_t begun = 0;

  Thread* current = nullptr;
  std::string failure;

  // --- inside a fiber -------------------------------------------------------------------------------------------

  void make_current(Thread& t) {
    current = &t;
    module.thread[0] = t.x;
    module.thread[1] = t.y;
  }

  /// Begins threads of the wave, one after another, for as long as they end without waiting.
  void work(Slot& slot) {
    for (;;) {
      while (begun < having_turns->count) {
        Thread& t = threads[having_turns->first + (*lanes)[begun++]];
        t.slot = &slot;
        t.waited = false;
        make_current(t);
        kernel(params);
        if (overlaps && !t.waited)
          fail("ends without having waited for the launch ahead, which may be running still", t);
        t.state = State::ended;
        ++ended;
      }
      idle.push_back(&slot);
      slot.fiber->suspend();
    }
  }

  void wait(State state, int what, const void* place) {
    Thread& t = *current;
    t.state = state;
    t.what = what;
    t.place = place;
    t.slot->fiber->suspend();
    make_current(t);
  }

  unsigned exchange(unsigned word, int source, int what, const void* place) {
    Thread& t = *current;
    Wave& w = waves[t.wave];
    std::array<std::uint32_t, max_wave>& words = w.words[w.room];
    words[t.lane] = word;
    if (++w.arrived == w.count) {
      t.what = what;
      t.place = place;
      w.arrived = 0;
      w.room = 1 - w.room;
      for (std::uint32_t i = 0; i < w.count; ++i) {
        Thread& other = threads[w.first + i];
        if (other.what != what)
          fail(fmt::format("lane {} of its wave is in another exchange: {}", other.lane, source_line(other.place)), t);
        if (&other != &t)
          other.state = State::ready;
      }
    } else {
      wait(State::at_exchange, what, place);
    }
    if (source < 0 || static_cast<std::uint32_t>(source) >= w.count)
      fail(fmt::format("reads lane {}, which is not there", source), t);
    return words[static_cast<std::uint32_t>(source)];
  }

  /// Gives the launch up.
  void fail(const std::string& why, const Thread& t) {
    failure = fmt::format("{} {}: {}", describe_thread(t), source_line(t.place), why);
    t.slot->fiber->suspend();
  }

  // --- outside --------------------------------------------------------------------------------------------------

  void resume(Slot& slot) {
    slot.fiber->resume();
    if (!failure.empty())
      give_up(failure);
  }

  Slot& idle_slot() {
    if (idle.empty()) {
      slots.push_back(std::make_unique<Slot>());
      Slot& slot = *slots.back();
      slot.fiber = std::make_unique<Fiber>([this, &slot] { work(slot); });
      return slot;
    }
    Slot& slot = *idle.back();
    idle.pop_back();
    return slot;
  }

  /// Gives the lanes of a wave turns until none can go on.
  void run_wave(Wave& w, const Turns& order) {
    having_turns = &w;
    lanes = &order;
    begun = threads[w.first].state == State::not_begun ? 0 : w.count;
    while (begun < w.count)
      resume(idle_slot());
    for (bool progress = true; progress;) {
      progress = false;
      for (std::uint32_t i = 0; i < w.count; ++i) {
        Thread& t = threads[w.first + order[i]];
        if (t.state != State::ready)
          continue;
        progress = true;
        make_current(t);
        resume(*t.slot);
      }
    }
  }

  void run_block(const Turns& wave_turns, const Turns& lane_turns, const Turns& last_lane_turns) {
    ended = 0;
    for (Thread& t : threads) {
      t.state = State::not_begun;
      t.slot = nullptr;
    }
    for (Wave& w : waves)
      w.arrived = 0;
    for (;;) {
      for (std::uint32_t i = 0; i < waves.size(); ++i) {
        Wave& w = waves[wave_turns[i]];
        run_wave(w, w.count == wave_size ? lane_turns : last_lane_turns);
      }
      if (ended == threads.size())
        return;
      const auto waiting = static_cast<std::uint32_t>(std::ranges::count(threads, State::at_barrier, &Thread::state));
      if (waiting + ended != threads.size())
        give_up("threads wait for what cannot happen:\n" + describe_waits());
      check_waves_at_barrier();
      for (Thread& t : threads)
        if (t.state == State::at_barrier)
          t.state = State::ready;
    }
  }

  /// The lanes of a wave come to a barrier together: from two places they would be two barriers.
  void check_waves_at_barrier() {
    for (const Wave& w : waves) {
      const void* place = nullptr;
      for (std::uint32_t i = 0; i < w.count; ++i) {
        const Thread& t = threads[w.first + i];
        if (t.state != State::at_barrier)
          continue;
        if (place && t.place != place && source_line(t.place) != source_line(place))
          give_up("the lanes of a wave are at different barriers:\n" + describe_waits());
        place = t.place;
      }
    }
  }

  std::string describe_thread(const Thread& t) const {
    return t.y == 0 ? fmt::format("thread {}", t.x) : fmt::format("thread ({}, {})", t.x, t.y);
  }

  /// Neighbours that wait at one place in one line.
  std::string describe_waits() const {
    std::string text;
    for (std::size_t first = 0, last = 0; first < threads.size(); first = last) {
      const Thread& t = threads[first];
      while (last < threads.size() && threads[last].state == t.state &&
             (t.state == State::ended || threads[last].place == t.place))
        ++last;
      const std::string where = t.state == State::ended
                                    ? "ended"
                                    : fmt::format("{} {}", t.state == State::at_barrier ? "a barrier," : "an exchange,",
                                                  source_line(t.place));
      text += fmt::format("  threads {} to {}: {}\n", first, last - 1, where);
    }
    return text;
  }

  /// Stacks that threads are left on are not used again.
  [[noreturn]] void give_up(std::string why) {
    idle.clear();
    slots.clear();
    failure.clear();
    throw EmulationError(fmt::format("kernel '{}' in waves of {}, block ({}, {}, {}): {}", name, wave_size,
                                     module.block[0], module.block[1], module.block[2], why));
  }
  [[noreturn]] void refuse(const std::string& why) const {
    throw EmulationError(fmt::format("kernel '{}' in waves of {}: {}", name, wave_size, why));
  }

  void check(const TandemEmulatedKernel& k, const hip::LaunchShape& s, std::size_t params_size) const {
    const auto text = [](Dim3 d) { return fmt::format("{} x {} x {}", d.x, d.y, d.z); };
    if (params_size != k.params_size)
      refuse(fmt::format("is given {} bytes of parameters and takes {}", params_size, k.params_size));
    if (product(s.block) == 0 || product(s.block) > k.max_threads || product(s.block) > max_threads)
      refuse(fmt::format("has {} threads a block, 1 to {} are possible", text(s.block), k.max_threads));
    if (product(s.grid) == 0 || s.grid.y > 65535 || s.grid.z > 65535 ||
        std::uint64_t{s.grid.x} * s.block.x > 0xffffffffU)
      refuse(fmt::format("has a grid of {} blocks of {} threads", text(s.grid), text(s.block)));
  }

  void make_threads(Dim3 block) {
    const auto count = static_cast<std::uint32_t>(product(block));
    threads.assign(count, {});
    waves.assign((count + wave_size - 1) / wave_size, {});
    for (std::uint32_t i = 0; i < count; ++i)
      threads[i] = {i % block.x, i / block.x % block.y, i / wave_size, i % wave_size};
    for (std::uint32_t i = 0; i < waves.size(); ++i) {
      waves[i].first = i * wave_size;
      waves[i].count = std::min(wave_size, count - i * wave_size);
    }
  }

  void run(const hip::LaunchShape& shape, TurnOrder order) {
    const auto shared = static_cast<std::unique_ptr<std::byte[]>>(new std::byte[shape.shared_bytes]);
    const std::span<std::byte> statics = static_shared();
    make_threads(shape.block);
    unordered = false;
    overlaps = shape.overlaps;
    module.dynamic_shared = shared.get();
    module.grid_size_x = shape.grid.x * shape.block.x;
    const auto all = static_cast<std::uint32_t>(product(shape.grid));
    const auto count = static_cast<std::uint32_t>(threads.size());
    const Turns blocks(order, all), wave_turns(order, static_cast<std::uint32_t>(waves.size())),
        lane_turns(order, wave_size), last_lane_turns(order, (count - 1) % wave_size + 1);
    for (std::uint32_t i = 0; i < all; ++i) {
      const std::uint32_t block = blocks[i];
      module.block[0] = block % shape.grid.x;
      module.block[1] = block / shape.grid.x % shape.grid.y;
      module.block[2] = block / shape.grid.x / shape.grid.y;
      std::ranges::fill(std::span(shared.get(), shape.shared_bytes), rubbish);
      std::ranges::fill(statics, rubbish);
      run_block(wave_turns, lane_turns, last_lane_turns);
    }
  }
};

EmulatedMachine::EmulatedMachine(int wave_size, TandemEmulatedMachine& module,
                                 std::function<std::span<std::byte>()> shared)
    : impl_(std::make_unique<Impl>(wave_size, module, std::move(shared))) {}
EmulatedMachine::~EmulatedMachine() = default;

int EmulatedMachine::wave_size() const {
  return static_cast<int>(impl_->wave_size);
}
bool EmulatedMachine::was_unordered() const {
  return impl_->unordered;
}

void EmulatedMachine::run(const std::string& name, const TandemEmulatedKernel& kernel, const hip::LaunchShape& shape,
                          const void* params, std::size_t params_size, TurnOrder order) {
  const std::lock_guard lock(Impl::one_at_a_time);
  impl_->name = name;
  impl_->check(kernel, shape, params_size);
  // A copy of its own size, aligned as kernel arguments are.
  const std::unique_ptr<void, void (*)(void*)> copy(::operator new(params_size, std::align_val_t(16)),
                                                    [](void* p) { ::operator delete(p, std::align_val_t(16)); });
  std::memcpy(copy.get(), params, params_size);
  impl_->kernel = kernel.run;
  impl_->params = copy.get();
  Impl::running = impl_.get();
  impl_->run(shape, order);
}

}  // namespace tandem::test
