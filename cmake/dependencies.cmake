# Imported targets for what cmake/setup.sh linked under build/deps/.
set(deps ${CMAKE_SOURCE_DIR}/build/deps)
if(NOT EXISTS ${deps}/stamp)
    message(FATAL_ERROR "build/deps is not there: run ./run setup first")
endif()

# Another set-up means other places: configure again.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${deps}/stamp)

# One static or shared library, with its headers included as SYSTEM.
function(import_library name location include)
    add_library(${name} UNKNOWN IMPORTED)
    set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${location} INTERFACE_INCLUDE_DIRECTORIES "${include}"
                                             INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${include}")
endfunction()

if(EMSCRIPTEN)
    set(codecs ${deps}/codecs-wasm)
else()
    set(codecs ${deps}/codecs)
endif()
foreach(codec jpeg png webp z)
    import_library(codecs::${codec} ${codecs}/lib/lib${codec}.a ${codecs}/include)
endforeach()
target_link_libraries(codecs::png INTERFACE codecs::z)

# nlohmann-json is headers alone: Debian's serve wasm too, where its folder as a whole must stay out of the search path.
add_library(ouaf_json INTERFACE)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/json)
file(CREATE_LINK /usr/include/nlohmann ${CMAKE_BINARY_DIR}/json/nlohmann SYMBOLIC)
target_include_directories(ouaf_json SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/json)
if(EMSCRIPTEN)
    return()
endif()

find_package(Threads REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Catch2 2 REQUIRED)

# LibTorch is the wheel's libraries. Its CMake package asks for a CUDA toolkit, so they are linked by hand; the wheel's
# libtorch_cpu.so links to parts of CUDA that lie in other wheels.
set(OUAF_TORCH ${deps}/torch CACHE PATH "the folder of a torch wheel; what it needs of nvidia's lies beside it")
file(REAL_PATH ${OUAF_TORCH} torch)
file(REAL_PATH ${torch}/../nvidia nvidia)
file(GLOB cuda_libraries ${nvidia}/*/lib ${nvidia}/*/*/lib)
add_library(ouaf::torch INTERFACE IMPORTED)
target_include_directories(ouaf::torch SYSTEM INTERFACE ${torch}/include ${torch}/include/torch/csrc/api/include)
target_link_libraries(ouaf::torch INTERFACE ${torch}/lib/libtorch_cpu.so ${torch}/lib/libc10.so Threads::Threads)
# at::parallel_for is a template that runs on one thread where OpenMP is off. The wheel brings GCC's runtime along, which
# has to be the only one in the program.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND EXISTS ${torch}/lib/libgomp.so.1)
    target_compile_options(ouaf::torch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)
    target_link_libraries(ouaf::torch INTERFACE ${torch}/lib/libgomp.so.1)
endif()
# c10d's header of gloo includes gloo's, which the wheel lacks; native/train/processes.cpp says what it needs of them.
foreach(header algorithm common/error context rendezvous/store transport/device)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/gloo/gloo/${header}.h CONTENT "")
endforeach()
set(rpath ${torch}/lib ${cuda_libraries})
list(TRANSFORM rpath PREPEND "-Wl,-rpath,")
target_link_options(ouaf::torch INTERFACE -Wl,--allow-shlib-undefined ${rpath})

# onnx over Debian's protobuf. Its headers and torch's must never meet in one file: torch carries another protobuf.
find_package(Protobuf REQUIRED)
find_library(protobuf_archive libprotobuf.a REQUIRED)
import_library(onnx_proto ${deps}/onnx/lib/libonnx_proto.a "${deps}/onnx/include")
import_library(ouaf::onnx ${deps}/onnx/lib/libonnx.a "${deps}/onnx/include;${Protobuf_INCLUDE_DIRS}")
target_compile_definitions(ouaf::onnx INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
target_compile_options(ouaf::onnx INTERFACE -UNDEBUG) # as onnx itself is compiled, see setup.sh
target_link_libraries(ouaf::onnx INTERFACE onnx_proto ${protobuf_archive} ZLIB::ZLIB)
find_package(ZLIB REQUIRED)

# ONNX Runtime out of its wheel, with a Debian release's headers.
import_library(ouaf::onnxruntime ${deps}/onnxruntime/libonnxruntime.so.1 ${deps}/onnxruntime/include)
target_link_options(ouaf::onnxruntime INTERFACE -Wl,-rpath,${deps}/onnxruntime)

# Dear ImGui and ImPlot, see cmake/imgui/CMakeLists.txt.
find_package(glfw3 REQUIRED)
find_package(OpenGL REQUIRED COMPONENTS OpenGL EGL)
add_library(imgui::headers INTERFACE IMPORTED)
target_include_directories(imgui::headers SYSTEM INTERFACE ${deps}/imgui/include)
target_compile_definitions(imgui::headers INTERFACE IMGUI_DISABLE_OBSOLETE_FUNCTIONS IMGUI_DISABLE_DEMO_WINDOWS)
import_library(imgui::imgui ${deps}/imgui/lib/libimgui.a ${deps}/imgui/include)
import_library(imgui::tested ${deps}/imgui/lib/libimgui_tested.a ${deps}/imgui/include)
foreach(flavour imgui tested)
    target_link_libraries(imgui::${flavour} INTERFACE imgui::headers glfw ${CMAKE_DL_LIBS})
endforeach()
target_compile_definitions(imgui::tested INTERFACE IMGUI_ENABLE_TEST_ENGINE IMGUI_TEST_ENGINE_ENABLE_STD_FUNCTION=1
    IMGUI_TEST_ENGINE_ENABLE_COROUTINE_STDTHREAD_IMPL=1 IMGUI_TEST_ENGINE_ENABLE_CAPTURE=0)
