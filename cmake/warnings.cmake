# Warnings are errors, for the project's own code alone: what it depends on is included as SYSTEM.
add_library(ouaf_warnings INTERFACE)
target_compile_options(ouaf_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
    # False alarms of these compilers about std::string and std::vector (GCC bugs 105329 and 105562).
    target_compile_options(ouaf_warnings INTERFACE -Wno-restrict -Wno-free-nonheap-object)
endif()
