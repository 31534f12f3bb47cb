// How busy the machine is: processor, memory and, where NVIDIA's driver answers, its GPU.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace ouaf::dashboard {

struct GpuLoad {
    std::string name;
    double busy = 0;          // share of the time
    double memory = 0;        // bytes in use
    double memory_total = 0;  //
};

struct SystemLoad {
    std::optional<double> processor;  // share of all cores; none in the first call
    double own_memory = 0;            // bytes of this process
    double memory = 0;                // bytes that are not available
    double memory_total = 0;          //
    std::optional<GpuLoad> gpu;       // the first one
};

// Linux's /proc; NVML is loaded at run time. Used by one thread.
class SystemMeter {
 public:
    SystemMeter();
    ~SystemMeter();
    SystemMeter(const SystemMeter&) = delete;
    SystemMeter& operator=(const SystemMeter&) = delete;

    // Since the last call.
    SystemLoad measure();

 private:
    struct Nvml;
    std::uint64_t busy_ = 0;
    std::uint64_t all_ = 0;
    std::unique_ptr<Nvml> nvml_;
};

}  // namespace ouaf::dashboard
