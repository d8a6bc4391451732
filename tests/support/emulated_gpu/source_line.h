// Where in the sources an address of machine code is.
#pragma once

#include <string>

namespace tandem::test {

/// "rms_norm.hip:12 < norm_rows.h:180" for the address after a call, callers that were inlined first; "module+0x1234"
/// where there is no addr2line.
std::string source_line(const void* return_address);

}  // namespace tandem::test
