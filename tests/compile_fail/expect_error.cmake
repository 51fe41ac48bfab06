# tests/compile_fail/expect_error.cmake - compiles SOURCE with COMPILER and wants it refused.
#
# Every "// expect: <text>" of the source must occur in the messages; otherwise a misspelt name would
# pass for the mistake the test is about. Warnings count as errors, so that [[nodiscard]] does.

file(STRINGS ${SOURCE} expectations REGEX "^// expect: ")
if(NOT expectations)
  message(FATAL_ERROR "${SOURCE}: no line '// expect: <text>'")
endif()

execute_process(
  COMMAND ${COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Werror -fno-diagnostics-color
    -I ${ROOT}/executor/include -I ${ROOT}/sync/include -I ${ROOT}/scope/include
    -I ${ROOT}/combinators/include -I ${ROOT}/net/include ${SOURCE}
  RESULT_VARIABLE result
  OUTPUT_VARIABLE messages
  ERROR_VARIABLE messages)

if(result EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles and must not")
endif()
foreach(expectation IN LISTS expectations)
  string(REPLACE "// expect: " "" text "${expectation}")
  string(FIND "${messages}" "${text}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "${SOURCE} is refused, but not in the words\n  ${text}\n"
                        "The compiler says:\n${messages}")
  endif()
endforeach()
