// Asks addr2line of binutils.
#include <tests/support/emulated_gpu/source_line.h>

#include <dlfcn.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <vector>

namespace tandem::test {

namespace {

std::string ask_for_line(const void* return_address) {
  Dl_info info{};
  if (::dladdr(return_address, &info) == 0 || !info.dli_fname)
    return "an unknown place";
  const auto offset =
      reinterpret_cast<std::uintptr_t>(return_address) - reinterpret_cast<std::uintptr_t>(info.dli_fbase);
  std::ostringstream fallback, command;
  fallback << info.dli_fname << "+0x" << std::hex << offset;
  command << "addr2line -s -i -e '" << info.dli_fname << "' 0x" << std::hex << offset - 1 << " 2>/dev/null";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.str().c_str(), "r"), ::pclose);
  std::vector<std::string> lines;  // innermost first
  std::array<char, 512> line{};
  while (pipe && std::fgets(line.data(), line.size(), pipe.get())) {
    std::string text = line.data();
    text.erase(text.find_last_not_of(" \n") + 1);
    if (const auto note = text.find(" ("); note != text.npos)  // "(discriminator 3)"
      text.erase(note);
    // The language itself is no news.
    if (!text.starts_with("emulated.h:") && !text.starts_with("device.h:") && !text.starts_with("??"))
      lines.push_back(text);
  }
  std::string out;
  for (auto it = lines.rbegin(); it != lines.rend(); ++it)
    if (out.empty() || !out.ends_with(*it))
      out += (out.empty() ? "" : " < ") + *it;
  return out.empty() ? fallback.str() : out;
}

}  // namespace

std::string source_line(const void* return_address) {
  static std::mutex mutex;
  static std::map<const void*, std::string> known;  // modules stay loaded as long as somebody asks for their lines
  const std::lock_guard lock(mutex);
  const auto [it, fresh] = known.try_emplace(return_address);
  if (fresh)
    it->second = ask_for_line(return_address);
  return it->second;
}

}  // namespace tandem::test
