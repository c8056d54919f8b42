# Warnings are errors; sanitizers and frame pointers where asked for.
add_compile_options(-Wall -Wextra -Wpedantic -Wswitch -Werror -fno-omit-frame-pointer)

add_compile_definitions(
  BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_BOOST_REGEX)

find_program(CCACHE ccache)
if(CCACHE)
  # Paths below the source folder don't count, so that another clone finds what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  add_link_options(-fuse-ld=lld)
endif()

if(GANGLION_SANITIZE)
  add_compile_options(-fsanitize=${GANGLION_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GANGLION_SANITIZE})
endif()
if(GANGLION_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
