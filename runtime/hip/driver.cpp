// What both drivers have in common.
#include <tandem/runtime/hip/driver.h>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>

namespace tandem::hip {

void check(const Driver& driver, Status status, std::string_view call, std::string_view purpose) {
  if (status == success)
    return;
  throw Error("hip.call", fmt::format("{} failed with {} ({}){}{}", call, status, driver.error_name(status),
                                      purpose.empty() ? "" : ": ", purpose));
}

}  // namespace tandem::hip
