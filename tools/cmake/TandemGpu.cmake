# GPU machine code: kernels/hip/*.hip, compiled ahead of time for every architecture and embedded in the library.
#
#   TANDEM_GPU            auto (what compilers are found for), off, or a list of amd and nvidia (both must then be found)
#   TANDEM_AMD_ARCHS      gfx90a;gfx942;gfx950;gfx1100;gfx1201      TANDEM_HIP_COMPILER   a clang that knows them
#   TANDEM_NVIDIA_ARCHS   90                                        TANDEM_NVCC           nvcc, 12 or later
#
# An empty list of architectures leaves a platform out. A source is compiled alone for each architecture, without headers or libraries of ROCm or CUDA. The host needs neither
# compiler to use what is embedded; drivers are looked for at run time.
set(TANDEM_GPU "auto" CACHE STRING "GPU machine code: 'auto', 'off', or a list of 'amd' and 'nvidia'")
set(TANDEM_AMD_ARCHS "gfx90a;gfx942;gfx950;gfx1100;gfx1201" CACHE STRING "AMD architectures")
set(TANDEM_NVIDIA_ARCHS "90" CACHE STRING "NVIDIA architectures, as compute capabilities without the dot")
foreach(platform IN LISTS TANDEM_GPU)
  if(NOT platform MATCHES "^(auto|off|amd|nvidia)$")
    message(FATAL_ERROR "TANDEM_GPU is '${TANDEM_GPU}'; it must be 'auto', 'off', or a list of 'amd' and 'nvidia'")
  endif()
endforeach()
list(LENGTH TANDEM_GPU count)
if(count GREATER 1 AND TANDEM_GPU MATCHES "auto|off")
  message(FATAL_ERROR "TANDEM_GPU is '${TANDEM_GPU}'; 'auto' and 'off' stand alone")
endif()

set(TANDEM_HIP_FLAGS -x hip -nogpuinc -nogpulib --cuda-device-only --no-gpu-bundle-output -mcode-object-version=5
                     -std=c++17 -O3 -ffp-contract=off -Wall -Wextra $<$<BOOL:${TANDEM_WERROR}>:-Werror>)
set(TANDEM_NVCC_FLAGS -x cu -std=c++17 -O3 -fmad=false -cubin $<$<BOOL:${TANDEM_WERROR}>:-Werror=all-warnings>)

