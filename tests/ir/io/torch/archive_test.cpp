// Archives of torch.export: where their parts are, how weights lie over storages, and what is refused.
#include <tandem/ir/io/torch_export.h>

#include <cstring>
#include <random>
#include <string>

#include <nlohmann/json.hpp>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/verifier.h>
#include <tests/support/catch.h>
#include <tests/support/torch_program.h>
#include <tests/support/zip_writer.h>

using namespace tandem;
using namespace tandem::test;
using nlohmann::json;

namespace {

std::string two_weights() {
  return torch_program(R"(
  range s0 = 2..64
  x: f32[s0, 2]
  p_a: f32[2, 2] = weight a
  p_b: f32[2] = weight b
  y: f32[s0, 2] = aten.linear.default(input=x, weight=p_a, bias=p_b)
  return y)");
}

json payload(const std::string& path, const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& strides,
             std::int64_t offset = 0) {
  const auto list = [](const std::vector<std::int64_t>& values) {
    json out = json::array();
    for (const std::int64_t v : values)
      out.push_back({{"as_int", v}});
    return out;
  };
  return {{"path_name", path},
          {"is_param", true},
          {"use_pickle", false},
          {"tensor_meta",
           {{"dtype", 7},
            {"sizes", list(sizes)},
            {"requires_grad", false},
            {"device", {{"type", "cpu"}, {"index", nullptr}}},
            {"strides", list(strides)},
            {"storage_offset", {{"as_int", offset}}},
            {"layout", 7}}}};
}

/// Six floats, 0 to 5.
std::string storage() {
  std::string out(6 * sizeof(float), '\0');
  for (int i = 0; i < 6; ++i) {
    const auto x = static_cast<float>(i);
    std::memcpy(out.data() + sizeof x * static_cast<std::size_t>(i), &x, sizeof x);
  }
  return out;
}

json good_weights() {
  return {{"a", payload("weight_0", {2, 2}, {1, 2})}, {"b", payload("weight_0", {2}, {1}, 4)}};
}

std::vector<ZipFile> files(const json& weights, const std::string& program = two_weights()) {
  return {{"m/archive_format", "pt2"},
          {"m/byteorder", "little"},
          {"m/models/model.json", program, true},
          {"m/data/weights/model_weights_config.json", json{{"config", weights}}.dump()},
          {"m/data/weights/weight_0", storage(), false, true},
          {"m/data/constants/model_constants_config.json", R"({"config":{}})"}};
}

Diagnostic fault(const std::string& bytes) {
  try {
    import_torch_export_bytes(Context::create(), bytes, "m.pt2");
  } catch (const Error& e) {
    return e.diagnostics().front();
  }
  return {};
}

std::string code(const json& weights) {
  return fault(zip_archive(files(weights))).code;
}

float at(const ProgramWeight& w, std::int64_t element) {
  float x = 0;
  std::memcpy(&x, w.storage.data() + sizeof x * static_cast<std::size_t>(w.offset + element), sizeof x);
  return x;
}

}  // namespace

TEST_CASE("archive: weights lie over their storage, and share it") {
  const std::string bytes = zip_archive(files(good_weights()));
  const auto program = import_torch_export_bytes(Context::create(), bytes, "m.pt2");
  REQUIRE(program.weights.size() == 2);
  const ProgramWeight &a = program.weights[0], &b = program.weights[1];
  CHECK(a.key == "a");
  CHECK(a.strides == std::vector<std::int64_t>{1, 2});
  CHECK(b.offset == 4);
  CHECK(at(b, 1) == 5.0F);
  CHECK(a.storage.data() == b.storage.data());
  // Not copied: the bytes are the archive's.
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  CHECK((a.storage.data() > first && a.storage.data() < first + bytes.size()));
}

TEST_CASE("archive: no root folder, another name, the early names of the configurations") {
  std::vector<ZipFile> plain = files(good_weights());
  for (ZipFile& f : plain)
    f.name = f.name.substr(2);
  CHECK(fault(zip_archive(plain)).code.empty());
  std::vector<ZipFile> early = files(good_weights());
  early[2].name = "m/models/net.json";
  early[3].name = "m/data/weights/net_model_param_config.json";
  CHECK(fault(zip_archive(early)).code.empty());
}

