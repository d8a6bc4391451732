# Libraries that tandem builds on. None of them shows in a public header. CMakeLists of the folders link what they use;
# tandemConfig.cmake.in repeats the ones that a static tandem needs at link time.
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(simdjson 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(TBB REQUIRED)
find_package(BLAS REQUIRED)
find_path(TANDEM_CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas REQUIRED)
mark_as_advanced(TANDEM_CBLAS_INCLUDE_DIR)

if(TANDEM_BUILD_TOOLS)
  find_package(spdlog REQUIRED)
  find_package(CLI11 2 REQUIRED)
endif()
