// dlopen and dlsym.
#include <tandem/runtime/hip/library.h>

#include <dlfcn.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tandem::hip {

Library Library::open(std::span<const std::string> names, std::string& reason) {
  std::string found_but_broken;
  for (const std::string& name : names) {
    // Local: two engines of one process may use different versions of a vendor's library.
    if (void* handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      Library library;
      library.handle_ = std::shared_ptr<void>(handle, [](void* h) { ::dlclose(h); });
      library.name_ = name;
      return library;
    }
    const char* text = ::dlerror();
    const std::string error = text ? text : "";
    if (error.find("cannot open shared object file: No such file") == std::string::npos && found_but_broken.empty())
      found_but_broken = error;
  }
  reason = found_but_broken.empty() ? fmt::format("{} is not there", fmt::join(names, ", ")) : found_but_broken;
  return {};
}

void* Library::symbol(const char* name) const {
  return ::dlsym(handle_.get(), name);
}

}  // namespace tandem::hip
