# tests/package/install.cmake - installs BUILD into PREFIX, which is emptied first: a header that is no
# longer installed must be missed.

file(REMOVE_RECURSE ${PREFIX})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX}
                COMMAND_ERROR_IS_FATAL ANY)
