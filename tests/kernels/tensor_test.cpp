// Tensors: views, memory and elements.
#include <tandem/kernels/tensor.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <tandem/ir/diagnostic.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

using Dims = std::vector<std::int64_t>;

template <class Function>
std::string code_of(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.diagnostics().front().code;
  }
  return "no error";
}

const double infinity = std::numeric_limits<double>::infinity();
const double quiet_nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("a new tensor is zero, row-major and aligned", "[tensor]") {
  for (DType dtype : all_dtypes()) {
    const Tensor tensor = Tensor::zeros(dtype, Dims{2, 3, 5});
    CHECK(tensor.view.size() == 30);
    CHECK(tensor.view.is_contiguous());
    CHECK(tensor.view.strides[0] == 15);
    CHECK(tensor.view.strides[2] == 1);
    CHECK(reinterpret_cast<std::uintptr_t>(tensor.view.data) % 64 == 0);
    for (std::int64_t i = 0; i < 30; ++i)
      REQUIRE(load_element(tensor.view, i) == 0.0);
  }
}

TEST_CASE("scalars and empty tensors", "[tensor]") {
  const Tensor scalar = Tensor::zeros(DType::f32, Dims{});
  CHECK(scalar.view.size() == 1);
  store_element(scalar.view, 0, 2.5);
  CHECK(load_element(scalar.contiguous().view, 0) == 2.5);
  const Tensor empty = Tensor::zeros(DType::f32, Dims{3, 0, 4});
  CHECK(empty.view.size() == 0);
  CHECK(empty.view.is_contiguous());
  CHECK(empty.contiguous().view.size() == 0);
}

TEST_CASE("shapes that cannot be are refused", "[tensor]") {
  CHECK(code_of([] { Tensor::zeros(DType::f64, Dims{std::int64_t{1} << 44}); }) == "tensor.too-large");
  CHECK(code_of([] { Tensor::zeros(DType::i8, Dims{INT64_MAX, INT64_MAX}); }) == "tensor.too-large");
  CHECK(code_of([] { Tensor::zeros(DType::i8, Dims{INT64_MAX, INT64_MAX, 0}); }) == "tensor.too-large");
  CHECK(code_of([] { Tensor::zeros(DType::i8, Dims{2, -1}); }) == "tensor.shape");
  CHECK(code_of([] { Tensor::zeros(DType::i8, Dims(9, 1)); }) == "tensor.rank");
  CHECK(code_of([] { Tensor::zeros(DType::i8, Dims(8, 1)); }) == "no error");
}

TEST_CASE("a copy is dense however the original lies", "[tensor]") {
  std::vector<float> data = {0, 1, 2, 3, 4, 5};
  TensorView view = make_view(data.data(), DType::f32, Dims{2, 3});
  const auto copied = [&] {
    const Tensor copy = Tensor{view, nullptr}.contiguous();
    CHECK(copy.view.is_contiguous());
    CHECK(copy.view.data != view.data);
    return std::vector<float>(copy.view.as<float>(), copy.view.as<float>() + copy.view.size());
  };
  CHECK(copied() == data);

  view.shape = {3, 2};  // transposed
  view.strides = {1, 3};
  CHECK_FALSE(view.is_contiguous());
  CHECK(copied() == std::vector<float>{0, 3, 1, 4, 2, 5});

  view.shape = {2, 2};  // the last two columns
  view.strides = {3, 1};
  view.data = reinterpret_cast<std::byte*>(data.data() + 1);
  CHECK(copied() == std::vector<float>{1, 2, 4, 5});

  view.strides = {0, 1};  // one row, broadcast
  CHECK(copied() == std::vector<float>{1, 2, 1, 2});

  view.strides = {-1, 3};  // backwards
  CHECK(copied() == std::vector<float>{1, 4, 0, 3});
}

TEST_CASE("elements are addressed row-major through strides", "[tensor]") {
  std::vector<std::int32_t> data = {0, 1, 2, 3, 4, 5};
  TensorView view = make_view(data.data(), DType::i32, Dims{3, 2});
  view.strides = {1, 3};
  CHECK(load_integer(view, 1) == 3);
  CHECK(load_integer(view, 4) == 2);
  store_integer(view, 5, 50);
  CHECK(data[5] == 50);
  store_element(view, 2, -7.9);
  CHECK(data[1] == -7);
}

