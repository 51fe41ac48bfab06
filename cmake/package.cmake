# cmake/package.cmake - what an installed taskscope tells CMake and pkg-config.
#
#   find_package(taskscope)                   taskscope::taskscope, ::executor, ::sync, ::scope, ::combinators
#   find_package(taskscope COMPONENTS net)    these and taskscope::net, which needs Boost
#   find_package(taskscope COMPONENTS onetbb) these and taskscope::onetbb, which needs oneTBB
#   pkg-config taskscope / taskscope-net / taskscope-onetbb       the same without CMake
#
# net and onetbb have export files of their own, so that who does not ask for them needs no Boost and no oneTBB.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/taskscope)

install(TARGETS taskscope_taskscope EXPORT taskscopeTargets)
install(EXPORT taskscopeTargets NAMESPACE taskscope:: DESTINATION ${package_dir})
if(TASKSCOPE_NET)
  install(EXPORT taskscopeNetTargets NAMESPACE taskscope:: DESTINATION ${package_dir})
endif()
if(TASKSCOPE_ONETBB)
  install(EXPORT taskscopeOnetbbTargets NAMESPACE taskscope:: DESTINATION ${package_dir})
endif()

configure_package_config_file(cmake/taskscopeConfig.cmake.in taskscopeConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(taskscopeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES
    ${CMAKE_CURRENT_BINARY_DIR}/taskscopeConfig.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/taskscopeConfigVersion.cmake
  DESTINATION ${package_dir})

# The paths in a .pc file start from where the file lies, so an install can be moved. They are worked out
# here because CMAKE_INSTALL_LIBDIR may be lib or lib/x86_64-linux-gnu.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_PREFIX}/${pc_dir} ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_to_prefix ${pc_to_prefix})

function(taskscope_install_pc pc_name)
  cmake_parse_arguments(PARSE_ARGV 1 pc "" "DESCRIPTION;REQUIRES;LIBS" "")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/taskscope.pc.in ${pc_name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${pc_name}.pc DESTINATION ${pc_dir})
endfunction()

taskscope_install_pc(taskscope
  DESCRIPTION ${PROJECT_DESCRIPTION}
  LIBS "-ltaskscope_combinators -ltaskscope_scope -ltaskscope_sync -ltaskscope_executor -pthread")
if(TASKSCOPE_NET)
  taskscope_install_pc(taskscope-net
    DESCRIPTION "Boost.Asio under the workers of taskscope"
    REQUIRES "taskscope = ${PROJECT_VERSION}"
    LIBS "-ltaskscope_net")
endif()
if(TASKSCOPE_ONETBB)
  taskscope_install_pc(taskscope-onetbb
    DESCRIPTION "oneTBB as a guest of taskscope"
    REQUIRES "taskscope = ${PROJECT_VERSION}, tbb >= 2021.8"
    LIBS "-ltaskscope_onetbb")
endif()