# Sets `result` to the architectures of `archs` that a clang compiles for.
function(tandem_amd_archs compiler archs result)
  set(probe "${PROJECT_BINARY_DIR}/gpu/probe.hip")
  file(WRITE "${probe}" "extern \"C\" __attribute__((global)) void probe() {}\n")
  set(known)
  foreach(arch IN LISTS archs)
    execute_process(COMMAND "${compiler}" -x hip -nogpuinc -nogpulib --cuda-device-only --no-gpu-bundle-output
                            -mcode-object-version=5 --offload-arch=${arch} -c "${probe}" -o "${probe}.o"
                    RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
    if(status EQUAL 0)
      list(APPEND known ${arch})
    endif()
  endforeach()
  set(${result} ${known} PARENT_SCOPE)
endfunction()

# The compilers and what each builds for: TANDEM_GPU_TARGETS is a list of platform:arch.
set(TANDEM_GPU_TARGETS)
if(TANDEM_GPU MATCHES "auto|amd")
  find_program(TANDEM_HIP_COMPILER NAMES amdclang++ clang++-23 clang++-22 clang++-21 clang++-20 clang++-19 clang++
               PATHS "$ENV{ROCM_PATH}/bin" "$ENV{ROCM_PATH}/llvm/bin" /opt/rocm/bin /opt/rocm/llvm/bin
               DOC "A clang that compiles for AMD GPUs")
  mark_as_advanced(TANDEM_HIP_COMPILER)
  set(known)
  if(TANDEM_HIP_COMPILER)
    tandem_amd_archs("${TANDEM_HIP_COMPILER}" "${TANDEM_AMD_ARCHS}" known)
  endif()
  if(TANDEM_GPU MATCHES "amd" AND NOT "${known}" STREQUAL "${TANDEM_AMD_ARCHS}")
    message(FATAL_ERROR "TANDEM_GPU=amd, but TANDEM_HIP_COMPILER (${TANDEM_HIP_COMPILER}) compiles only for "
                        "'${known}' of '${TANDEM_AMD_ARCHS}'. Install clang-22 and lld-22 (tools/setup.sh --gpu) or set "
                        "TANDEM_HIP_COMPILER or TANDEM_AMD_ARCHS.")
  endif()
  list(TRANSFORM known PREPEND "rocm:")
  list(APPEND TANDEM_GPU_TARGETS ${known})
endif()
if(TANDEM_GPU MATCHES "auto|nvidia")
  find_program(TANDEM_NVCC NAMES nvcc PATHS "$ENV{CUDA_HOME}/bin" /usr/local/cuda/bin DOC "NVIDIA's compiler")
  mark_as_advanced(TANDEM_NVCC)
  if(TANDEM_NVCC)
    foreach(arch IN LISTS TANDEM_NVIDIA_ARCHS)
      list(APPEND TANDEM_GPU_TARGETS cuda:sm_${arch})
    endforeach()
  elseif(TANDEM_GPU MATCHES "nvidia")
    message(FATAL_ERROR "TANDEM_GPU=nvidia, but there is no nvcc. Install CUDA or set TANDEM_NVCC.")
  endif()
endif()
if(PROJECT_IS_TOP_LEVEL)
  list(JOIN TANDEM_GPU_TARGETS " " targets)
  message(STATUS "GPU machine code (TANDEM_GPU=${TANDEM_GPU}): ${targets}")
endif()

# Compiles every .hip of `folder`, and adds to `target` a source that embeds the results as `tandem::code_objects()`.
function(tandem_embed_gpu_code target folder)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/*.hip")
  set(objects)
  set(blobs "")
  set(declarations "")
  set(names "")
  set(entries "")
  if(TANDEM_GPU_TARGETS)
    foreach(source IN LISTS sources)
      get_filename_component(name "${source}" NAME_WE)
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
      file(STRINGS "${source}" kernels REGEX "^TANDEM_KERNEL[A-Z_]*\\(")
      list(TRANSFORM kernels REPLACE "^TANDEM_KERNEL[A-Z_]*\\(([A-Za-z0-9_]+),.*$" "\"\\1\"")
      list(JOIN kernels ", " kernels)
      string(APPEND names "constexpr std::string_view kernels_of_${name}[] = {${kernels}};\n")
      foreach(gpu IN LISTS TANDEM_GPU_TARGETS)
        string(REPLACE ":" ";" gpu "${gpu}")
        list(GET gpu 0 platform)
        list(GET gpu 1 arch)
        set(object "${PROJECT_BINARY_DIR}/gpu/${arch}/${name}.o")
        if(platform STREQUAL "rocm")
          add_custom_command(OUTPUT "${object}" DEPENDS "${source}" DEPFILE "${object}.d" VERBATIM COMMAND_EXPAND_LISTS
                             COMMENT "Compiling ${folder}/${name}.hip for ${arch}"
                             COMMAND "${TANDEM_HIP_COMPILER}" ${TANDEM_HIP_FLAGS} --offload-arch=${arch} -Xclang -dependency-file -Xclang "${object}.d"
                                     -Xclang -MT -Xclang "${object}" -c "${source}" -o "${object}")
        else()
          add_custom_command(OUTPUT "${object}" DEPENDS "${source}" DEPFILE "${object}.d" VERBATIM COMMAND_EXPAND_LISTS
                             COMMENT "Compiling ${folder}/${name}.hip for ${arch}"
                             COMMAND "${TANDEM_NVCC}" ${TANDEM_NVCC_FLAGS} -arch=${arch} -MD -MF "${object}.d" -MT "${object}"
                                     "${source}" -o "${object}")
        endif()
        list(APPEND objects "${object}")
        set(symbol "tandem_code_object_${arch}_${name}")
        string(APPEND blobs "__asm__(\".section .rodata\\n.balign 64\\n.hidden ${symbol}\\n.globl ${symbol}\\n${symbol}:\\n\"\n"
                            "        \".incbin \\\"${object}\\\"\\n.hidden ${symbol}_end\\n.globl ${symbol}_end\\n${symbol}_end:\\n\"\n"
                            "        \".byte 0\\n.text\\n\");\n")
        string(APPEND declarations "extern \"C\" const std::byte ${symbol}[];\nextern \"C\" const std::byte ${symbol}_end[];\n")
        string(APPEND entries "      {GpuPlatform::${platform}, \"${arch}\", \"${name}.hip\", {${symbol}, ${symbol}_end}, kernels_of_${name}, true},\n")
      endforeach()
    endforeach()
  endif()
  if(entries)
    set(body "  static const CodeObject all[] = {\n${entries}  };\n  return all;\n")
  else()
    set(body "  return {};\n")
  endif()
  set(generated "${TANDEM_GENERATED_DIR}/code_objects_of_this_build.cpp")
  file(CONFIGURE OUTPUT "${generated}" @ONLY CONTENT
"// Made by tools/cmake/TandemGpu.cmake.
#include <cstddef>
#include <span>
#include <string_view>

#include <tandem/kernels/hip/code_objects.h>

@blobs@
@declarations@
namespace tandem {

@names@
std::span<const CodeObject> code_objects() {
@body@}

}  // namespace tandem
")
  target_sources(${target} PRIVATE "${generated}")
  set_source_files_properties("${generated}" PROPERTIES OBJECT_DEPENDS "${objects}")
  add_custom_target(tandem_gpu_code DEPENDS ${objects})
endfunction()