TEST_CASE("archive: weights that cannot be") {
  json w = good_weights();
  w.erase("b");
  CHECK(code(w) == "torch.weights");
  w = good_weights();
  w["b"] = payload("weight_0", {2}, {1}, 5);  // one beyond the end
  CHECK(code(w) == "torch.weights");
  w["b"] = payload("weight_7", {2}, {1});
  CHECK(code(w) == "torch.weights");
  w["b"] = payload("../../etc/passwd", {2}, {1});
  CHECK(code(w) == "torch.weights");
  w["b"] = payload("weight_0", {3}, {1});  // not what the graph says
  CHECK(code(w) == "torch.weights");
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  for (const json& lie :
       {payload("weight_0", {2}, {huge}), payload("weight_0", {huge}, {huge}), payload("weight_0", {2}, {1}, huge),
        payload("weight_0", {2}, {-1}, 1), payload("weight_0", {2}, {1}, -1), payload("weight_0", {-2}, {1}),
        payload("weight_0", {2}, {1, 1}), payload("weight_0", {1'000'000'000, 1'000'000'000}, {0, 0})}) {
    w["b"] = lie;
    const std::string found = code(w);
    CHECK((found == "torch.weights" || found == "torch.json"));
  }
  w = good_weights();
  w["b"]["use_pickle"] = true;
  CHECK(code(w) == "torch.weights");
  w = good_weights();
  w["b"]["tensor_meta"]["dtype"] = 28;
  CHECK(code(w) == "torch.weights");
  w["b"]["tensor_meta"] = nullptr;
  CHECK(code(w) == "torch.weights");
  w["b"] = 3;
  CHECK(code(w) == "torch.json");
}

TEST_CASE("archive: what is no program, or several") {
  const auto without = [](std::size_t i) {
    std::vector<ZipFile> out = files(good_weights());
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(i));
    return fault(zip_archive(out)).code;
  };
  CHECK(without(0).empty());
  CHECK(without(2) == "torch.archive");
  CHECK(without(4) == "torch.weights");
  std::vector<ZipFile> two = files(good_weights());
  two.push_back({"m/models/other.json", two_weights()});
  CHECK(fault(zip_archive(two)).code == "torch.archive");
  std::vector<ZipFile> big = files(good_weights());
  big[1].content = "big";
  CHECK(fault(zip_archive(big)).code == "torch.unsupported");
  const Diagnostic compiled = fault(zip_archive({{"m/data/aotinductor/model/a.so", "ELF"}}));
  CHECK(compiled.code == "torch.archive");
  CHECK(compiled.message.find("compiled") != std::string::npos);
}

TEST_CASE("archive: 6,000 damaged archives are read or refused", "[property]") {
  std::mt19937_64 random(11);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  constexpr std::string_view lively = "{}[](),:\"\\-0123456789.eE truefalsnu'SymbolIntegerMMin\0\xff";
  const auto damage = [&](std::string bytes) {
    for (std::size_t i = 1 + pick(3); i-- > 0 && !bytes.empty();) {
      const std::size_t place = pick(bytes.size()), length = 1 + pick(10);
      switch (pick(5)) {
        case 0: bytes[place] = static_cast<char>(bytes[place] ^ (1 << pick(8))); break;
        case 1: bytes[place] = lively[pick(lively.size())]; break;
        case 2: bytes.erase(place, length); break;
        case 3: bytes.insert(pick(bytes.size()), bytes.substr(place, length * 4)); break;
        default:
          bytes.replace(place, std::min<std::size_t>(8, bytes.size() - place), "\xff\xff\xff\xff\xff\xff\xff\xff", 0,
                        1 + pick(8));
          break;
      }
    }
    return bytes;
  };
  std::size_t good = 0, refused = 0;
  for (std::size_t round = 0; round < 6000; ++round) {
    std::vector<ZipFile> parts = files(good_weights());
    std::string bytes;
    // The archive's own bytes, or the content of a part, with a checksum that fits.
    if (round % 3 == 0) {
      bytes = damage(zip_archive(parts));
    } else {
      ZipFile& part = parts[round % 3 == 1 ? 2 : 3];
      part.content = damage(part.content);
      bytes = zip_archive(parts);
    }
    try {
      const auto program = import_torch_export_bytes(Context::create(), bytes, "m.pt2");
      ++good;
      if (!verify(program.graph).empty())
        FAIL("the importer accepted what the verifier refuses, in round " << round);
    } catch (const Error& e) {
      ++refused;
      if (e.diagnostics().empty() || e.diagnostics().size() > 20 || e.diagnostics().front().code == "internal")
        FAIL("round " << round << ": " << e.what());
    }
  }
  CHECK(good > 100);
  CHECK(refused > 1000);
}
