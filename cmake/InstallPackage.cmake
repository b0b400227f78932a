# What `cmake --install` installs, and what find_package(otlp_arrow) finds there (docs/cpp/install.md). The libraries are put
# together from the objects of the layers: nothing is compiled for them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/otlp_arrow)
set(arrow_dir ${CMAKE_INSTALL_LIBDIR}/otlp_arrow)  # of OTLP_ARROW_BUNDLE_ARROW

# How an installed library or program finds those that it needs.
function(otlp_arrow_set_rpath target origin)
  set_target_properties(${target} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  if(OTLP_ARROW_BUNDLE_ARROW AND OTLP_ARROW_ARROW_LIBRARY_DIR)
    set_target_properties(${target} PROPERTIES BUILD_RPATH ${OTLP_ARROW_ARROW_LIBRARY_DIR} INSTALL_RPATH "${origin};${origin}/otlp_arrow")
  else()
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "${origin}")
  endif()
endfunction()

# otlp_arrow_package_library(<component> NAME <file> SHOWS <patterns> LAYERS <targets> [SHARED_LAYERS <targets>]
#                            [SHARED_WITHOUT <files>] [PUBLIC <targets>] [PRIVATE <targets>])
# lib<file>.a and lib<file>.so from the objects of LAYERS, the latter also from those of SHARED_LAYERS but for the files of
# SHARED_WITHOUT (a regular expression), which a library that it links has. It shows what is
# marked with OTLP_ARROW_EXPORT and has a (mangled) name like one of SHOWS. In PUBLIC and PRIVATE <kind> stands for static
# or shared.
function(otlp_arrow_package_library component)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "NAME;SHARED_WITHOUT" "SHOWS;LAYERS;SHARED_LAYERS;PUBLIC;PRIVATE")
  set(objects)
  foreach(layer ${ARG_LAYERS})
    list(APPEND objects $<TARGET_OBJECTS:${layer}>)
  endforeach()
  set(more_objects)
  foreach(layer ${ARG_SHARED_LAYERS})
    if(ARG_SHARED_WITHOUT)
      list(APPEND more_objects $<FILTER:$<TARGET_OBJECTS:${layer}>,EXCLUDE,${ARG_SHARED_WITHOUT}>)
    else()
      list(APPEND more_objects $<TARGET_OBJECTS:${layer}>)
    endif()
  endforeach()
  add_library(otlp_arrow_${component}_static STATIC ${objects})
  add_library(otlp_arrow_${component}_shared SHARED ${objects} ${more_objects})

  foreach(kind static shared)
    set(target otlp_arrow_${component}_${kind})
    string(REPLACE "<kind>" ${kind} public "${ARG_PUBLIC}")
    string(REPLACE "<kind>" ${kind} private "${ARG_PRIVATE}")
    target_link_libraries(${target} PUBLIC ${public} PRIVATE ${private})
    target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_compile_features(${target} INTERFACE cxx_std_20)
    string(REGEX REPLACE "^otlp_arrow_(.)" "\\1" export_name ${ARG_NAME})
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME ${ARG_NAME} EXPORT_NAME ${export_name}
                          ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
    install(TARGETS ${target} EXPORT otlp_arrow_${component}_${kind} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT otlp_arrow_${component}_${kind} FILE ${component}-${kind}.cmake NAMESPACE otlp_arrow:: DESTINATION ${package_dir})
  endforeach()

  # Who unloads a library or plug-in with our code would leave its fork handlers and log sink behind.
  target_link_options(otlp_arrow_${component}_static INTERFACE
                      $<$<IN_LIST:$<TARGET_PROPERTY:TYPE>,SHARED_LIBRARY$<SEMICOLON>MODULE_LIBRARY>:LINKER:-z,nodelete>)
  list(JOIN ARG_SHOWS ";\n    " patterns)
  set(symbols ${CMAKE_BINARY_DIR}/${ARG_NAME}.map)
  file(CONFIGURE OUTPUT ${symbols} @ONLY
       CONTENT "OTLP_ARROW_@PROJECT_VERSION_MAJOR@.@PROJECT_VERSION_MINOR@ {\n  global:\n    @patterns@;\n  local: *;\n};\n")
  target_link_options(otlp_arrow_${component}_shared PRIVATE
                      "LINKER:--version-script=${symbols}" "LINKER:--exclude-libs,ALL" "LINKER:-z,nodelete" "LINKER:-z,defs")
  # Before 1.0 a new minor version may change the interface.
  set_target_properties(otlp_arrow_${component}_shared PROPERTIES VERSION ${PROJECT_VERSION}
                        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} LINK_DEPENDS ${symbols})
  otlp_arrow_set_rpath(otlp_arrow_${component}_shared "\$ORIGIN")
