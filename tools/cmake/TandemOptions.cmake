# What a user of the build can choose. As a part of another project tandem builds its libraries and nothing else.
option(BUILD_SHARED_LIBS "Build shared libraries" OFF)
option(TANDEM_BUILD_TOOLS "Build the tandem command" ${PROJECT_IS_TOP_LEVEL})
option(TANDEM_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(TANDEM_BUILD_BENCHMARKS "Build the benchmarks (needs Google Benchmark)" OFF)
option(TANDEM_BUILD_FUZZERS "Build the fuzzers (needs Clang)" OFF)
option(TANDEM_INSTALL "Generate install rules" ${PROJECT_IS_TOP_LEVEL})
option(TANDEM_WERROR "Treat warnings as errors" OFF)
set(TANDEM_SANITIZE "" CACHE STRING "Sanitizers for everything, as the compiler names them: 'address,undefined', 'thread'")

if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  find_program(TANDEM_CCACHE ccache)
  if(TANDEM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Without this sloppiness ccache refuses sources that use a precompiled header.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${TANDEM_CCACHE})
  endif()
endif()
