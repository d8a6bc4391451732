// Constant tensors as numbers: elements of every dtype to and from their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/attribute.h>

namespace tandem::io {

/// Bytes of a tensor of that type; empty when it has symbolic or negative dims or is larger than `max_literal_bytes`.
std::optional<std::size_t> literal_bytes(const TensorType& type);

/// Appends the elements as "1.0, 2.0" (`quote_specials`: a NaN or infinity as a JSON string). False, with `out`
/// unchanged, when there are more than `max_listed_elements` or some element has no number that reads back as its bits
/// (a NaN with a payload): then the bytes must be written.
bool append_elements(std::string& out, const TensorLiteral& literal, bool quote_specials);

/// "0x" and two digits a byte.
void append_hex(std::string& out, const std::vector<std::byte>& bytes);
/// The inverse; empty when the text is not that.
std::optional<std::vector<std::byte>> parse_hex(std::string_view text);

/// Appends one element. Numbers are rounded to nearest even. Returns "" or what is wrong: "300 is out of range for u8".
std::string append_element(std::vector<std::byte>& out, DType dtype, double value);
std::string append_element(std::vector<std::byte>& out, DType dtype, std::int64_t value);
std::string append_element(std::vector<std::byte>& out, DType dtype, bool value);

}  // namespace tandem::io
