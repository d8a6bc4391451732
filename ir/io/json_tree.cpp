#include <tandem/ir/io/json_tree.h>

#include <algorithm>
#include <cstdint>
#include <new>

#include <tandem/ir/growing_array.h>

namespace tandem::io {

namespace {

constexpr std::size_t smallest_capacity = 64;

/// A copy with what simdjson reads beyond the end.
GrowingArray<char> padded(std::string_view text) {
  GrowingArray<char> copy;
  copy.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  copy.append(text.data(), text.size());
  copy.append(simdjson::SIMDJSON_PADDING);
  return copy;
}

}  // namespace

simdjson::error_code JsonTree::parse(std::string_view text, std::size_t max_depth) try {
  const std::size_t capacity = std::max(text.size(), smallest_capacity);
  if (const auto error = parser_.allocate(capacity, max_depth); error != simdjson::SUCCESS)
    return error;
  if (const auto error = parser_.doc.allocate(capacity); error != simdjson::SUCCESS)
    return error;
  // simdjson allocates for the worst case: these sizes are what it has at least.
  prefer_large_pages(parser_.doc.tape.get(), capacity * sizeof(std::uint64_t));
  prefer_large_pages(parser_.doc.string_buf.get(), capacity * 5 / 3);
  prefer_large_pages(parser_.implementation->structural_indexes.get(), capacity * sizeof(std::uint32_t));
  const GrowingArray<char> copy = padded(text);
  return parser_.parse(copy.data(), text.size(), false).get(root_);
} catch (const std::bad_alloc&) {
  return simdjson::MEMALLOC;
}

}  // namespace tandem::io
