// Where a network is trained: the processor, or a GPU.
//
// The program links LibTorch's CPU library alone. Its CUDA library, in the same folder where the wheel has it, is
// loaded while the program runs, and only where an NVIDIA driver answers: one binary serves machines with and without a
// GPU.
#pragma once

#include <c10/core/Device.h>

namespace ouaf {

enum class DeviceChoice { automatic, cpu, cuda };  // automatic: a GPU where there is one

// Of several GPUs process `local_rank` of this machine takes its own. Throws std::runtime_error that says what is
// missing where `cuda` is chosen and can't be had.
at::Device open_device(DeviceChoice choice, int local_rank);

}  // namespace ouaf
