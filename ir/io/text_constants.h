// Types and attribute values of the text form.
#pragma once

#include <string>
#include <string_view>

#include <tandem/ir/io/assembly.h>
#include <tandem/ir/io/text_cursor.h>

namespace tandem::io {

/// Reads what stands at the cursor and moves on behind it. Each fails as the cursor does.
class TextConstants {
 public:
  TextConstants(TextCursor& cursor, Assembly& assembly) : cursor_(cursor), assembly_(assembly) {}

  TensorType type();
  std::int64_t integer();
  /// The value of an attribute, by the kind that its row gives.
  Attribute read(const AttrDef& def);

 private:
  [[noreturn]] void fail_kind(const AttrDef& def, std::string_view example);
  std::int64_t integer_of(const Token& number);
  bool starts_real() const;
  double real();
  Dim dim();
  Attribute literal();
  std::string element(TensorLiteral& literal);

  TextCursor& cursor_;
  Assembly& assembly_;
};

}  // namespace tandem::io
