// See system_load.hpp.
#include "native/dashboard/system_load.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>

namespace ouaf::dashboard {
namespace {

double field_of(const char* file, const std::string& name) {
    std::ifstream lines(file);
    std::string word;
    while (lines >> word) {
        if (word == name) {
            double value = 0;
            lines >> value;
            return value * 1024;  // the kernel says kB
        }
        std::getline(lines, word);
    }
    return 0;
}

}  // namespace

// NVIDIA's management library, as its documentation declares the few functions that are used.
struct SystemMeter::Nvml {
    struct Utilisation {
        unsigned gpu = 0;  // percent
        unsigned memory = 0;
    };
    struct Memory {
        unsigned long long total = 0;
        unsigned long long free = 0;
        unsigned long long used = 0;
    };

    Nvml() : library(::dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL)) {
        if (!library || function<int (*)()>("nvmlInit_v2")() != 0) return;
        if (function<int (*)(unsigned, void**)>("nvmlDeviceGetHandleByIndex_v2")(0, &device) != 0) device = nullptr;
    }
    ~Nvml() {
        if (library) ::dlclose(library);
    }
    Nvml(const Nvml&) = delete;
    Nvml& operator=(const Nvml&) = delete;

    template <class Function>
    Function function(const char* name) const {
        return reinterpret_cast<Function>(::dlsym(library, name));
    }

    std::optional<GpuLoad> measure() const {
        if (!device) return std::nullopt;
        std::array<char, 96> name{};
        Utilisation busy;
        Memory memory;
        function<int (*)(void*, char*, unsigned)>("nvmlDeviceGetName")(device, name.data(), name.size());
        function<int (*)(void*, Utilisation*)>("nvmlDeviceGetUtilizationRates")(device, &busy);
        function<int (*)(void*, Memory*)>("nvmlDeviceGetMemoryInfo")(device, &memory);
        return GpuLoad{name.data(), busy.gpu / 100.0, static_cast<double>(memory.used),
                       static_cast<double>(memory.total)};
    }

    void* library;
    void* device = nullptr;
};

SystemMeter::SystemMeter() : nvml_(std::make_unique<Nvml>()) {}

SystemMeter::~SystemMeter() = default;

SystemLoad SystemMeter::measure() {
    SystemLoad load;
    std::ifstream stat("/proc/stat");
    std::string word;
    std::array<std::uint64_t, 8> ticks{};  // user, nice, system, idle, iowait, irq, softirq, steal
    stat >> word;
    std::uint64_t all = 0;
    for (std::uint64_t& tick : ticks) {
        stat >> tick;
        all += tick;
    }
    const std::uint64_t busy = all - ticks[3] - ticks[4];
    if (all > all_ && all_ > 0) load.processor = static_cast<double>(busy - busy_) / static_cast<double>(all - all_);
    busy_ = busy;
    all_ = all;
    load.memory_total = field_of("/proc/meminfo", "MemTotal:");
    load.memory = load.memory_total - field_of("/proc/meminfo", "MemAvailable:");
    load.own_memory = field_of("/proc/self/status", "VmRSS:");
    load.gpu = nvml_->measure();
    return load;
}

}  // namespace ouaf::dashboard
