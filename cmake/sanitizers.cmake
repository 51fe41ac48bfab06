# cmake/sanitizers.cmake - TASKSCOPE_SANITIZE instruments every target of the build alike.
#
# A sanitizer that sees half of the code reports nonsense about the other half, so the options go to the
# directory, not to a target, and only when we are the project that is built: the flags of a larger
# build are its owner's business.

if(NOT TASKSCOPE_SANITIZE OR NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

foreach(sanitizer IN LISTS TASKSCOPE_SANITIZE)
  if(NOT sanitizer MATCHES "^(address|undefined|thread)$")
    message(FATAL_ERROR "TASKSCOPE_SANITIZE=${TASKSCOPE_SANITIZE}: no sanitizer '${sanitizer}'. "
                        "Use address, undefined, \"address;undefined\" or thread.")
  endif()
endforeach()
if("thread" IN_LIST TASKSCOPE_SANITIZE AND "address" IN_LIST TASKSCOPE_SANITIZE)
  message(FATAL_ERROR "TASKSCOPE_SANITIZE: thread and address cannot share a build. Choose one.")
endif()

list(JOIN TASKSCOPE_SANITIZE "," sanitizers)

# -g1: line tables, all that a report needs, at half the build time of -g.
add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
add_link_options(-fsanitize=${sanitizers})
