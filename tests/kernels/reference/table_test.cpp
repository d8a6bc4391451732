// Every op can be run by the reference.
#include "tests/support/catch.h"

#include <tandem/ir/context.h>
#include <tandem/kernels/kernel.h>

using namespace tandem;

TEST_CASE("reference: every core op but return has a kernel") {
  const std::shared_ptr<Context> context = Context::create();
  const KernelTable kernels = reference_kernels();
  CHECK(kernels.provider() == "reference");
  for (const OpDef& def : context->ops()) {
    CAPTURE(def.name);
    CHECK((kernels.find(def.name) != nullptr) == (def.name != "return"));
  }
}