endfunction()

# Members and functions of the namespace; type information, names of types and virtual tables of its classes.
set(shows_all "_ZN10otlp_arrow*" "_ZNK10otlp_arrow*" "_ZTIN10otlp_arrow*" "_ZTSN10otlp_arrow*" "_ZTVN10otlp_arrow*")
set(sdk_libraries
    Threads::Threads spdlog::spdlog simdjson::simdjson
    $<BUILD_INTERFACE:PkgConfig::XXHASH> $<INSTALL_INTERFACE:PkgConfig::otlp_arrow_xxhash>)
set(core_libraries
    ${sdk_libraries}
    $<BUILD_INTERFACE:PkgConfig::ZSTD> $<INSTALL_INTERFACE:PkgConfig::otlp_arrow_zstd>
    $<BUILD_INTERFACE:otlp_arrow_arrow> $<INSTALL_INTERFACE:otlp_arrow::arrow>)
set(components core sdk)

# --- otlp_arrow::sdk: what an instrumented program links; no Arrow ------------------------------
# Rings and recorders are in this library alone, so that a program that links the core too has one of each.
get_property(core_layers GLOBAL PROPERTY OTLP_ARROW_CORE_LAYERS)
set(sdk_layers otlp_arrow_base otlp_arrow_otlp otlp_arrow_ring otlp_arrow_sdk)
set(only_core_layers ${core_layers})
list(REMOVE_ITEM only_core_layers ${sdk_layers})
otlp_arrow_package_library(sdk NAME otlp_arrow_sdk SHOWS ${shows_all} LAYERS ${sdk_layers} PRIVATE ${sdk_libraries})

# --- otlp_arrow::otlp_arrow: recording and reading ---------------------------------------------
# The static library takes what lies below from the SDK's. The shared one has copies of what that does not show.
otlp_arrow_package_library(core NAME otlp_arrow SHOWS ${shows_all} LAYERS ${only_core_layers} SHARED_LAYERS otlp_arrow_base otlp_arrow_otlp otlp_arrow_ring
                           SHARED_WITHOUT "/ring_writer\\.cc" PUBLIC otlp_arrow_sdk_<kind> PRIVATE ${core_libraries})

# --- otlp_arrow::opentelemetry_exporters ---------------------------------------------------------
if(TARGET otlp_arrow_opentelemetry_exporters)
  list(APPEND components opentelemetry_exporters)
  otlp_arrow_package_library(opentelemetry_exporters NAME otlp_arrow_opentelemetry_exporters SHOWS ${shows_all} LAYERS otlp_arrow_opentelemetry_exporters
                             PUBLIC otlp_arrow_core_<kind> opentelemetry-cpp::trace opentelemetry-cpp::metrics opentelemetry-cpp::logs)
endif()

# --- otlp_arrow::opentelemetry_sdk ----------------------------------------------------------------
if(TARGET otlp_arrow_opentelemetry_sdk)
  list(APPEND components opentelemetry_sdk)
  # The API's current context is one for all of a program: a static variable of a header.
  otlp_arrow_package_library(opentelemetry_sdk NAME otlp_arrow_opentelemetry_sdk SHOWS ${shows_all}
                             "_ZN13opentelemetry2v?7context14RuntimeContext10GetStorageEv*" "_ZZN13opentelemetry2v?7context14RuntimeContext10GetStorageEv*"
                             "_ZGVZN13opentelemetry2v?7context14RuntimeContext10GetStorageEv*" LAYERS otlp_arrow_opentelemetry_sdk
                             PUBLIC otlp_arrow_sdk_<kind> opentelemetry-cpp::api)
endif()

