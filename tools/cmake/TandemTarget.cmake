# How a target of tandem is compiled.

# <tandem/ir/graph.h> is ir/graph.h of the source tree through this link; tandem/version.h is generated beside it.
set(TANDEM_INCLUDE_DIR "${PROJECT_BINARY_DIR}/include")
set(TANDEM_GENERATED_DIR "${PROJECT_BINARY_DIR}/generated")
file(MAKE_DIRECTORY "${TANDEM_INCLUDE_DIR}")
file(CREATE_LINK "${PROJECT_SOURCE_DIR}" "${TANDEM_INCLUDE_DIR}/tandem" SYMBOLIC)
configure_file("${PROJECT_SOURCE_DIR}/tools/cmake/version.h.in" "${TANDEM_GENERATED_DIR}/tandem/version.h" @ONLY)

# Language level, warnings and sanitizers, for libraries, tools and tests alike.
function(tandem_compile target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                           $<$<BOOL:${TANDEM_WERROR}>:-Werror>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees overlaps and overruns inside std::string that are not there (GCC bugs 105329, 105651).
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow
                                             -Wno-stringop-overread)
  endif()
  if(TANDEM_SANITIZE)
    # GCC's flow analysis sees std::regex and std::function half initialised once sanitizers have instrumented them.
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
    target_compile_options(${target} PRIVATE -fsanitize=${TANDEM_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${TANDEM_SANITIZE})
  endif()
endfunction()

# A library of tandem: every .cpp below the given folders (relative to the root), with its alias tandem::<name>.
function(tandem_library name)
  set(sources)
  foreach(folder IN LISTS ARGN)
    file(GLOB found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/*.cpp" "${PROJECT_SOURCE_DIR}/${folder}/*.h")
    list(APPEND sources ${found})
  endforeach()
  add_library(tandem_${name} ${sources} "${TANDEM_GENERATED_DIR}/tandem/version.h")
  add_library(tandem::${name} ALIAS tandem_${name})
  set_target_properties(tandem_${name} PROPERTIES EXPORT_NAME ${name} LINKER_LANGUAGE CXX POSITION_INDEPENDENT_CODE ON
                        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_include_directories(tandem_${name} PUBLIC "$<BUILD_INTERFACE:${TANDEM_INCLUDE_DIR}>"
                             "$<BUILD_INTERFACE:${TANDEM_GENERATED_DIR}>" "$<INSTALL_INTERFACE:include>")
  if(BUILD_SHARED_LIBS)
    target_compile_definitions(tandem_${name} PUBLIC TANDEM_SHARED)
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND NOT TANDEM_SANITIZE)
      target_link_options(tandem_${name} PRIVATE LINKER:-z,defs)  # a forgotten TANDEM_*_API shows here, not at a user's
    endif()
  endif()
  tandem_compile(tandem_${name})
  tandem_unity(tandem_${name})
  tandem_precompile(tandem_${name})
endfunction()

# What most sources of a library include, parsed once.
function(tandem_precompile target)
  target_precompile_headers(${target} PRIVATE <algorithm> <array> <cstdint> <functional> <map> <memory> <optional> <set>
                            <span> <string> <string_view> <unordered_map> <utility> <vector> <fmt/format.h>)
  tandem_pch_ccache(${target})
endfunction()

# Many sources in one translation unit, where CMAKE_UNITY_BUILD asks for it: less than a third of the compiler's time for
# builds that are made once, from nothing (sanitizers, the consumer's). So no two sources of a library have private names
# alike.
function(tandem_unity target)
  if(NOT CMAKE_UNITY_BUILD)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_BATCH_SIZE 20)
  # A name may hide one of another source, and a unit is taken for a header; a build that joins nothing has both warnings.
  target_compile_options(${target} PRIVATE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endfunction()

# Lets ccache keep the objects of a target that has a precompiled header.
function(tandem_pch_ccache target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endfunction()
