# What other projects find with find_package(covey): the client library, and the
# programs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

foreach(name core messages network client)
  set_target_properties(covey_${name} PROPERTIES EXPORT_NAME ${name})
endforeach()
install(TARGETS covey_core covey_messages covey_network covey_client EXPORT covey
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS coveyd covey covey_bench RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY core messages client DESTINATION include/covey
        FILES_MATCHING PATTERN "*.hpp")
install(DIRECTORY ${CMAKE_BINARY_DIR}/gen/messages DESTINATION include/covey
        FILES_MATCHING PATTERN "*.pb.h")
install(FILES configs/annotated.conf DESTINATION ${CMAKE_INSTALL_DATADIR}/covey)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/covey)
install(EXPORT covey NAMESPACE covey:: DESTINATION ${package})
file(WRITE ${CMAKE_BINARY_DIR}/coveyConfig.cmake [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(Protobuf)
find_dependency(OpenSSL)
include(${CMAKE_CURRENT_LIST_DIR}/covey.cmake)
]])
write_basic_package_version_file(${CMAKE_BINARY_DIR}/coveyConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/coveyConfig.cmake
              ${CMAKE_BINARY_DIR}/coveyConfigVersion.cmake DESTINATION ${package})
