// The formatter keeps comments where they belong and changes nothing the second time.

#include <string>

#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/text.h>

#include "tests/support/catch.h"

using namespace tandem;

TEST_CASE("comments stay with what they stand at") {
  const std::string text = R"(// The licence.

# What it is.
fusion f   {   # opens
    # how early
  level O2 # late
  match { # what is there
      # the input
    in %x: T[ .., Q ]  # rows
    in %w
    # first
    either {# one
      %a=relu(%x)# plain
      # end of one
    } or { # two
      %a = silu(%x)
    } # done
  }  # matched
  rewrite {
    # new
    %n = fused( %x )
    %a = %n  # replaced
    # end
  }
  # end of f
}
# end of file
)";
  const std::string expected = R"(// The licence.

# What it is.
fusion f {  # opens
  # how early
  level     O2  # late

  match {  # what is there
    # the input
    in %x: T[.., Q]  # rows
    in %w
    # first
    either {  # one
      %a = relu(%x)  # plain
      # end of one
    } or {  # two
      %a = silu(%x)
      # done
    }
  }
  # matched
  rewrite {
    # new
    %n = fused(%x)
    %a = %n  # replaced
    # end
  }
  # end of f
}
# end of file
)";
  CHECK(format_text(text, "f") == expected);
  CHECK(format_text(expected, "f") == expected);
  CHECK(parse_fusions(expected, "f") == parse_fusions(text, "f"));
}

TEST_CASE("a statement that is too long has its attributes on the next line") {
  const std::string long_name(100, 'a');
  const std::string text = "fusion f { match { %y = " + long_name + "(%x) {eps = 1e-06} : T } }";
  const std::string expected =
      "fusion f {\n  level     O1\n\n  match {\n    %y = " + long_name + "(%x)\n        {eps = 1e-06} : T\n  }\n}\n";
  CHECK(format_text(text, "f") == expected);
  CHECK(format_text(expected, "f") == expected);
}

TEST_CASE("sections come in one order") {
  CHECK(format_text(
            "fusion f { rewrite { %y = %x } where { one_use(%x) } dims Q types T match { %y = relu(%x) } level O3 }",
            "f") ==
        "fusion f {\n  level     O3\n  types     T\n  dims      Q\n\n  match {\n    %y = relu(%x)\n  }\n"
        "  where {\n    one_use(%x)\n  }\n  rewrite {\n    %y = %x\n  }\n}\n");
}
