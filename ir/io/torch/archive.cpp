#include <tandem/ir/io/torch/archive.h>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/torch/call.h>

namespace tandem::torch {

namespace {

constexpr std::int64_t max_tensor_bytes = std::int64_t{1} << 46;
constexpr std::string_view legacy_program = "serialized_exported_program.json";

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Archive::Archive(std::string_view bytes, std::string file, std::shared_ptr<const void> owner)
    : zip_(bytes, std::move(file)), owner_(std::move(owner)) {
  // Everything lies in one folder, whose name is the file's as it was saved; other writers have none.
  std::vector<const ZipEntry*> programs;
  bool compiled = false;
  for (const ZipEntry& entry : zip_.entries()) {
    const std::size_t slash = entry.name.find('/');
    for (const std::size_t start : {std::size_t{0}, slash == std::string_view::npos ? std::size_t{0} : slash + 1}) {
      const std::string_view path = entry.name.substr(start);
      const bool model = path.starts_with("models/") && path.ends_with(".json") && path.size() > 12;
      compiled = compiled || path.starts_with("data/aotinductor/");
      if (!model && path != legacy_program)
        continue;
      programs.push_back(&entry);
      root_ = entry.name.substr(0, start);
      name_ = model ? path.substr(7, path.size() - 12) : std::string_view();
      break;
    }
  }
  if (programs.empty()) {
    fail("torch.archive",
         compiled ? "this is a package of compiled code, without a graph" : "the archive has no program",
         "expected models/<name>.json, as torch.export.save writes it");
  }
  if (programs.size() > 1) {
    std::vector<std::string_view> names;
    for (const ZipEntry* entry : programs)
      names.push_back(entry->name);
    fail("torch.archive", fmt::format("the archive has {} programs: {}", names.size(), fmt::join(names, ", ")),
         "unpack it and give the JSON of one");
  }
  program_ = programs[0];
  if (const ZipEntry* order = zip_.find(root_ + "byteorder")) {
    if (!text_of(zip_.read(*order).bytes).starts_with("little"))
      fail("torch.unsupported", "the tensors are big endian", "export the program on a little-endian machine");
  }
}

ZipContent Archive::program() const {
  return zip_.read(*program_);
}

std::vector<ProgramWeight> Archive::weights() const {
  std::vector<ProgramWeight> out;
  if (name_.empty())
    return out;  // before PyTorch 2.8 weights were pickles
  add_weights(root_ + "data/weights/", name_ + "_weights_config.json", name_ + "_model_param_config.json", out);
  add_weights(root_ + "data/constants/", name_ + "_constants_config.json", name_ + "_model_constants_config.json", out);
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  for (std::size_t i = 1; i < out.size(); ++i)
    if (out[i].key == out[i - 1].key)
      fail("torch.weights", fmt::format("'{}' is both a weight and a constant", out[i].key), {});
  return out;
}

void Archive::add_weights(std::string_view folder, std::string_view current, std::string_view early,
                          std::vector<ProgramWeight>& out) const {
  const ZipEntry* entry = zip_.find(fmt::format("{}{}", folder, current));
  if (entry == nullptr)
    entry = zip_.find(fmt::format("{}{}", folder, early));
  if (entry == nullptr)
    return;
  const ZipContent json = zip_.read(*entry);
  const PayloadConfig config = parse_payload_config(text_of(json.bytes), zip_.file());
  for (const auto& [key, meta] : config.entries) {
    // Objects that are no tensors have no meaning here; a graph that needs one fails for its lack.
    if (!meta.tensor && meta.pickled)
      continue;
    out.push_back(weight(folder, key, meta));
  }
}

ProgramWeight Archive::weight(std::string_view folder, std::string_view key, const PayloadMeta& meta) const {
  if (meta.pickled || !meta.tensor) {
    fail("torch.weights", "the tensor is pickled", "tensor subclasses are not supported; export plain tensors", key);
  }
  const TensorMeta& tensor = *meta.tensor;
  const auto type = torch_type(tensor.scalar_type);
  if (!type) {
    fail("torch.weights", fmt::format("the dtype {} is not known", scalar_type_name(tensor.scalar_type)), {}, key);
  }
  ProgramWeight w;
  w.key = key;
  w.dtype = type->dtype;
  const auto number = [&](const Size& size) {
    if (!size.expression.empty())
      fail("torch.weights", "the size of a stored tensor is symbolic", {}, key);
    if (size.value < 0)
      fail("torch.weights", fmt::format("a size, stride or offset is {}", size.value), {}, key);
    return size.value;
  };
  for (const Size& s : tensor.sizes)
    w.sizes.push_back(number(s));
  for (const Size& s : tensor.strides)
    w.strides.push_back(number(s));
  w.offset = number(tensor.offset);
  if (w.strides.size() != w.sizes.size())
    fail("torch.weights", "the strides are missing", {}, key);
  const bool empty = std::find(w.sizes.begin(), w.sizes.end(), 0) != w.sizes.end();

  // The last element that is read, with everything that could overflow checked.
  const std::int64_t per_element = type->complex ? 2 : 1;
  std::int64_t end = 0;
  bool overflow = __builtin_add_overflow(w.offset, 1, &end);
  for (std::size_t i = 0; i < w.sizes.size() && !empty; ++i) {
    std::int64_t span = 0;
    overflow = overflow || __builtin_mul_overflow(w.sizes[i] - 1, w.strides[i], &span) ||
               __builtin_add_overflow(end, span, &end);
  }
  // Strides of 0 make large tensors of few bytes; what is beyond all memory is refused all the same.
  std::int64_t bytes = 16;
  for (const std::int64_t n : w.sizes)
    overflow = overflow || (!empty && __builtin_mul_overflow(bytes, n, &bytes));
  overflow = overflow || bytes > max_tensor_bytes;
  overflow = overflow || __builtin_mul_overflow(end, static_cast<std::int64_t>(byte_size(w.dtype)) * per_element, &end);
  const ZipEntry* entry = zip_.find(fmt::format("{}{}", folder, meta.path));
  if (entry == nullptr && !empty)
    fail("torch.weights", fmt::format("the archive has no '{}{}'", folder, meta.path), {}, key);
  if (!empty && (overflow || static_cast<std::uint64_t>(end) > entry->size)) {
    fail("torch.weights", fmt::format("the tensor reaches beyond the {} bytes of '{}'", entry->size, entry->name), {},
         key);
  }
  if (entry != nullptr) {
    ZipContent content = zip_.read(*entry);
    w.storage = content.bytes;
    w.owner = content.owner ? std::move(content.owner) : owner_;
  }
  if (type->complex) {
    for (std::int64_t& stride : w.strides)
      stride = empty ? 0 : stride * 2;
    w.offset = empty ? 0 : w.offset * 2;
    w.sizes.push_back(2);
    w.strides.push_back(1);
  }
  return w;
}

void Archive::fail(std::string_view code, std::string message, std::string help, std::string_view path) const {
  Diagnostic d = io::finding(code, std::move(message), std::move(help));
  d.where.file = zip_.file();
  d.where.path = path;
  throw Error(std::move(d));
}

}  // namespace tandem::torch
