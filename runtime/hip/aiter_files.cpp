// Reading AITER's version and architectures off its files.
#include <tandem/runtime/hip/aiter_files.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tandem::hip {
namespace {

namespace fs = std::filesystem;

/// What csrc/kernels/fused_qk_norm.cu is built into (aiter/jit/optCompilerConfig.json).
constexpr std::string_view module_name = "module_fused_qk_norm_rope_cache_quant_shuffle.so";

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator it(folder, fs::directory_options::skip_permission_denied, error), end;
       !error && it != end; it.increment(error))
    out.push_back(it->path());
  std::sort(out.begin(), out.end());
  return out;
}

/// From "Version: 0.1.16" in amd_aiter-0.1.16.dist-info/METADATA.
std::string metadata_version(const fs::path& folder) {
  for (const fs::path& path : entries(folder)) {
    const std::string name = path.filename().string();
    if ((!name.starts_with("amd_aiter-") && !name.starts_with("aiter-")) || !name.ends_with(".dist-info"))
      continue;
    std::ifstream file(path / "METADATA");
    for (std::string line; std::getline(file, line) && !line.empty();)
      if (line.starts_with("Version: "))
        return line.substr(9, line.find_last_not_of(" \r") - 8);
  }
  return {};
}

/// From "__version__ = version = '0.1.16'" in aiter/_version.py: a checkout that was installed in place has no
/// metadata.
std::string source_version(const fs::path& package) {
  std::ifstream file(package / "_version.py");
  for (std::string line; std::getline(file, line);) {
    const std::size_t quote = line.find('\'');
    if (line.find("version = ") == std::string::npos || quote == std::string::npos)
      continue;
    const std::size_t end = line.find('\'', quote + 1);
    if (end != std::string::npos)
      return line.substr(quote + 1, end - quote - 1);
  }
  return {};
}

/// The ids of code objects in a module, "hipv4-amdgcn-amd-amdhsa--gfx942", read in pieces: modules are large.
void collect_archs(const fs::path& module, std::set<std::string>& archs) {
  constexpr std::string_view mark = "amdhsa--gfx";
  constexpr std::size_t longest = 64;
  std::ifstream file(module, std::ios::binary);
  std::string window(std::size_t{1} << 20, '\0');
  std::size_t kept = 0;
  while (file) {
    file.read(window.data() + kept, static_cast<std::streamsize>(window.size() - kept));
    const std::size_t filled = kept + static_cast<std::size_t>(file.gcount());
    const std::string_view text(window.data(), filled);
    for (std::size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1)) {
      const std::size_t begin = at + mark.size() - 3;
      std::size_t end = begin + 3;
      while (end < filled && end - begin < longest && (std::isalnum(static_cast<unsigned char>(text[end])) != 0))
        ++end;
      if (end < filled || !file)
        archs.emplace(text.substr(begin, end - begin));
    }
    kept = std::min(filled, longest);
    std::copy(window.begin() + static_cast<std::ptrdiff_t>(filled - kept),
              window.begin() + static_cast<std::ptrdiff_t>(filled), window.begin());
  }
}

std::string entry_point(std::string_view version) {
  unsigned parts[3] = {};
  for (unsigned& part : parts) {
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), part);
    if (error != std::errc())
      return {};
    version.remove_prefix(std::min(version.size(), static_cast<std::size_t>(end - version.data()) + 1));
  }
  const unsigned number = parts[0] * 1'000'000 + parts[1] * 1000 + parts[2];
  if (number < 1012)
    return {};
  if (number < 1014)
    return "fused_qk_rmsnorm";
  return number < 1016 ? "_fused_qk_rmsnorm over at::Tensor" : "_fused_qk_rmsnorm over aiter_tensor_t";
}

void add_python_folders(const fs::path& lib, std::vector<std::string>& folders) {
  for (const fs::path& python : entries(lib))
    if (python.filename().string().starts_with("python3"))
      for (const char* name : {"site-packages", "dist-packages"})
        folders.push_back((python / name).string());
}

}  // namespace

AiterInstall find_aiter(const std::vector<std::string>& folders) {
  AiterInstall install;
  for (const std::string& folder : folders) {
    std::error_code error;
    const fs::path package = fs::path(folder) / "aiter";
    if (!fs::is_directory(package, error) || !fs::exists(package / "__init__.py", error))
      continue;
    install.package = package.string();
    install.version = metadata_version(folder);
    if (install.version.empty())
      install.version = source_version(package);
    std::set<std::string> archs;
    const fs::path module = package / "jit" / module_name;
    install.built = fs::exists(module, error);
    if (install.built)
      collect_archs(module, archs);
    // Hand-written kernels: hsa/gfx942/*.co, in the package or beside it.
    for (const fs::path& hsa : {package / "hsa", fs::path(folder) / "aiter_meta" / "hsa"})
      for (const fs::path& path : entries(hsa))
        if (!install.built && path.filename().string().starts_with("gfx"))
          archs.insert(path.filename().string());
    install.archs.assign(archs.begin(), archs.end());
    install.entry_point = entry_point(install.version);
    if (install.version.empty())
      install.reason = fmt::format("{} does not tell its version", install.package);
    else if (install.entry_point.empty())
      install.reason = fmt::format("AITER {} has no fused_qk_rmsnorm; 0.1.12 is the first with it", install.version);
    else if (!install.built)
      install.reason = "its module of the dual norm is not built yet; the first call compiles it";
    return install;
  }
  install.reason = "no Python package 'aiter' in the folders that Python searches";
  return install;
}

AiterInstall find_aiter() {
  std::vector<std::string> folders;
  if (const char* path = std::getenv("PYTHONPATH")) {
    std::string_view rest = path;
    while (!rest.empty()) {
      const std::size_t at = std::min(rest.find(':'), rest.size());
      if (at > 0)
        folders.emplace_back(rest.substr(0, at));
      rest.remove_prefix(std::min(at + 1, rest.size()));
    }
  }
  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const char* prefix = std::getenv(variable))
      add_python_folders(fs::path(prefix) / "lib", folders);
  for (const char* lib : {"/usr/local/lib", "/usr/lib", "/opt/venv/lib"})
    add_python_folders(lib, folders);
  return find_aiter(folders);
}

}  // namespace tandem::hip
