// The main function of the test binaries: Catch2 2 generates it here, Catch2 3 brings its own library.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
