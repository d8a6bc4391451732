// Writing safetensors files. The file is put together in memory and handed to `write_file`, which replaces atomically.
#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/file.h>
#include <tandem/runtime/safetensors.h>

namespace tandem {
namespace {

constexpr std::size_t data_alignment = 64;

[[noreturn]] void cannot_write(std::string code, const std::string& file, const std::string& tensor,
                               std::string message) {
  Diagnostic d;
  d.code = std::move(code);
  d.where.file = file;
  d.where.path = tensor;
  d.message = std::move(message);
  throw Error(std::move(d));
}

std::vector<const NamedTensor*> in_file_order(const std::string& path, std::span<const NamedTensor> tensors) {
  std::set<std::string_view> names;
  std::vector<const NamedTensor*> order;
  for (const NamedTensor& t : tensors) {
    if (t.name.empty() || t.name == "__metadata__")
      cannot_write("safetensors.name", path, t.name,
                   fmt::format("a tensor cannot be called '{}' in a safetensors file", t.name));
    if (!names.insert(t.name).second)
      cannot_write("safetensors.duplicate", path, t.name, fmt::format("two tensors are called '{}'", t.name));
    order.push_back(&t);
  }
  std::sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    const std::size_t size_a = byte_size(a->tensor.view.dtype), size_b = byte_size(b->tensor.view.dtype);
    return size_a != size_b ? size_a > size_b : a->name < b->name;
  });
  return order;
}

}  // namespace

void write_safetensors(const std::string& path, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::vector<const NamedTensor*> order = in_file_order(path, tensors);
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty())
    header["__metadata__"] = metadata;
  std::size_t bytes = 0;
  for (const NamedTensor* t : order) {
    const TensorView& view = t->tensor.view;
    const std::size_t begin = bytes;
    bytes += static_cast<std::size_t>(view.size()) * byte_size(view.dtype);
    header[t->name] = {{"dtype", safetensors_dtype(view.dtype)},
                       {"shape", std::vector<std::int64_t>(view.dims().begin(), view.dims().end())},
                       {"data_offsets", {begin, bytes}}};
  }
  std::string json;
  try {
    json = header.dump();
  } catch (const nlohmann::json::exception&) {
    cannot_write("safetensors.name", path, {}, "a tensor's name or the metadata is not UTF-8");
  }
  json.resize((json.size() + 8 + data_alignment - 1) / data_alignment * data_alignment - 8, ' ');
  if (json.size() > max_safetensors_header)
    cannot_write(
        "safetensors.header", path, {},
        fmt::format("the header would take {} bytes; the format allows {}", json.size(), max_safetensors_header));

  std::string file;
  file.reserve(8 + json.size() + bytes);
  for (std::size_t i = 0; i < 8; ++i)
    file.push_back(static_cast<char>(json.size() >> (8 * i) & 0xff));
  file += json;
  for (const NamedTensor* t : order) {
    const TensorView& view = t->tensor.view;
    const std::size_t size = static_cast<std::size_t>(view.size()) * byte_size(view.dtype);
    if (size == 0)
      continue;
    const Tensor dense = view.is_contiguous() ? t->tensor : t->tensor.contiguous();
    file.append(reinterpret_cast<const char*>(dense.view.data), size);
  }
  write_file(path, file);
}

}  // namespace tandem
