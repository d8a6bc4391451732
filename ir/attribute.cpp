#include <tandem/ir/attribute.h>

#include <cmath>

#include <fmt/format.h>

#include <tandem/ir/context.h>

namespace tandem {

std::string_view to_string(AttrKind kind) {
  switch (kind) {
    case AttrKind::none: return "none";
    case AttrKind::boolean: return "bool";
    case AttrKind::integer: return "int";
    case AttrKind::real: return "real";
    case AttrKind::dtype: return "dtype";
    case AttrKind::string: return "string";
    case AttrKind::dim: return "dim";
    case AttrKind::dims: return "dims";
    case AttrKind::reals: return "reals";
    case AttrKind::tensor: return "tensor";
  }
  return "none";
}

namespace {

/// Whether an int64 is exactly a double.
bool is_exact_real(std::int64_t v) {
  return v >= -(std::int64_t{1} << 53) && v <= (std::int64_t{1} << 53);
}
bool is_dim(std::int64_t v) {
  return v >= -Dim::max_constant && v <= Dim::max_constant;
}

struct Fitter {
  Context& context;
  AttrKind kind;

  Attribute operator()(bool v) const { return kind == AttrKind::boolean ? Attribute::of(v) : Attribute(); }
  Attribute operator()(std::int64_t v) const {
    if (kind == AttrKind::integer)
      return Attribute::of(v);
    if (kind == AttrKind::real && is_exact_real(v))
      return Attribute::of(static_cast<double>(v));
    if (kind == AttrKind::dim && is_dim(v))
      return Attribute::of(Dim(v));
    if (kind == AttrKind::dims && is_dim(v))
      return Attribute::of(context.shape({Dim(v)}));
    return {};
  }
  Attribute operator()(double v) const { return kind == AttrKind::real ? Attribute::of(v) : Attribute(); }
  Attribute operator()(DType v) const { return kind == AttrKind::dtype ? Attribute::of(v) : Attribute(); }
  Attribute operator()(const std::string& v) const {
    if (kind == AttrKind::string)
      return Attribute::of(context.intern(v));
    if (kind == AttrKind::dtype) {
      if (const auto dtype = parse_dtype(v))
        return Attribute::of(*dtype);
    }
    return {};
  }
  Attribute operator()(Dim v) const {
    if (kind == AttrKind::dim)
      return Attribute::of(v);
    if (kind == AttrKind::dims)
      return Attribute::of(context.shape({v}));
    if (v.is_constant())
      return (*this)(v.constant());
    return {};
  }
  Attribute operator()(const std::vector<Dim>& v) const {
    if (kind == AttrKind::dims)
      return Attribute::of(context.shape(v));
    if (kind != AttrKind::reals)
      return {};
    std::vector<double> reals;
    for (Dim d : v) {
      if (!d.is_constant() || !is_exact_real(d.constant()))
        return {};
      reals.push_back(static_cast<double>(d.constant()));
    }
    return Attribute::of(context.reals(reals));
  }
  Attribute operator()(const std::vector<double>& v) const {
    return kind == AttrKind::reals ? Attribute::of(context.reals(v)) : Attribute();
  }
  Attribute operator()(const TensorLiteral& v) const {
    return kind == AttrKind::tensor ? Attribute::of(context.literal(v)) : Attribute();
  }
};

std::string real_text(double v) {
  if (std::isnan(v)) {
    const auto bits = std::bit_cast<std::uint64_t>(v);
    if (bits == std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN()))
      return "nan";
    return fmt::format("nan(0x{:016x})", bits);
  }
  if (std::isinf(v))
    return v < 0 ? "-inf" : "inf";
  std::string text = fmt::format("{}", v);  // the shortest that reads back as the same double
  if (text.find_first_of(".e") == std::string::npos)
    text += ".0";
  return text;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (u < 0x20 || u == 0x7f) {
      out += fmt::format("\\x{:02x}", u);
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

Attribute fit_attribute(Context& context, AttrKind kind, const AttrValue& value) {
  return std::visit(Fitter{context, kind}, value.variant());
}

std::string to_string(Attribute a) {
  switch (a.kind()) {
    case AttrKind::none: return "none";
    case AttrKind::boolean: return a.boolean() ? "true" : "false";
    case AttrKind::integer: return fmt::format("{}", a.integer());
    case AttrKind::real: return real_text(a.real());
    case AttrKind::dtype: return std::string(to_string(a.dtype()));
    case AttrKind::string: return quoted(a.string().view());
    case AttrKind::dim: return to_string(a.dim());
    case AttrKind::dims: return to_string(a.dims());
    case AttrKind::reals: {
      std::string out = "[";
      for (double v : a.reals())
        out += (out.size() > 1 ? ", " : "") + real_text(v);
      return out + "]";
    }
    case AttrKind::tensor: {
      std::string hex;
      for (std::byte b : a.tensor().data)
        hex += fmt::format("{:02x}", static_cast<unsigned>(b));
      return fmt::format("dense {} 0x{}", to_string(a.tensor().type), hex);
    }
  }
  return "none";
}

}  // namespace tandem
