// Interned strings: names of values, dims and scopes. Two symbols of one context are equal when their text is.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace tandem {

/// What a symbol points at: a size, and that many bytes behind it.
struct SymbolText {
  std::size_t size;

  std::string_view view() const { return {reinterpret_cast<const char*>(this + 1), size}; }
};

/// An interned string. Made by `Context::intern`; the empty symbol needs no context. Lives as long as its context.
class Symbol {
 public:
  constexpr Symbol() = default;
  explicit constexpr Symbol(const SymbolText* text) : text_(text) {}

  std::string_view view() const { return text_ ? text_->view() : std::string_view(); }
  bool empty() const { return text_ == nullptr; }
  const void* id() const { return text_; }

  friend bool operator==(Symbol, Symbol) = default;

 private:
  const SymbolText* text_ = nullptr;
};

}  // namespace tandem

template <>
struct std::hash<tandem::Symbol> {
  std::size_t operator()(tandem::Symbol s) const noexcept { return std::hash<const void*>()(s.id()); }
};
