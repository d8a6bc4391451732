// Parsing a safetensors header with nlohmann's SAX interface, which (unlike its DOM) sees duplicate keys and builds
// nothing that a hostile file could make large: what is not of the header's three levels ends the parse.
#include <tandem/runtime/safetensors_header.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <tandem/ir/counted.h>
#include <tandem/kernels/tensor.h>
#include <tandem/runtime/safetensors.h>

namespace tandem {
namespace {

constexpr std::size_t max_faults = 20;
constexpr std::uint64_t max_dim = std::uint64_t{1} << 60;

/// An entry as written, before dtype and bounds are checked.
struct RawEntry {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> offsets;
  bool has_dtype = false, has_shape = false, has_offsets = false;
};

std::string in_words(const std::vector<std::uint64_t>& v) {
  return fmt::format("[{}]", fmt::join(v, ", "));
}

/// Receives the events of the parse. Returning false ends it; `fault` then says why.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<RawEntry> entries;
  std::map<std::string, std::string> metadata;
  std::string fault_code, fault, fault_tensor;

  bool start_object(std::size_t) override {
    if (level_ == Level::outside)
      return enter(Level::file);
    if (level_ == Level::file) {
      if (key_ == "__metadata__")
        return enter(Level::metadata);
      entries.push_back({});
      entries.back().name = key_;
      return enter(Level::entry);
    }
    return reject("an object");
  }
  bool end_object() override {
    level_ = level_ == Level::file ? Level::outside : Level::file;
    return true;
  }
  bool key(string_t& text) override {
    key_ = text;
    bool fresh = true;
    if (level_ == Level::file) {
      fresh = names_.insert(text).second;
    } else if (level_ == Level::metadata) {
      fresh = !metadata.contains(text);
    } else {
      RawEntry& e = entries.back();
      bool* seen = text == "dtype" ? &e.has_dtype : text == "shape" ? &e.has_shape : &e.has_offsets;
      if (text != "dtype" && text != "shape" && text != "data_offsets")
        return fail("safetensors.header",
                    fmt::format("unknown key '{}'; expected dtype, shape and data_offsets", text));
      fresh = !std::exchange(*seen, true);
    }
    return fresh || fail("safetensors.duplicate", fmt::format("the key '{}' appears twice", text));
  }
  bool start_array(std::size_t) override {
    if (level_ != Level::entry || key_ == "dtype")
      return reject("an array");
    return enter(Level::list);
  }
  bool end_array() override {
    level_ = Level::entry;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (level_ != Level::list)
      return reject("a number");
    std::vector<std::uint64_t>& list = key_ == "shape" ? entries.back().shape : entries.back().offsets;
    const std::size_t limit = key_ == "shape" ? max_rank : 2;
    if (list.size() == limit)
      return key_ == "shape" ? fail("safetensors.shape", fmt::format("the shape has more than {} dimensions", limit))
                             : fail("safetensors.offsets", "data_offsets has more than 2 numbers");
    list.push_back(value);
    return true;
  }
  bool string(string_t& value) override {
    if (level_ == Level::metadata) {
      metadata.emplace(key_, std::move(value));
      return true;
    }
    if (level_ != Level::entry || key_ != "dtype")
      return reject("a string");
    entries.back().dtype = std::move(value);
    return true;
  }
  bool number_integer(number_integer_t value) override { return reject(fmt::format("{}", value)); }
  bool number_float(number_float_t, const string_t& text) override { return reject(text); }
  bool null() override { return reject("null"); }
  bool boolean(bool value) override { return reject(value ? "true" : "false"); }
  bool binary(binary_t&) override { return reject("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    std::string_view text = error.what();
    if (const auto end_of_prefix = text.find("] "); end_of_prefix != text.npos)
      text.remove_prefix(end_of_prefix + 2);
    return fail("safetensors.header", fmt::format("not valid JSON at byte {} of the header: {}", position, text));
  }

 private:
  enum class Level { outside, file, metadata, entry, list };

  bool enter(Level level) {
    level_ = level;
    return true;
  }
  bool fail(std::string code, std::string message) {
    if (fault.empty()) {
      fault_code = std::move(code);
      fault = std::move(message);
      if (level_ == Level::entry || level_ == Level::list)
        fault_tensor = entries.back().name;
    }
    return false;
  }
  bool reject(std::string_view found) {
    std::string_view wanted;
    switch (level_) {
      case Level::outside: wanted = "the header must be an object of tensors"; break;
      case Level::file: wanted = "expected an object with dtype, shape and data_offsets"; break;
      case Level::metadata: wanted = "__metadata__ must hold strings only"; break;
      case Level::entry: wanted = key_ == "dtype" ? "expected a string" : "expected an array of integers >= 0"; break;
      case Level::list: wanted = "expected integers from 0 to 2^64 - 1"; break;
    }
    return level_ == Level::outside
               ? fail("safetensors.header", fmt::format("{}, found {}", wanted, found))
               : fail("safetensors.header", fmt::format("at key '{}': {}, found {}", key_, wanted, found));
  }

  Level level_ = Level::outside;
  std::string key_;
  std::set<std::string> names_;
};

/// Collects faults of tensors, each with its place.
class Faults {
 public:
  explicit Faults(const std::string& file) : file_(file) {}
  void add(std::string code, const std::string& tensor, std::string message, std::string help = {}) {
    if (found_.size() == max_faults)
      return;
    Diagnostic d;
    d.code = std::move(code);
    d.where.file = file_;
    d.where.path = tensor;
    d.message = std::move(message);
    d.help = std::move(help);
    found_.push_back(std::move(d));
  }
  void throw_if_any() {
    if (!found_.empty())
      throw Error(std::move(found_));
  }

