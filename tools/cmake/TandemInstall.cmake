# What `cmake --install` puts where: libraries, public headers, the command, and what find_package and pkg-config read.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(TANDEM_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/tandem")

install(TARGETS tandem_ir tandem_passes tandem_runtime tandem_all EXPORT tandemTargets)
if(TARGET tandem)
  install(TARGETS tandem)
endif()

# Public headers; all others are the inside of their libraries. CI compiles each alone against an installation, so a
# header that a public one needs cannot be missing here.
function(tandem_install_headers folder)
  list(TRANSFORM ARGN PREPEND "${PROJECT_SOURCE_DIR}/${folder}/")
  install(FILES ${ARGN} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tandem/${folder}")
endfunction()
tandem_install_headers(ir attribute.h block_pool.h builder.h code_location.h context.h diagnostic.h dim.h dim_parser.h dtype.h export.h
                       graph.h growing_array.h op_table.h ops.def symbol.h type.h verifier.h)
tandem_install_headers(ir/io dot.h file.h html.h json.h limits.h read.h text.h torch_export.h)
tandem_install_headers(passes capabilities.h config.h explain.h gate.h hooks.h pass.h pass_manager.h pipeline.def pipeline.h
                       report.h)
tandem_install_headers(passes/pattern block_memo.h builder.h check.h compiler.h engine.h expand.h explain.h extract.h
                       fusion_set.h json.h lint.h match_code.h match_state.h matcher.h pattern.h predicates.h program.h
                       rewriter.h text.h)
tandem_install_headers(passes/fusion fusions.h)
tandem_install_headers(kernels kernel.h tensor.h)
tandem_install_headers(kernels/hip code_objects.h device_info.h launch.h)
tandem_install_headers(runtime/hip aiter.h aiter_adapter.h aiter_files.h blas_api.h device.h driver.h driver_calls.def hip_executor.h
                       hip_plan.h memory.h probe.h stream.h)
tandem_install_headers(runtime executor.h memory.h plan.h safetensors.h tensor_store.h torch_weights.h)
install(FILES "${TANDEM_GENERATED_DIR}/tandem/version.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tandem")

# find_package(tandem CONFIG COMPONENTS ir passes runtime)
install(EXPORT tandemTargets NAMESPACE tandem:: DESTINATION "${TANDEM_CMAKE_DIR}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/tools/cmake/tandemConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/tandemConfig.cmake" INSTALL_DESTINATION "${TANDEM_CMAKE_DIR}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/tandemConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/tandemConfig.cmake" "${PROJECT_BINARY_DIR}/tandemConfigVersion.cmake"
        DESTINATION "${TANDEM_CMAKE_DIR}")

# pkg-config tandem. A static tandem needs its dependencies named at link time, with or without `--static`; a shared one
# needs them only under `--static`, which is what the .private fields mean.
list(JOIN BLAS_LIBRARIES " " TANDEM_PC_BLAS)
if(BUILD_SHARED_LIBS)
  set(TANDEM_PC_PRIVATE ".private")
  set(TANDEM_PC_PRIVATE_LIBS "${TANDEM_PC_BLAS} -pthread")
  set(TANDEM_PC_CFLAGS " -DTANDEM_SHARED")
else()
  set(TANDEM_PC_LIBS " ${TANDEM_PC_BLAS} -pthread")
endif()
configure_file("${PROJECT_SOURCE_DIR}/tools/cmake/tandem.pc.in" "${PROJECT_BINARY_DIR}/tandem.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/tandem.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
