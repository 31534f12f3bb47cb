#!/usr/bin/env bash
# Installs what a build needs and links it under build/deps/, where CMake looks:
#   Debian's packages, Python environments (LibTorch; ONNX Runtime and the tests' references), npm packages, and four
#   libraries built from source (the image decoders for the machine and for wasm, onnx, Dear ImGui). All but Debian's
#   packages live in a cache folder ($OUAF_CACHE, by default ~/.cache/ouaf) under names that hold versions and flags, so that the next
#   clone finds them; a folder appears under its name only when it is whole.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cache=${OUAF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ouaf}
deps=$root/build/deps
logs=$cache/logs
source "$root/cmake/versions.env"
python=/usr/bin/python3 # the system's: one from elsewhere could vanish under the environments that are made of it

packages=(build-essential ca-certificates catch2 chromium clang-14 clang-format clang-tidy emscripten firefox-esr libclang-rt-14-dev
          libcli11-dev libegl-dev libegl-mesa0 libgl-dev libgl1-mesa-dri libglfw3-dev libprotobuf-dev
          libssl-dev libtomlplusplus-dev nasm ninja-build nlohmann-json3-dev nodejs protobuf-compiler python3 python3-venv
          xauth xvfb zlib1g-dev)

say() { printf 'setup: %s\n' "$*" >&2; }

# Runs a command with its output in a log; shows the log's end if it fails.
quietly() { # quietly NAME COMMAND…
    local log=$logs/$1.log
    shift
    "$@" >"$log" 2>&1 || { tail -n 25 "$log" >&2; say "failed; the whole log: $log"; return 1; }
}

# A cache folder's name: what it is, and a short hash of everything that shapes its content.
key() { printf '%s-%s' "$1" "$(printf '%s\n' "${@:2}" "$(uname -m)" | sha256sum | cut -c1-12)"; }

# Makes $cache/NAME with FUNCTION, which fills the folder it is given, unless it is there already.
provide() { # provide NAME FUNCTION
    local name=$1 work=$cache/.work-$1
    [ -d "$cache/$name" ] && return 0
    say "making $name"
    rm -rf "$work" && mkdir -p "$work"
    local start=$SECONDS
    quietly "$name" "$2" "$work"
    mv "$work" "$cache/$name"
    say "$name took $((SECONDS - start)) s"
}

