// The syntax tree of a JSON document, as simdjson makes it.
#pragma once

#include <cstddef>
#include <string_view>

#include <simdjson.h>

namespace tandem::io {

/// The arrays of a large document (14 bytes for each of text, of which a third is written) stand in large pages: the
/// first touch of small ones would be most of what reading 100,000 nodes costs.
class JsonTree {
 public:
  /// MEMALLOC when there is not enough memory. Elements live as long as the tree, and do not need the text.
  simdjson::error_code parse(std::string_view text, std::size_t max_depth);
  simdjson::dom::element root() const { return root_; }

 private:
  simdjson::dom::parser parser_{simdjson::SIMDJSON_MAXSIZE_BYTES};
  simdjson::dom::element root_;
};

}  // namespace tandem::io
