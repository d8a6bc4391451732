// PyTorch's dtypes, and which of them operands meet in.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include <tandem/ir/io/torch/call.h>

namespace tandem::torch {

namespace {

/// PyTorch's order of floats within promotion; f16 and bf16 meet in f32.
int float_order(DType dtype) {
  switch (dtype) {
    case DType::f64: return 3;
    case DType::f32: return 2;
    case DType::f16:
    case DType::bf16: return 1;
    default: return 0;
  }
}

DType promote(DType a, DType b) {
  if (a == b)
    return a;
  if (is_boolean(a))
    return b;
  if (is_boolean(b))
    return a;
  if (is_float(a) != is_float(b))
    return is_float(a) ? a : b;
  if (is_float(a)) {
    if (float_order(a) != float_order(b))
      return float_order(a) > float_order(b) ? a : b;
    return DType::f32;
  }
  if (a == DType::u8 || b == DType::u8) {
    const DType other = a == DType::u8 ? b : a;
    return other == DType::i8 ? DType::i16 : other;
  }
  return byte_size(a) > byte_size(b) ? a : b;
}

}  // namespace

std::optional<TorchType> torch_type(int scalar_type) {
  switch (scalar_type) {
    case 1: return TorchType{DType::u8};
    case 2: return TorchType{DType::i8};
    case 3: return TorchType{DType::i16};
    case 4: return TorchType{DType::i32};
    case 5: return TorchType{DType::i64};
    case 6: return TorchType{DType::f16};
    case 7: return TorchType{DType::f32};
    case 8: return TorchType{DType::f64};
    case 9: return TorchType{DType::f16, true};
    case 10: return TorchType{DType::f32, true};
    case 11: return TorchType{DType::f64, true};
    case 12: return TorchType{DType::boolean};
    case 13: return TorchType{DType::bf16};
    case 29: return TorchType{DType::f8e4m3};
    case 30: return TorchType{DType::f8e5m2};
    case 31: return TorchType{DType::f8e4m3fnuz};
    default: return std::nullopt;
  }
}

std::string scalar_type_name(int scalar_type) {
  switch (scalar_type) {
    case 28: return "uint16";
    case 32: return "float8_e5m2fnuz";
    case 33: return "float8_e8m0fnu";
    case 34: return "uint32";
    case 35: return "uint64";
    default: return fmt::format("ScalarType {}", scalar_type);
  }
}

TorchType promote(TorchType a, TorchType b) {
  return {promote(a.dtype, b.dtype), a.complex || b.complex};
}

TorchType result_type(std::span<const Operand> operands) {
  // The three classes, highest first, each promoted within itself.
  std::array<std::optional<TorchType>, 3> classes;
  for (const Operand& o : operands) {
    auto& slot = classes[!o.value ? 2U : o.rank == 0 ? 1U : 0U];
    slot = slot ? promote(*slot, o.type) : o.type;
  }
  // A lower class decides only when it is of a higher kind: bool < integer < float < complex.
  const auto kind = [](TorchType t) { return t.complex ? 3 : is_float(t.dtype) ? 2 : is_boolean(t.dtype) ? 0 : 1; };
  std::optional<TorchType> result;
  for (std::size_t i = 3; i-- > 0;) {
    if (!classes[i])
      continue;
    if (!result || kind(*classes[i]) >= kind(*result))
      result = classes[i];
    else if (kind(*result) == 3 && kind(*classes[i]) == 2)
      result = TorchType{classes[i]->dtype, true};
  }
  return *result;
}

Value materialize(Emitter& emit, const Operand& operand, TorchType type) {
  Value v = operand.value;
  if (!v) {
    const Scalar& s = operand.scalar;
    if (s.kind == Scalar::symbolic) {
      v = is_boolean(type.dtype) ? emit.cast(emit.dim(s.dim, DType::i64), type.dtype) : emit.dim(s.dim, type.dtype);
    } else if (s.kind == Scalar::real && is_integer(type.dtype) && std::abs(s.fraction) < 0x1p62) {
      v = emit.integer(type.dtype, static_cast<std::int64_t>(s.fraction));
    } else if (s.kind == Scalar::real || is_float(type.dtype)) {
      v = emit.scalar(type.dtype, s.number());
    } else {
      v = emit.integer(type.dtype, s.whole);
    }
  }
  v = emit.cast(v, type.dtype);
  if (!type.complex || operand.type.complex)
    return v;
  const auto shape = emit.dims(v);
  Value imaginary = emit.full(Dims(shape.begin(), shape.end()), 0.0, type.dtype);
  return emit.concat({emit.unsqueeze(v, shape.size()), emit.unsqueeze(imaginary, shape.size())}, shape.size());
}

}  // namespace tandem::torch
