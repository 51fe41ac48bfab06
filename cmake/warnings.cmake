# cmake/warnings.cmake - the warnings we compile with. Targets link taskscope_warnings privately and
# through $<BUILD_INTERFACE:...>, so it never reaches our users.

add_library(taskscope_warnings INTERFACE)

target_compile_options(taskscope_warnings INTERFACE
  -Wall
  -Wextra
  -Wcast-align
  -Wconversion
  -Wdouble-promotion
  -Wextra-semi
  -Wformat=2
  -Wimplicit-fallthrough
  -Wnon-virtual-dtor
  -Wold-style-cast
  -Woverloaded-virtual
  -Wshadow
  -Wsign-conversion                                     # clang's -Wconversion implies it, GCC's does not
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-branches>
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond>
  $<$<CXX_COMPILER_ID:GNU>:-Wlogical-op>
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>  # GCC PR 105651
  $<$<BOOL:${TASKSCOPE_WERROR}>:-Werror>)