TEST_CASE("elements may lie unaligned", "[tensor]") {
  std::vector<std::byte> data(17);
  const TensorView view = make_view(data.data() + 1, DType::f64, Dims{2});
  store_element(view, 1, 1.25);
  CHECK(load_element(view, 1) == 1.25);
}

TEST_CASE("integers are stored towards zero, and saturate", "[tensor]") {
  const auto stored = [](DType dtype, double value) {
    const Tensor tensor = Tensor::zeros(dtype, Dims{1});
    store_element(tensor.view, 0, value);
    return load_integer(tensor.view, 0);
  };
  CHECK(stored(DType::i64, 2.9) == 2);
  CHECK(stored(DType::i64, -2.9) == -2);
  CHECK(stored(DType::i64, 1e30) == INT64_MAX);
  CHECK(stored(DType::i64, 0x1p63) == INT64_MAX);
  CHECK(stored(DType::i64, -infinity) == INT64_MIN);
  CHECK(stored(DType::i32, 0x1p31) == INT32_MAX);
  CHECK(stored(DType::i8, -1000) == -128);
  CHECK(stored(DType::i8, -128.5) == -128);
  CHECK(stored(DType::u8, -1) == 0);
  CHECK(stored(DType::u8, 255.9) == 255);
  CHECK(stored(DType::i16, quiet_nan) == 0);
  CHECK(stored(DType::boolean, 0.25) == 1);
  CHECK(stored(DType::boolean, -0.0) == 0);
  CHECK(stored(DType::boolean, quiet_nan) == 1);
}

TEST_CASE("int64 keeps every bit", "[tensor]") {
  const Tensor tensor = Tensor::zeros(DType::i64, Dims{1});
  store_integer(tensor.view, 0, (std::int64_t{1} << 53) + 1);
  CHECK(load_integer(tensor.view, 0) == (std::int64_t{1} << 53) + 1);
  const Tensor narrow = Tensor::zeros(DType::i8, Dims{1});
  store_integer(narrow.view, 0, 300);
  CHECK(load_integer(narrow.view, 0) == 44);
}

TEST_CASE("integer access needs an integer tensor", "[tensor]") {
  const Tensor tensor = Tensor::zeros(DType::bf16, Dims{1});
  CHECK(code_of([&] { load_integer(tensor.view, 0); }) == "internal");
  CHECK(code_of([&] { store_integer(tensor.view, 0, 1); }) == "internal");
  CHECK(code_of([] { round_to(DType::i32, 1.5); }) == "internal");
}

TEST_CASE("what is stored is what round_to gives", "[tensor]") {
  for (DType dtype : all_dtypes()) {
    if (!is_float(dtype))
      continue;
    const Tensor tensor = Tensor::zeros(dtype, Dims{1});
    for (const double value :
         {0.0, 1.0, -1.0, 0.1, 3.14159265358979, 1e-9, -300.0, 447.0, 1e5, 1e40, infinity, quiet_nan}) {
      store_element(tensor.view, 0, value);
      const double loaded = load_element(tensor.view, 0), rounded = round_to(dtype, value);
      INFO(to_string(dtype) << " of " << value);
      CHECK((loaded == rounded || (std::isnan(loaded) && std::isnan(rounded))));
      CHECK((std::isnan(rounded) || round_to(dtype, rounded) == rounded));
    }
  }
}

TEST_CASE("overflow of round_to", "[tensor]") {
  CHECK(round_to(DType::f32, 1e40) == infinity);
  CHECK(round_to(DType::f16, 65520) == infinity);
  CHECK(round_to(DType::f16, 65519) == 65504);
  CHECK(round_to(DType::f8e5m2, 1e6) == infinity);
  CHECK(round_to(DType::f8e4m3, 464) == 448);
  CHECK(std::isnan(round_to(DType::f8e4m3, 465)));
  CHECK(std::isnan(round_to(DType::f8e4m3fnuz, 248)));
  CHECK(round_to(DType::f8e4m3fnuz, 247) == 240);
}
