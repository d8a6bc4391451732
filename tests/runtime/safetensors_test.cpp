// Safetensors files: round trips, and every way in which a file can lie.
#include <tandem/runtime/safetensors.h>

#include <cstring>
#include <fstream>

#include <tandem/ir/diagnostic.h>
#include <tests/support/catch.h>
#include <tests/support/random_tensor.h>
#include <tests/support/temp_dir.h>
#include <tests/support/tolerance.h>

using namespace tandem;
using namespace tandem::test;

namespace {

/// A file with that header and that many bytes of data; `claimed` is what the length field says.
SafetensorsFile from_parts(const std::string& header, std::size_t data, std::uint64_t claimed) {
  std::string bytes;
  for (int i = 0; i < 8; ++i)
    bytes.push_back(static_cast<char>(claimed >> (8 * i) & 0xff));
  bytes += header + std::string(data, '\1');
  std::vector<std::byte> out(bytes.size());
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return SafetensorsFile::from_bytes("f.safetensors", out);
}
SafetensorsFile from_parts(const std::string& header, std::size_t data) {
  return from_parts(header, data, header.size());
}

/// The code of what `from_parts` throws.
std::string code(const std::string& header, std::size_t data = 0) {
  try {
    from_parts(header, data);
  } catch (const Error& e) {
    CHECK(e.diagnostics().front().where.file == "f.safetensors");
    return e.diagnostics().front().code;
  }
  return "";
}

}  // namespace

TEST_CASE("safetensors: what is written is read, for every dtype and any strides") {
  const TempDir dir;
  Random random(1);
  std::vector<NamedTensor> tensors;
  for (const DType dtype : all_dtypes())
    tensors.push_back({std::string(to_string(dtype)), random_tensor(random, dtype, {3, 5})});
  tensors.push_back({"scalar", random_tensor(random, DType::f32, {})});
  tensors.push_back({"empty", random_tensor(random, DType::bf16, {0, 4})});
  write_safetensors(dir.file("x.safetensors"), tensors, {{"format", "pt"}});

  const SafetensorsFile file = SafetensorsFile::open(dir.file("x.safetensors"));
  CHECK(file.names().size() == tensors.size());
  CHECK(file.metadata().at("format") == "pt");
  for (const NamedTensor& t : tensors)
    CHECK(difference(file.require(t.name).view, t.tensor.view, {}).empty());
}

TEST_CASE("safetensors: a tensor outlives its file object") {
  const TempDir dir;
  Tensor one = Tensor::zeros(DType::f32, std::vector<std::int64_t>{1});
  one.view.as<float>()[0] = 42;
  write_safetensors(dir.file("x.safetensors"), std::vector<NamedTensor>{{"x", one}});
  const Tensor read = [&] { return SafetensorsFile::open(dir.file("x.safetensors")).require("x"); }();
  CHECK(read.view.as<float>()[0] == 42);
}

TEST_CASE("safetensors: a tensor at an odd address is handed out aligned") {
  const SafetensorsFile file = from_parts(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})",
      5);
  const Tensor b = file.require("b");
  CHECK(reinterpret_cast<std::uintptr_t>(b.view.data) % 4 == 0);
}

TEST_CASE("safetensors: a missing tensor names the nearest") {
  const SafetensorsFile file = from_parts(R"({"weight":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1);
  CHECK_FALSE(file.find("weigth"));
  CHECK_THROWS_WITH(file.require("weigth"), Catch::Matchers::ContainsSubstring("weight'"));
}

TEST_CASE("safetensors: lengths that lie") {
  CHECK_THROWS_AS(SafetensorsFile::from_bytes("f", std::vector<std::byte>(7)), Error);
  CHECK_THROWS_AS(from_parts("{}", 0, 3), Error);
  CHECK_THROWS_AS(from_parts("{}", 0, ~std::uint64_t{0}), Error);
  CHECK_THROWS_AS(from_parts("{}", 0, 100'000'001), Error);
  CHECK(code("{}") == "");
}

TEST_CASE("safetensors: headers that are not what they must be") {
  for (const char* header :
       {"", "[]", "3", "{", "{]", R"({"a":3})", R"({"a":[]})", R"({"a":{"dtype":"U8","shape":[1]}})",
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}})", R"({"a":{"dtype":3}})",
        R"({"a":{"dtype":"U8","shape":"1"}})", R"({"a":{"dtype":"U8","shape":[[1]]}})",
        R"({"a":{"dtype":"U8","shape":[-1]}})", R"({"a":{"dtype":"U8","shape":[1.5]}})",
        R"({"a":{"dtype":"U8","shape":[99999999999999999999]}})", R"({"__metadata__":{"a":1}})",
        R"({"__metadata__":"a"})", "{\"\xff\":{}}", R"({} {})"})
    CHECK(code(header) == "safetensors.header");
  CHECK(code(std::string(1'000'000, '[')) == "safetensors.header");
}

