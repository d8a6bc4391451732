// Reference kernels of ops without operands.
#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>

namespace tandem::reference {

namespace {

void constant(const KernelCall& call) {
  const TensorView& y = call.results[0];
  const TensorLiteral& value = call.attr("value").tensor();
  // A view may be written through, but `copy` only reads its source.
  copy(make_view(const_cast<std::byte*>(value.data.data()), value.type.dtype, y.dims()), y);
}

void full(const KernelCall& call) {
  const double value = call.attr("value").real();
  for_each(call.results[0], [&](const TensorView& y, const Index&) { write_real(y, value); });
}

void iota(const KernelCall& call) {
  const auto start = static_cast<std::uint64_t>(call.dim("start"));
  const auto step = static_cast<std::uint64_t>(call.attr("step").integer());
  for_each(call.results[0], [&](const TensorView& y, const Index& at) {
    write_integer(y, static_cast<std::int64_t>(start + step * static_cast<std::uint64_t>(at[0])));
  });
}

void dim_value(const KernelCall& call) {
  write_integer(call.results[0], call.dim("value"));
}

}  // namespace

void add_constants(KernelTable& table) {
  table.add("constant", constant);
  table.add("full", full);
  table.add("iota", iota);
  table.add("dim_value", dim_value);
}

}  // namespace tandem::reference
