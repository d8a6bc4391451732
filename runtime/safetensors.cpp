// Reading safetensors files.
#include <tandem/runtime/safetensors.h>

#include <cstring>
#include <utility>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/mapped_file.h>
#include <tandem/runtime/safetensors_header.h>

namespace tandem {
namespace {

constexpr std::pair<std::string_view, DType> spellings[] = {
    {"F64", DType::f64},        {"F32", DType::f32},        {"F16", DType::f16},
    {"BF16", DType::bf16},      {"F8_E4M3", DType::f8e4m3}, {"F8_E4M3FNUZ", DType::f8e4m3fnuz},
    {"F8_E5M2", DType::f8e5m2}, {"I64", DType::i64},        {"I32", DType::i32},
    {"I16", DType::i16},        {"I8", DType::i8},          {"U8", DType::u8},
    {"BOOL", DType::boolean},
};

[[noreturn]] void fail(std::string code, const std::string& file, std::string message, std::string help = {}) {
  Diagnostic d;
  d.code = std::move(code);
  d.where.file = file;
  d.message = std::move(message);
  d.help = std::move(help);
  throw Error(std::move(d));
}

}  // namespace

std::string_view safetensors_dtype(DType dtype) {
  for (const auto& [text, d] : spellings)
    if (d == dtype)
      return text;
  internal_error("a dtype without a safetensors spelling");
}

std::optional<DType> parse_safetensors_dtype(std::string_view text) {
  for (const auto& [spelling, d] : spellings)
    if (spelling == text)
      return d;
  return std::nullopt;
}

SafetensorsFile SafetensorsFile::open(const std::string& path) {
  MappedFile file = map_file(path);
  return parse(path, std::move(file.owner), file.data, file.size);
}

SafetensorsFile SafetensorsFile::from_bytes(std::string name, std::vector<std::byte> bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  const std::byte* data = owner->data();
  const std::size_t size = owner->size();
  return parse(std::move(name), std::move(owner), data, size);
}

SafetensorsFile SafetensorsFile::parse(std::string path, std::shared_ptr<const void> owner, const std::byte* data,
                                       std::size_t size) {
  if (size < 8)
    fail("safetensors.truncated", path,
         fmt::format("the file has {}, a safetensors file at least 8", counted(size, "byte")));
  std::uint64_t header_size = 0;
  for (std::size_t i = 8; i-- > 0;)
    header_size = header_size << 8 | std::to_integer<std::uint64_t>(data[i]);
  if (header_size > max_safetensors_header)
    fail("safetensors.header", path,
         fmt::format("the header claims {} bytes; the format allows {}", header_size, max_safetensors_header),
         "is this a safetensors file?");
  if (header_size > size - 8)
    fail("safetensors.truncated", path,
         fmt::format("the header claims {}, but the file has only {} after its length", counted(header_size, "byte"),
                     size - 8),
         "the file may be cut short; compare its size with the original");

  const std::string_view json(reinterpret_cast<const char*>(data) + 8, header_size);
  const std::byte* tensors = data + 8 + header_size;
  SafetensorsHeader header = parse_safetensors_header(path, json, size - 8 - header_size);

  SafetensorsFile file;
  file.path_ = std::move(path);
  file.owner_ = std::move(owner);
  file.metadata_ = std::move(header.metadata);
  file.names_.reserve(header.entries.size());
  for (SafetensorsEntry& entry : header.entries) {
    const TensorView view = make_view(const_cast<std::byte*>(tensors + entry.begin), entry.dtype, entry.shape);
    file.views_.emplace(entry.name, view);
    file.names_.push_back(std::move(entry.name));
  }
  return file;
}

std::optional<Tensor> SafetensorsFile::find(std::string_view name) const {
  const auto it = views_.find(name);
  if (it == views_.end())
    return std::nullopt;
  const TensorView& view = it->second;
  if (reinterpret_cast<std::uintptr_t>(view.data) % byte_size(view.dtype) == 0)
    return Tensor{view, owner_};
  Tensor copy = Tensor::zeros(view.dtype, view.dims());
  std::memcpy(copy.view.data, view.data, static_cast<std::size_t>(view.size()) * byte_size(view.dtype));
  return copy;
}

Tensor SafetensorsFile::require(std::string_view name) const {
  if (auto tensor = find(name))
    return *std::move(tensor);
  const std::vector<std::string_view> known(names_.begin(), names_.end());
  fail("safetensors.missing", path_, fmt::format("the file has no tensor '{}'{}", name, did_you_mean(name, known)));
}

}  // namespace tandem
