// The parser of `.fusion` text, with the comments beside the patterns for those who want them.
#pragma once

#include <string_view>
#include <vector>

#include <tandem/passes/pattern/pattern.h>
#include <tandem/passes/pattern/text_comments.h>

namespace tandem::fusion_text {

/// As `parse_fusions`. `comments` may be null.
std::vector<Pattern> parse(std::string_view text, std::string_view file, CommentTable* comments);

}  // namespace tandem::fusion_text