# --- otlp_arrow::service, and the program -------------------------------------------------------
# What the service takes from the layers below is hidden in libotlp_arrow.so; its own library brings it along, hidden too.
if(OTLP_ARROW_BUILD_SERVICE)
  list(APPEND components service)
  get_property(service_layers GLOBAL PROPERTY OTLP_ARROW_SERVICE_LAYERS)
  set(shows_service)
  foreach(name 14RunCommandLine 14ReadYamlConfig 17ForwardingSenders 14MockOtlpServer 15MockOtlpService 10OtlpClient)
    list(APPEND shows_service "_ZN10otlp_arrow${name}*" "_ZNK10otlp_arrow${name}*" "_ZT[ISV]N10otlp_arrow${name}*")
  endforeach()
  otlp_arrow_package_library(service NAME otlp_arrow_service SHOWS ${shows_service} LAYERS ${service_layers} SHARED_LAYERS ${core_layers}
                             PUBLIC otlp_arrow_core_<kind>
                             PRIVATE ${core_libraries} OpenSSL::SSL ZLIB::ZLIB yaml-cpp
                             $<BUILD_INTERFACE:otlp_arrow_arrow_flight> $<INSTALL_INTERFACE:otlp_arrow::arrow_flight>
                             $<BUILD_INTERFACE:PkgConfig::GRPC> $<INSTALL_INTERFACE:PkgConfig::otlp_arrow_grpc>
                             $<BUILD_INTERFACE:PkgConfig::DEFLATE> $<INSTALL_INTERFACE:PkgConfig::otlp_arrow_deflate>)
  otlp_arrow_set_rpath(otlp-arrow "\$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  # `cmake --install BUILD --component program` installs what runs, without headers and libraries.
  install(TARGETS otlp-arrow RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
  install(FILES $<TARGET_FILE_DIR:otlp-arrow>/otlp-arrow-service DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
  install(FILES ${CMAKE_BINARY_DIR}/share/man/man1/otlp-arrow.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/otlp-arrow.yaml DESTINATION ${CMAKE_INSTALL_DATADIR}/otlp-arrow COMPONENT program)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/otlp-arrow.sysusers.conf DESTINATION lib/sysusers.d RENAME otlp-arrow.conf COMPONENT program)
  # The unit names the program by its place, which is known when it is installed.
  install(CODE "set(bindir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
    configure_file(\"${PROJECT_SOURCE_DIR}/packaging/systemd/otlp-arrow.service.in\" \"${CMAKE_BINARY_DIR}/otlp-arrow.service\" @ONLY)" COMPONENT program)
  install(FILES ${CMAKE_BINARY_DIR}/otlp-arrow.service DESTINATION lib/systemd/system COMPONENT program)
endif()

# --- headers, licence, the Arrow that is brought along --------------------------------------------
set(header_patterns PATTERN "*.h")
if(NOT OTLP_ARROW_BUILD_SERVICE)
  list(APPEND header_patterns PATTERN "service.h" EXCLUDE PATTERN "mock_otlp_service.h" EXCLUDE PATTERN "otlp_client.h" EXCLUDE)
endif()
if(NOT TARGET otlp_arrow_opentelemetry_exporters)
  list(APPEND header_patterns PATTERN "opentelemetry_exporters.h" EXCLUDE)
endif()
if(NOT TARGET otlp_arrow_opentelemetry_sdk)
  list(APPEND header_patterns PATTERN "opentelemetry_sdk.h" EXCLUDE)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/otlp_arrow DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING ${header_patterns})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/otlp-arrow COMPONENT program)
if(OTLP_ARROW_BUNDLE_ARROW AND OTLP_ARROW_ARROW_LIBRARY_DIR)
  install(FILES ${OTLP_ARROW_ARROW_LINK} DESTINATION ${arrow_dir} COMPONENT program)
  if(OTLP_ARROW_BUILD_SERVICE)
    install(FILES ${OTLP_ARROW_ARROW_FLIGHT_LINK} DESTINATION ${arrow_dir} COMPONENT program)
  endif()
endif()

# --- the CMake package, and one for pkg-config ----------------------------------------------------
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/otlp_arrowConfig.cmake.in ${CMAKE_BINARY_DIR}/otlp_arrowConfig.cmake
                              INSTALL_DESTINATION ${package_dir} PATH_VARS arrow_dir)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/otlp_arrowConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/otlp_arrowConfig.cmake ${CMAKE_BINARY_DIR}/otlp_arrowConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/FindArrowLibrary.cmake DESTINATION ${package_dir})
configure_file(${PROJECT_SOURCE_DIR}/cmake/otlp_arrow.pc.in ${CMAKE_BINARY_DIR}/otlp_arrow.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/otlp_arrow.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
