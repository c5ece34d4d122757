# Installation: the CMake package, with the component "testing" apart so that a production program needs no GoogleTest,
# and "real", which is there only if Boost was; and one pkg-config file for each library.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/lockstep)
configure_package_config_file(lockstepConfig.cmake.in lockstepConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(lockstepConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/lockstepConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/lockstepConfigVersion.cmake
  DESTINATION ${package_dir})

function(lockstep_install target pc_name pc_description pc_requires pc_flags)
  install(TARGETS ${target} EXPORT ${target} FILE_SET HEADERS FILE_SET without_source)
  install(EXPORT ${target} NAMESPACE lockstep:: DESTINATION ${package_dir})
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(lockstep.pc.in ${pc_name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${pc_name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

if(LOCKSTEP_FMT_HEADER_ONLY)
  set(fmt_requires "")
  set(fmt_flags -DFMT_HEADER_ONLY)
else()
  set(fmt_requires fmt)
  set(fmt_flags "")
endif()
lockstep_install(lockstep lockstep "${PROJECT_DESCRIPTION}" "${fmt_requires}" "${fmt_flags}")
set(real_requires "")
if(LOCKSTEP_REAL)
  set(real_requires "lockstep-real ")  # in which tests may run
  lockstep_install(lockstep_real lockstep-real "lockstep on the operating system" lockstep "")
  lockstep_install(lockstep_http lockstep-http "HTTP on lockstep, and a mock of it" lockstep "")
endif()
if(LOCKSTEP_TESTING)
  lockstep_install(lockstep_testing lockstep-testing
    "GoogleTests that are coroutines" "${real_requires}lockstep gtest gmock" "")
endif()
