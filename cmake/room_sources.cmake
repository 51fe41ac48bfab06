# cmake/room_sources.cmake - the sources of the rooms below combinators, for builds of them over another detail/atomic.hpp.
#
#   taskscope_room_sources(<variable> [<folder of the rooms>])

function(taskscope_room_sources variable)
  set(found "")
  foreach(room IN ITEMS executor sync scope)
    get_target_property(sources taskscope_${room} SOURCES)
    set(folder ${PROJECT_SOURCE_DIR})
    if(ARGC GREATER 1)
      set(folder ${ARGV1})
    endif()
    list(TRANSFORM sources PREPEND ${folder}/${room}/)
    list(APPEND found ${sources})
  endforeach()
  set(${variable} ${found} PARENT_SCOPE)
endfunction()