TEST_CASE("safetensors: duplicates") {
  const std::string a = R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  CHECK(code("{" + a + "," + a + "}", 1) == "safetensors.duplicate");
  CHECK(code(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1) == "safetensors.duplicate");
}

TEST_CASE("safetensors: dtypes and shapes that are not") {
  CHECK(code(R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}})", 1) == "safetensors.dtype");
  CHECK(code(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})") == "safetensors.shape");
  CHECK(code(R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", 1) == "safetensors.shape");
}

TEST_CASE("safetensors: offsets that overlap, leave holes, or do not fit") {
  const auto two = [](const char* first, const char* second) {
    return std::string(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)") + first +
           R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + second + "}}";
  };
  CHECK(code(two("[0,2]", "[2,4]"), 4) == "");
  for (const std::string& header :
       {two("[0,2]", "[1,3]"), two("[0,2]", "[3,5]"), two("[0,2]", "[2,5]"), two("[0,2]", "[4,2]"),
        two("[0,2]", "[2,3]"), two("[1,3]", "[3,5]"), two("[0,2]", "[2]"), two("[0,2]", "[2,4,6]")})
    CHECK(code(header, 4) == "safetensors.offsets");
  CHECK(code(two("[0,2]", "[2,4]"), 5) == "safetensors.offsets");  // a byte that is nobody's
}

TEST_CASE("safetensors: every truncation of a good file is refused") {
  const TempDir dir;
  Random random(2);
  write_safetensors(dir.file("x"), std::vector<NamedTensor>{{"x", random_tensor(random, DType::f32, {3})}});
  const std::string good = test::read_file(dir.file("x"));
  for (std::size_t n = 0; n < good.size(); ++n) {
    const std::string cut = dir.write("cut", good.substr(0, n));
    CHECK_THROWS_AS(SafetensorsFile::open(cut), Error);
  }
}

TEST_CASE("safetensors: names that a file cannot hold are not written") {
  const TempDir dir;
  const Tensor x = Tensor::zeros(DType::u8, {});
  for (const std::string& name : {std::string(), std::string("__metadata__"), std::string("\xff")})
    CHECK_THROWS_AS(write_safetensors(dir.file("x"), std::vector<NamedTensor>{{name, x}}), Error);
  CHECK_THROWS_AS(write_safetensors(dir.file("x"), std::vector<NamedTensor>{{"a", x}, {"a", x}}), Error);
  CHECK_FALSE(std::filesystem::exists(dir.file("x")));
}

TEST_CASE("tensor store: a sharded model is read through its index, or its folder") {
  const TempDir dir;
  Random random(3);
  write_safetensors(dir.file("m-1.safetensors"),
                    std::vector<NamedTensor>{{"a", random_tensor(random, DType::f32, {2})}});
  write_safetensors(dir.file("m-2.safetensors"),
                    std::vector<NamedTensor>{{"b", random_tensor(random, DType::f32, {2})}});
  TensorStore by_files;
  by_files.add_file(dir.path().string());
  CHECK(by_files.names() == std::vector<std::string_view>{"a", "b"});
  const std::string index =
      dir.write("m.safetensors.index.json",
                R"({"metadata": {"total_size": 16}, "weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}})");
  TensorStore by_index;
  by_index.add_file(index);
  CHECK(by_index.size() == 2);
  CHECK_THROWS_AS(by_index.add_file(dir.file("m-1.safetensors")), Error);  // "a" once more
}

TEST_CASE("tensor store: broken indices are refused") {
  const TempDir dir;
  for (const char* text :
       {"", "[]", "{}", R"({"weight_map": 3})", R"({"weight_map": {"a": 3}})", R"({"weight_map": {"a": "../x"}})",
        R"({"weight_map": {"a": "/etc/passwd"}})", R"({"weight_map": {"a": {}}})",
        R"({"weight_map": {"a": "x", "a": "y"}})", R"({"weight_map": {"a": "absent.safetensors"}})"}) {
    INFO(text);
    TensorStore store;
    CHECK_THROWS_AS(store.add_file(dir.write("x.index.json", text)), Error);
  }
}
