// Reading JSON with simdjson, knowing the place for messages. Internal to program.cpp.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include <tandem/ir/io/findings.h>

namespace tandem::torch {

namespace dom = simdjson::dom;

/// Reads values and knows where it is, for messages.
class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  /// A step down: a key, or an index where the key is empty.
  class Step {
   public:
    Step(Reader& reader, std::string_view key) : reader_(reader) { reader_.path_.emplace_back(key, 0); }
    Step(Reader& reader, std::size_t index) : reader_(reader) { reader_.path_.emplace_back(std::string_view(), index); }
    ~Step() { reader_.path_.pop_back(); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Reader& reader_;
  };

  [[noreturn]] void fail(std::string message, std::string_view code = "torch.json") const {
    Diagnostic d = io::finding(code, std::move(message));
    d.where.file = file_;
    for (const auto& [key, index] : path_) {
      if (key.empty())
        d.where.path += fmt::format("[{}]", index);
      else
        d.where.path += (d.where.path.empty() ? "" : ".") + std::string(key);
    }
    throw Error(std::move(d));
  }

  dom::object object(dom::element e) const {
    dom::object out;
    if (e.get(out) != simdjson::SUCCESS)
      fail("expected an object");
    return out;
  }
  dom::array array(dom::element e) const {
    dom::array out;
    if (e.get(out) != simdjson::SUCCESS)
      fail("expected a list");
    return out;
  }
  std::string_view string(dom::element e) const {
    std::string_view out;
    if (e.get(out) != simdjson::SUCCESS)
      fail("expected a string");
    return out;
  }
  std::int64_t integer(dom::element e) const {
    std::int64_t out = 0;
    if (e.get(out) == simdjson::SUCCESS)
      return out;
    fail("expected a 64-bit integer");
  }
  bool boolean(dom::element e) const {
    bool out = false;
    if (e.get(out) != simdjson::SUCCESS)
      fail("expected true or false");
    return out;
  }
  /// A number, or one of the strings that stand for what JSON cannot write.
  double real(dom::element e) const {
    double out = 0.0;
    if (e.get(out) == simdjson::SUCCESS)
      return out;
    std::string_view text;
    if (e.get(text) == simdjson::SUCCESS) {
      if (text == "Infinity")
        return std::numeric_limits<double>::infinity();
      if (text == "-Infinity")
        return -std::numeric_limits<double>::infinity();
      if (text == "NaN")
        return std::numeric_limits<double>::quiet_NaN();
    }
    fail("expected a number");
  }
  /// Calls f(element) for the key, inside its step; false when it is missing or null.
  template <class F>
  bool optional(dom::object o, std::string_view key, F f) {
    dom::element e;
    if (o.at_key(key).get(e) != simdjson::SUCCESS || e.is_null())
      return false;
    const Step step(*this, key);
    f(e);
    return true;
  }
  template <class F>
  void required(dom::object o, std::string_view key, F f) {
    if (!optional(o, key, f))
      fail(fmt::format("the key '{}' is missing", key));
  }
  template <class F>
  void each(dom::element list, F f) {
    std::size_t i = 0;
    for (dom::element e : array(list)) {
      const Step step(*this, i++);
      f(e);
    }
  }
  template <class F>
  void each_key(dom::element e, F f) {
    for (const dom::key_value_pair field : object(e)) {
      const Step step(*this, field.key);
      f(field.key, field.value);
    }
  }
  /// The one key of a union.
  dom::key_value_pair variant(dom::element e) const {
    const dom::object o = object(e);
    if (o.size() != 1)
      fail(fmt::format("expected an object with one key, not {}", o.size()));
    return *o.begin();
  }

 private:
  std::string_view file_;
  std::vector<std::pair<std::string_view, std::size_t>> path_;
};

}  // namespace tandem::torch
