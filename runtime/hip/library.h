// A shared library that is looked for when the program runs.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tandem::hip {

/// Open while it lives. Copies share it.
class Library {
 public:
  /// The first of `names` that the system's loader finds. Empty when there is none; then `reason` says why.
  static Library open(std::span<const std::string> names, std::string& reason);

  explicit operator bool() const { return handle_ != nullptr; }
  const std::string& name() const { return name_; }
  /// Null when it has no such symbol.
  void* symbol(const char* name) const;

  /// Sets `function` to the symbol; where there is none, notes its name in `missing`.
  template <class F>
  void load(F*& function, const char* name, std::vector<std::string>& missing) const {
    function = reinterpret_cast<F*>(symbol(name));
    if (!function)
      missing.emplace_back(name);
  }
  /// The same for a function that a table holds, which stays empty where there is none.
  template <class R, class... A>
  void load(std::function<R(A...)>& entry, const char* name, std::vector<std::string>& missing) const {
    R (*function)(A...) = nullptr;
    load(function, name, missing);
    entry = function;
  }

 private:
  std::shared_ptr<void> handle_;
  std::string name_;
};

}  // namespace tandem::hip