install_debian_packages() {
    local missing=() name
    for name in "${packages[@]}"; do
        # nodejs may come from elsewhere and bring npm along; Debian's needs npm beside it.
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
    done
    command -v npm >/dev/null || missing+=(npm)
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing Debian packages: ${missing[*]}"
    local sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    quietly apt-update "${sudo[@]}" apt-get update
    quietly apt-install "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

python_with_pip() { PIP_DISABLE_PIP_VERSION_CHECK=1 "$cache/$tools_key/bin/python" -m pip "$@"; }

# A Python environment is bound to its place, so it is made there and marked whole at the end.
make_venv() { # make_venv NAME PIP-ARGUMENTS…
    local name=$1
    shift
    [ -e "$cache/$name/whole" ] && return 0
    say "making $name"
    local start=$SECONDS
    rm -rf "${cache:?}/$name"
    quietly "$name-venv" "$python" -m venv "$cache/$name"
    quietly "$name" "$cache/$name/bin/python" -m pip install --disable-pip-version-check "$@"
    touch "$cache/$name/whole"
    say "$name took $((SECONDS - start)) s"
}

site_packages() { "$cache/$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }

# PyTorch joins the references: the very wheel that the program links to. Python's own start sees to it that it loads.
add_torch() {
    local site stubs=$cache/$reference_key/no-cuda
    [ ! -e "$stubs" ] || return 0
    site=$(site_packages "$reference_key")
    cp "$root/cmake/torch_without_cuda.py" "$site"
    mkdir "$stubs.partial"
    "$cache/$reference_key/bin/python" "$site/torch_without_cuda.py" "$stubs.partial"
    printf '%s\nimport torch_without_cuda\n' "$(site_packages "$torch_key")" >"$site/torch.pth"
    mv "$stubs.partial" "$stubs"
}

# One sdist, unpacked. Its metadata is not built: that would need the package's own build tools.
make_source() { # make_source PACKAGE VERSION FOLDER
    python_with_pip download --no-deps --no-binary "$1" --dest "$3" "$1==$2"
    tar -xzf "$3"/*.tar.gz -C "$3" --strip-components=1
    rm "$3"/*.tar.gz
}
make_opencv_source() { make_source opencv-python-headless "$OPENCV_VERSION" "$1"; }
make_onnx_source() { make_source onnx "$ONNX_VERSION" "$1"; }

make_codecs() { # make_codecs FOLDER CMAKE-ARGUMENTS…
    local folder=$1
    shift
    "$cmake" -G Ninja -S "$root/cmake/codecs" -B "$folder/build" -DCMAKE_BUILD_TYPE=Release \
        -DOPENCV_SOURCE="$cache/$opencv_key/opencv" -DCMAKE_INSTALL_PREFIX="$folder" "$@"
    "$cmake" --build "$folder/build" --target install
    rm -rf "$folder/build"
}
make_codecs_native() { make_codecs "$1"; }
make_codecs_wasm() {
    NODE_PATH=/usr/share/nodejs make_codecs "$1" -DCMAKE_C_FLAGS="$wasm_flags" \
        --toolchain /usr/share/emscripten/cmake/Modules/Platform/Emscripten.cmake
}

make_onnx() {
    "$cmake" -G Ninja -S "$cache/$onnx_source_key" -B "$1/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$1" \
        "${onnx_flags[@]}" -DPython3_EXECUTABLE="$cache/$tools_key/bin/python"
    "$cmake" --build "$1/build" --target install
    rm -rf "$1/build"
}

# Of the bundle's 140 MB only Dear ImGui, ImPlot, the test engine and a font are used: nothing else of it is kept.
make_imgui() {
    mkdir "$1/source"
    make_source imgui-bundle "$IMGUI_BUNDLE_VERSION" "$1/source"
    "$cmake" -G Ninja -S "$root/cmake/imgui" -B "$1/build" -DCMAKE_BUILD_TYPE=Release \
        -DIMGUI_BUNDLE_SOURCE="$1/source" -DCMAKE_INSTALL_PREFIX="$1"
    "$cmake" --build "$1/build" --target install
    rm -rf "$1/build" "$1/source"
}

# ONNX Runtime's wheel has no headers; a Debian release has them. Only that one package is fetched, beside apt's own lists.
make_onnxruntime_headers() {
    local mirror apt=$1/apt
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | grep -m1 '/debian/\?$')
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $ONNXRUNTIME_HEADERS_SUITE main" >"$apt/sources.list"
    local options=(-o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
                   -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    (cd "$1" && apt-get "${options[@]}" download libonnxruntime-dev)
    dpkg-deb -x "$1"/libonnxruntime-dev_*.deb "$apt/unpacked"
    mv "$apt/unpacked/usr/include/onnxruntime" "$1/include"
    rm -rf "$apt" "$1"/*.deb
}

make_node_modules() {
    npm install --prefix "$1" --no-save --no-audit --no-fund --ignore-scripts "${node_packages[@]}"
}

link() { ln -sfn "$1" "$deps/$2"; }

# Everything that shapes the result: when it is what the links were made from, there is nothing to do.
stamp=$(cat "$root/cmake/versions.env" "$root/cmake/setup.sh" "$root/cmake/codecs/CMakeLists.txt" \
    "$root/cmake/imgui/CMakeLists.txt" "$root/cmake/torch_without_cuda.py" <(echo "$cache") | sha256sum)
[ "$(cat "$deps/stamp" 2>/dev/null)" = "$stamp" ] && [ -z "$(find "$deps" -xtype l)" ] && exit 0

mkdir -p "$cache" "$logs" "$deps"
exec 9>"$cache/lock"
flock -n 9 || { say "waiting for another set-up on this machine"; flock 9; }
began=$SECONDS

install_debian_packages
wasm_flags="-O3 -msimd128"
# Without NDEBUG, protobuf's accessors check their places: what a hostile file makes onnx's shape inference read out of range
# is an exception.
onnx_flags=(-DCMAKE_CXX_FLAGS_RELEASE=-O3 -DONNX_BUILD_PYTHON=OFF -DONNX_USE_PROTOBUF_SHARED_LIBS=OFF -DBUILD_SHARED_LIBS=OFF -DONNX_VERIFY_PROTO3=OFF
            -DONNX_HARDENING=OFF -DONNX_WERROR=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON)
python_version=$("$python" -c 'import sys; print(sys.version)')
tools_key=$(key tools "$CMAKE_VERSION" "$python_version" "$cache")
torch_packages=("torch==$TORCH_VERSION" "nvidia-cuda-runtime==$CUDA_RUNTIME_VERSION" "nvidia-cuda-cupti==$CUDA_CUPTI_VERSION")
torch_key=$(key torch "${torch_packages[@]}" "$python_version" "$cache")
reference_packages=("numpy==$NUMPY_VERSION" "pillow==$PILLOW_VERSION" "onnxruntime==$ONNXRUNTIME_VERSION" "onnx==$ONNX_VERSION"
                    "ml_dtypes==$ML_DTYPES_VERSION" "protobuf==$PROTOBUF_VERSION" "typing_extensions==$TYPING_EXTENSIONS_VERSION"
                    "torchvision==$TORCHVISION_VERSION" "timm==$TIMM_VERSION" "onnxscript==$ONNXSCRIPT_VERSION"
                    "onnx-ir==$ONNX_IR_VERSION" "filelock==$FILELOCK_VERSION" "fsspec==$FSSPEC_VERSION" "jinja2==$JINJA2_VERSION"
                    "markupsafe==$MARKUPSAFE_VERSION" "mpmath==$MPMATH_VERSION" "networkx==$NETWORKX_VERSION"
                    "packaging==$PACKAGING_VERSION" "pyyaml==$PYYAML_VERSION" "sympy==$SYMPY_VERSION"
                    "tensorboard==$TENSORBOARD_VERSION" "absl-py==$ABSL_VERSION")
reference_key=$(key reference "${reference_packages[@]}" "$torch_key" "$(cat "$root/cmake/torch_without_cuda.py")" "$python_version" "$cache")
opencv_key=$(key opencv-source "$OPENCV_VERSION")
onnx_source_key=$(key onnx-source "$ONNX_VERSION")
codecs_rules=$(cat "$root/cmake/codecs/CMakeLists.txt")
codecs_key=$(key codecs "$OPENCV_VERSION" "$codecs_rules")
codecs_wasm_key=$(key codecs-wasm "$OPENCV_VERSION" "$codecs_rules" "$wasm_flags")
onnx_key=$(key onnx "$ONNX_VERSION" "${onnx_flags[@]}")
imgui_key=$(key imgui "$IMGUI_BUNDLE_VERSION" "$(cat "$root/cmake/imgui/CMakeLists.txt")")
headers_key=$(key onnxruntime-headers "$ONNXRUNTIME_HEADERS_SUITE")
node_packages=("onnxruntime-web@$ONNXRUNTIME_WEB_VERSION" "playwright-core@$PLAYWRIGHT_CORE_VERSION" "puppeteer-core@$PUPPETEER_CORE_VERSION"
               "typescript@$TYPESCRIPT_VERSION" "@types/node@$TYPES_NODE_VERSION"
               "axe-core@$AXE_CORE_VERSION")
node_key=$(key node "${node_packages[@]}")
cmake=$cache/$tools_key/bin/cmake

make_venv "$tools_key" "cmake==$CMAKE_VERSION"
# What only waits for the network runs beside what only needs the processor.
(
    make_venv "$torch_key" --no-deps "${torch_packages[@]}"
    make_venv "$reference_key" --no-deps "${reference_packages[@]}"
    add_torch
    provide "$node_key" make_node_modules
    provide "$headers_key" make_onnxruntime_headers
) &
downloads=$!
provide "$onnx_source_key" make_onnx_source
provide "$onnx_key" make_onnx
provide "$opencv_key" make_opencv_source
provide "$codecs_key" make_codecs_native
provide "$codecs_wasm_key" make_codecs_wasm
provide "$imgui_key" make_imgui
wait "$downloads"

torch=$(site_packages "$torch_key")
link "$cache/$tools_key/bin" tools
link "$cache/$reference_key" python
link "$torch/torch" torch
link "$torch/nvidia" nvidia
rm -rf "$deps/onnxruntime" && mkdir "$deps/onnxruntime"
link "$(site_packages "$reference_key")/onnxruntime/capi/libonnxruntime.so.$ONNXRUNTIME_VERSION" onnxruntime/libonnxruntime.so.1 # its soname
link "$cache/$headers_key/include" onnxruntime/include
link "$cache/$onnx_key" onnx
link "$cache/$codecs_key" codecs
link "$cache/$codecs_wasm_key" codecs-wasm
link "$cache/$imgui_key" imgui
link "$cache/$node_key/node_modules" node_modules
printf '%s\n' "$stamp" >"$deps/stamp"
say "everything is there after $((SECONDS - began)) s"
