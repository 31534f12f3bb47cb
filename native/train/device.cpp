// See device.hpp. A machine without a driver is asked for one library and nothing else.
#include "native/train/device.hpp"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace ouaf {
namespace {

// What is missing for a GPU; empty: nothing, and LibTorch's CUDA library is loaded.
std::string missing_for_cuda() {
    using Initialise = int (*)(unsigned);
    void* driver = ::dlopen("libcuda.so.1", RTLD_NOW);
    if (!driver) return std::string("there is no NVIDIA driver (") + ::dlerror() + "); install it";
    const auto initialise = reinterpret_cast<Initialise>(::dlsym(driver, "cuInit"));
    const int error = initialise ? initialise(0) : -1;
    if (error != 0)
        return "the NVIDIA driver finds no GPU (cuInit gives " + std::to_string(error) + "); see what nvidia-smi says";
    Dl_info torch{};
    ::dladdr(reinterpret_cast<const void*>(&at::globalContext), &torch);
    const std::filesystem::path library =
        std::filesystem::path(torch.dli_fname ? torch.dli_fname : "").parent_path() / "libtorch_cuda.so";
    if (!::dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL))
        return std::string("LibTorch's CUDA library can't be loaded (") + ::dlerror() +
               "); install torch with all the packages that its wheel asks for, and build again";
    if (!at::hasCUDA() || at::detail::getCUDAHooks().deviceCount() == 0)
        return library.string() + " finds no GPU that it can use; see what nvidia-smi says";
    return "";
}

}  // namespace

at::Device open_device(DeviceChoice choice, int local_rank) {
    if (choice == DeviceChoice::cpu) return at::kCPU;
    const std::string missing = missing_for_cuda();
    if (!missing.empty()) {
        if (choice == DeviceChoice::automatic) return at::kCPU;
        throw std::runtime_error("--device cuda: " + missing + ", or train with --device cpu");
    }
    const int count = at::detail::getCUDAHooks().deviceCount();
    const at::Device device(at::kCUDA, static_cast<at::DeviceIndex>(local_rank % count));
    c10::impl::VirtualGuardImpl(at::kCUDA).setDevice(device);
    return device;
}

}  // namespace ouaf
