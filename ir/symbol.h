// Interned strings: names of values, dims and scopes. Two symbols of one context are equal when their text is.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tandem {

/// An interned string. Made by `Context::intern`; the empty symbol needs no context. Lives as long as its context.
class Symbol {
 public:
  constexpr Symbol() = default;
  explicit constexpr Symbol(const std::string* text) : text_(text) {}

  std::string_view view() const { return text_ ? std::string_view(*text_) : std::string_view(); }
  bool empty() const { return text_ == nullptr; }
  const void* id() const { return text_; }

  friend bool operator==(Symbol, Symbol) = default;

 private:
  const std::string* text_ = nullptr;
};

}  // namespace tandem

template <>
struct std::hash<tandem::Symbol> {
  std::size_t operator()(tandem::Symbol s) const noexcept { return std::hash<const void*>()(s.id()); }
};
