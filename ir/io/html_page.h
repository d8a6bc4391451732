// The fixed parts of the page that `to_html` makes: everything but the graph's data.
#pragma once

#include <string_view>

namespace tandem::io {

/// Up to the title, from there to the data, and the rest.
extern const std::string_view html_before_title;
extern const std::string_view html_before_data;
extern const std::string_view html_after_data;

}  // namespace tandem::io
