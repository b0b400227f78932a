# otlp_arrow_find_arrow(<python>...): an Arrow package that CMake finds, else the wheel of pyarrow that the first of these
# interpreters imports. Also installed: a program that links the static library needs the same Arrow.
#
# Sets in the caller's scope OTLP_ARROW_ARROW_LINK (what to link), and where that is the wheel OTLP_ARROW_ARROW_INCLUDE and
# OTLP_ARROW_ARROW_LIBRARY_DIR, or where there is neither OTLP_ARROW_ARROW_ERROR.
function(otlp_arrow_find_arrow)
  unset(OTLP_ARROW_ARROW_INCLUDE PARENT_SCOPE)
  unset(OTLP_ARROW_ARROW_LIBRARY_DIR PARENT_SCOPE)
  unset(OTLP_ARROW_ARROW_LINK PARENT_SCOPE)
  find_package(Arrow CONFIG QUIET)
  if(Arrow_FOUND)
    set(OTLP_ARROW_ARROW_LINK Arrow::arrow_shared PARENT_SCOPE)
    return()
  endif()
  set(error "no interpreter to ask for pyarrow")
  foreach(python ${ARGN})
    execute_process(
      COMMAND ${python} -c "import pyarrow as p; print(p.__version__); print(p.get_include()); print(p.get_library_dirs()[0])"
      OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
    if(failed)
      set(error "${python} cannot import pyarrow")
      continue()
    endif()
    string(REPLACE "\n" ";" found "${found}")
    list(GET found 0 version)
    list(GET found 1 include)
    list(GET found 2 directory)
    if(NOT version MATCHES "^23\\.")
      set(error "pyarrow ${version} of ${python} found, 23.0 wanted: later wheels export opentelemetry-cpp's symbols")
      continue()
    endif()
    message(STATUS "Arrow ${version} from the pyarrow wheel in ${directory}")
    set(OTLP_ARROW_ARROW_LINK ${directory}/libarrow.so.2300 PARENT_SCOPE)
    set(OTLP_ARROW_ARROW_INCLUDE ${include} PARENT_SCOPE)
    set(OTLP_ARROW_ARROW_LIBRARY_DIR ${directory} PARENT_SCOPE)
    return()
  endforeach()
  set(OTLP_ARROW_ARROW_ERROR "Arrow C++ not found: no Arrow package for find_package, and ${error}" PARENT_SCOPE)
endfunction()
