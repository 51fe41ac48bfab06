# cmake/build_speed.cmake - the compiler cache and a fast linker, where the machine has them.
#
# Only for our own builds: who adds us as a subdirectory has chosen already.

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(TASKSCOPE_CCACHE ccache)
  mark_as_advanced(TASKSCOPE_CCACHE)
  if(TASKSCOPE_CCACHE)
    # Paths below the source tree count as relative: a second clone finds what the first one compiled. Of precompiled
    # headers it compares the contents.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
        CCACHE_SLOPPINESS=pch_defines,time_macros ${TASKSCOPE_CCACHE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      add_compile_options(-fpch-preprocess)
    else()
      add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
endif()

# find_program sees the file, the check sees whether this compiler can drive it.
include(CheckLinkerFlag)
foreach(linker IN ITEMS mold lld)
  find_program(TASKSCOPE_LINKER_${linker} NAMES ld.${linker})
  mark_as_advanced(TASKSCOPE_LINKER_${linker})
  if(TASKSCOPE_LINKER_${linker})
    check_linker_flag(CXX -fuse-ld=${linker} TASKSCOPE_CAN_LINK_WITH_${linker})
    if(TASKSCOPE_CAN_LINK_WITH_${linker})
      add_link_options(-fuse-ld=${linker})
      break()
    endif()
  endif()
endforeach()