 private:
  const std::string& file_;
  std::vector<Diagnostic> found_;
};

/// The bytes of a tensor of that shape; false on overflow.
bool bytes_needed(DType dtype, const std::vector<std::uint64_t>& shape, std::uint64_t& bytes) {
  bytes = byte_size(dtype);
  bool overflow = false;
  bool empty = false;
  for (const std::uint64_t d : shape) {
    if (d > max_dim)
      return false;
    empty |= d == 0;
    overflow |= __builtin_mul_overflow(bytes, d, &bytes);
  }
  if (empty)
    bytes = 0;
  return empty || !overflow;
}

void check_entry(RawEntry& raw, std::uint64_t data_size, SafetensorsHeader& header, Faults& faults) {
  if (!raw.has_dtype || !raw.has_shape || !raw.has_offsets) {
    const char* missing = !raw.has_dtype ? "dtype" : !raw.has_shape ? "shape" : "data_offsets";
    return faults.add("safetensors.header", raw.name, fmt::format("the tensor has no {}", missing));
  }
  auto dtype = parse_safetensors_dtype(raw.dtype);
  if (raw.dtype == "C64") {
    dtype = DType::f32;
    raw.shape.push_back(2);
  }
  if (!dtype)
    return faults.add("safetensors.dtype", raw.name, fmt::format("unknown dtype '{}'", raw.dtype),
                      "known are F64 F32 F16 BF16 F8_E4M3 F8_E4M3FNUZ F8_E5M2 I64 I32 I16 I8 U8 BOOL C64");
  std::uint64_t bytes = 0;
  if (!bytes_needed(*dtype, raw.shape, bytes))
    return faults.add("safetensors.shape", raw.name,
                      fmt::format("the shape {} has more bytes than 64 bits count", in_words(raw.shape)));
  if (raw.offsets.size() != 2)
    return faults.add("safetensors.offsets", raw.name,
                      fmt::format("data_offsets is {}, expected [begin, end]", in_words(raw.offsets)));
  const std::uint64_t begin = raw.offsets[0], end = raw.offsets[1];
  if (begin > end || end > data_size)
    return faults.add(
        "safetensors.offsets", raw.name,
        fmt::format("data_offsets [{}, {}] lie outside the {} of data", begin, end, counted(data_size, "byte")),
        "the file may be cut short; compare its size with the original");
  if (end - begin != bytes)
    return faults.add("safetensors.offsets", raw.name,
                      fmt::format("data_offsets [{}, {}] hold {}, but {}{} needs {}", begin, end,
                                  counted(end - begin, "byte"), raw.dtype, in_words(raw.shape), bytes));
  SafetensorsEntry entry{raw.name, *dtype, {}, begin, end};
  for (const std::uint64_t d : raw.shape)
    entry.shape.push_back(static_cast<std::int64_t>(d));
  header.entries.push_back(std::move(entry));
}

/// Tensors must tile the data: overlaps and gaps are how files smuggle or lose bytes.
void check_tiling(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_size, Faults& faults) {
  std::uint64_t reached = 0;
  const std::string* before = nullptr;
  for (const SafetensorsEntry& e : entries) {
    if (e.begin < reached)
      faults.add("safetensors.offsets", e.name,
                 fmt::format("begins at byte {} of the data, within tensor '{}'", e.begin, before ? *before : ""));
    else if (e.begin > reached)
      faults.add("safetensors.offsets", e.name,
                 fmt::format("begins at byte {} of the data, but bytes {} to {} belong to no tensor", e.begin, reached,
                             e.begin));
    reached = std::max(reached, e.end);
    before = &e.name;
  }
  if (reached < data_size)
    faults.add("safetensors.offsets", {},
               fmt::format("{} at the end of the file without a tensor", counted(data_size - reached, "byte")));
}

}  // namespace

SafetensorsHeader parse_safetensors_header(const std::string& file, std::string_view json, std::uint64_t data_size) {
  Faults faults(file);
  HeaderReader reader;
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &reader)) {
    faults.add(reader.fault_code, reader.fault_tensor, reader.fault);
    faults.throw_if_any();
  }
  SafetensorsHeader header;
  header.metadata = std::move(reader.metadata);
  for (RawEntry& raw : reader.entries)
    check_entry(raw, data_size, header, faults);
  std::sort(header.entries.begin(), header.entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  faults.throw_if_any();
  check_tiling(header.entries, data_size, faults);
  faults.throw_if_any();
  return header;
}

}  // namespace tandem
