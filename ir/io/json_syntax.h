// Why a document is not JSON, for people.
#pragma once

#include <string_view>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/findings.h>

namespace tandem::io {

/// Reads a document again that the fast parser refused, slowly, for the exact place and cause: "json.syntax",
/// "json.depth" or "json.number". `reason` is what the fast parser said.
Diagnostic explain_json_syntax(SourceText& source, std::string_view reason);

}  // namespace tandem::io
