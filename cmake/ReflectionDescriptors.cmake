# What the gRPC server tells by reflection: src/server/grpc/protos as a google.protobuf.FileDescriptorSet, in the library.
find_program(OTLP_ARROW_PROTOC protoc REQUIRED DOC "The protobuf compiler (Debian: protobuf-compiler)")
set(protos ${PROJECT_SOURCE_DIR}/src/server/grpc/protos)
set(generated ${CMAKE_CURRENT_BINARY_DIR}/grpc_descriptors)
file(MAKE_DIRECTORY ${generated})
file(GLOB_RECURSE proto_files CONFIGURE_DEPENDS RELATIVE ${protos} ${protos}/*.proto)
list(TRANSFORM proto_files PREPEND ${protos}/ OUTPUT_VARIABLE proto_paths)
add_custom_command(
  OUTPUT ${generated}/otlp_grpc_descriptors.inc
  COMMAND ${OTLP_ARROW_PROTOC} -I${protos} --include_imports --descriptor_set_out=${generated}/otlp_grpc_descriptors.bin ${proto_files}
  COMMAND ${CMAKE_COMMAND} -DINPUT=${generated}/otlp_grpc_descriptors.bin -DOUTPUT=${generated}/otlp_grpc_descriptors.inc
          -P ${PROJECT_SOURCE_DIR}/cmake/EmbedDescriptors.cmake
  DEPENDS ${proto_paths} ${PROJECT_SOURCE_DIR}/cmake/EmbedDescriptors.cmake
  VERBATIM)
target_sources(otlp_arrow_server_grpc PRIVATE ${generated}/otlp_grpc_descriptors.inc)
target_include_directories(otlp_arrow_server_grpc PRIVATE ${generated})
