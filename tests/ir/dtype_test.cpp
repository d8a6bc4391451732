// Names and sizes of element types.
#include <tandem/ir/dtype.h>

#include <set>
#include <string>

#include "tests/support/catch.h"

using namespace tandem;

TEST_CASE("every dtype has its own name, which parses back", "[dtype]") {
  CHECK(all_dtypes().size() == num_dtypes);
  std::set<std::string_view> names;
  for (DType dtype : all_dtypes()) {
    names.insert(to_string(dtype));
    CHECK(parse_dtype(to_string(dtype)) == dtype);
  }
  CHECK(names.size() == num_dtypes);
}

TEST_CASE("the two e4m3 forms are not taken for each other", "[dtype]") {
  CHECK(parse_dtype("f8e4m3") == DType::f8e4m3);
  CHECK(parse_dtype("f8e4m3fnuz") == DType::f8e4m3fnuz);
  CHECK(to_string(DType::f8e4m3fnuz) == "f8e4m3fnuz");
  CHECK(to_string(DType::boolean) == "bool");
}

TEST_CASE("other spellings are no dtypes", "[dtype]") {
  for (const char* text : {"", "BF16", "float32", "bf16 ", "boolean", "f8e4m3fn"})
    CHECK_FALSE(parse_dtype(text));
}

TEST_CASE("sizes and classes", "[dtype]") {
  CHECK(byte_size(DType::f64) == 8);
  CHECK(byte_size(DType::bf16) == 2);
  CHECK(byte_size(DType::f8e5m2) == 1);
  CHECK(byte_size(DType::boolean) == 1);
  for (DType dtype : all_dtypes()) {
    CHECK(is_float(dtype) + is_integer(dtype) + is_boolean(dtype) == 1);
    CHECK(is_float8(dtype) == (to_string(dtype).substr(0, 2) == "f8"));
  }
}
