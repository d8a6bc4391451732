// Collecting named tensors from files.
#include <tandem/runtime/tensor_store.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/file.h>
#include <tandem/runtime/safetensors.h>

namespace tandem {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view index_suffix = ".index.json";
constexpr std::uint64_t max_index_bytes = 100'000'000;

[[noreturn]] void cannot_load(std::string code, const std::string& file, const std::string& path, std::string message,
                              std::string help = {}) {
  Diagnostic d;
  d.code = std::move(code);
  d.where.file = file;
  d.where.path = path;
  d.message = std::move(message);
  d.help = std::move(help);
  throw Error(std::move(d));
}

/// Reads `{"metadata": {...}, "weight_map": {"tensor": "shard", ...}}`; SAX, to see duplicates and bound the depth.
class IndexReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::map<std::string, std::string> weight_map;
  std::string fault;
  bool found_map = false;

  bool start_object(std::size_t) override {
    if (++depth_ > 64)
      return fail("nested deeper than 64");
    if (depth_ == 2 && key_ == "weight_map") {
      if (std::exchange(found_map, true))
        return fail("the key 'weight_map' appears twice");
      in_map_ = true;
    } else if (in_map_) {
      return fail(fmt::format("'{}' must name a file", key_));
    }
    return true;
  }
  bool end_object() override {
    if (depth_-- == 2)
      in_map_ = false;
    return true;
  }
  bool key(string_t& text) override {
    if (in_map_ && weight_map.contains(text))
      return fail(fmt::format("the tensor '{}' appears twice", text));
    if (depth_ == 1 || in_map_)
      key_ = text;
    return true;
  }
  bool string(string_t& text) override {
    if (in_map_)
      weight_map.emplace(key_, std::move(text));
    return depth_ > 0 || fail("expected an object");
  }
  bool start_array(std::size_t) override {
    if (++depth_ > 64)
      return fail("nested deeper than 64");
    return scalar();
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool null() override { return scalar(); }
  bool boolean(bool) override { return scalar(); }
  bool number_integer(number_integer_t) override { return scalar(); }
  bool number_unsigned(number_unsigned_t) override { return scalar(); }
  bool number_float(number_float_t, const string_t&) override { return scalar(); }
  bool binary(binary_t&) override { return scalar(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return fail(fmt::format("not valid JSON at byte {}", position));
  }

 private:
  bool fail(std::string message) {
    if (fault.empty())
      fault = std::move(message);
    return false;
  }
  bool scalar() { return !in_map_ || fail(fmt::format("'{}' must name a file", key_)); }

  int depth_ = 0;
  bool in_map_ = false;
  std::string key_;
};

bool is_plain_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

}  // namespace

void TensorStore::add(std::string name, Tensor tensor) {
  const auto [it, fresh] = tensors_.try_emplace(std::move(name), std::move(tensor));
  if (!fresh)
    throw Error("weights.duplicate", fmt::format("two tensors are called '{}'", it->first));
}

void TensorStore::add_file(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    return add_folder(path);
  if (path.ends_with(index_suffix))
    return add_index(path);
  const SafetensorsFile file = SafetensorsFile::open(path);
  for (const std::string& name : file.names()) {
    if (find(name))
      cannot_load("weights.duplicate", path, name,
                  fmt::format("a tensor '{}' was already read from another file", name));
    add(name, file.require(name));
  }
}

void TensorStore::add_index(const std::string& path) {
  const std::string json = read_file(path, max_index_bytes);
  IndexReader reader;
  if (!nlohmann::json::sax_parse(json, &reader))
    cannot_load("safetensors.index", path, {}, reader.fault);
  if (!reader.found_map)
    cannot_load("safetensors.index", path, {}, "the index has no 'weight_map'",
                "expected {\"weight_map\": {\"tensor\": \"file.safetensors\"}}");
  std::map<std::string, std::vector<std::string>> by_shard;
  for (const auto& [tensor, shard] : reader.weight_map) {
    // A shard stands beside its index; an index must not make us read elsewhere.
    if (!is_plain_file_name(shard))
      cannot_load("safetensors.index", path, "weight_map." + tensor,
                  fmt::format("'{}' is not the name of a file beside the index", shard));
    by_shard[shard].push_back(tensor);
  }
  for (const auto& [shard, names] : by_shard) {
    const SafetensorsFile file = SafetensorsFile::open((fs::path(path).parent_path() / shard).string());
    for (const std::string& name : names) {
      auto tensor = file.find(name);
      if (!tensor)
        cannot_load("safetensors.index", path, "weight_map." + name,
                    fmt::format("'{}' has no tensor '{}'", shard, name));
      if (find(name))
        cannot_load("weights.duplicate", path, name, fmt::format("a tensor '{}' was already read", name));
      add(name, *std::move(tensor));
    }
  }
}

void TensorStore::add_folder(const std::string& path) {
  std::vector<std::string> files, indices;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().string();
    if (name.ends_with(index_suffix))
      indices.push_back(std::move(name));
    else if (name.ends_with(".safetensors"))
      files.push_back(std::move(name));
  }
  if (error)
    cannot_load("file.read", path, {}, fmt::format("cannot list the folder: {}", error.message()));
  std::sort(files.begin(), files.end());
  if (indices.size() == 1)
    return add_index(indices.front());
  if (indices.size() > 1)
    cannot_load("safetensors.index", path, {}, fmt::format("the folder has {} index files", indices.size()),
                "name the one to read");
  if (files.empty())
    cannot_load("file.open", path, {}, "the folder has no .safetensors file");
  for (const std::string& file : files)
    add_file(file);
}

const Tensor* TensorStore::find(std::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

std::vector<std::string_view> TensorStore::names() const {
  std::vector<std::string_view> out;
  for (const auto& [name, tensor] : tensors_)
    out.push_back(name);
  return out;
}

}  // namespace tandem
