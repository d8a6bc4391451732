// Comparison with golden files, and their blessing.
#include "tests/support/golden.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/support/temp_dir.h"

namespace tandem::test {
namespace {

bool blessing() {
  const char* value = std::getenv("TANDEM_BLESS");
  return value != nullptr && std::string_view(value) == "1";
}

std::string_view take_line(std::string_view& text) {
  const std::size_t length = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, length);
  text.remove_prefix(std::min(length + 1, text.size()));
  return line;
}

}  // namespace

std::string first_difference(std::string_view expected, std::string_view actual) {
  if (expected == actual)
    return "";
  for (int number = 1; !expected.empty() || !actual.empty(); ++number) {
    const bool expected_ended = expected.empty();
    const bool actual_ended = actual.empty();
    const std::string_view want = take_line(expected);
    const std::string_view got = take_line(actual);
    if (want == got && expected_ended == actual_ended)
      continue;
    const std::string want_text = expected_ended ? "(end of text)" : "'" + std::string(want) + "'";
    const std::string got_text = actual_ended ? "(end of text)" : "'" + std::string(got) + "'";
    return "line " + std::to_string(number) + ": expected " + want_text + ", got " + got_text;
  }
  return "one of the texts does not end with a newline";
}

std::string golden_difference(std::string_view name, std::string_view actual) {
  const std::filesystem::path path = std::filesystem::path(data_file("golden")) / name;
  if (blessing()) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream out(path, std::ios::binary);
    out.write(actual.data(), static_cast<std::streamsize>(actual.size()));
    if (!out.flush())
      throw std::runtime_error("cannot write " + path.string());
    return "";
  }
  if (!std::filesystem::exists(path))
    return path.string() + " does not exist; create it with TANDEM_BLESS=1";
  const std::string difference = first_difference(read_file(path), actual);
  return difference.empty() ? "" : path.string() + ", " + difference;
}

}  // namespace tandem::test
