// See processes.hpp. The wheel has c10d's headers and all the code, but not gloo's headers: what ProcessGroupGloo.hpp
// names of them is declared here (the files that it includes are empty, see cmake/dependencies.cmake). None of these
// classes is made or called in this file; its own objects hold but pointers to them.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace gloo {

class Context {
 public:
    virtual ~Context();
    void setTimeout(std::chrono::milliseconds timeout);
};

namespace rendezvous {

class Store {
 public:
    virtual ~Store();
    virtual void set(const std::string& key, const std::vector<char>& data) = 0;
    virtual std::vector<char> get(const std::string& key) = 0;
    virtual void wait(const std::vector<std::string>& keys) = 0;
    virtual void wait(const std::vector<std::string>& keys, const std::chrono::milliseconds& timeout);
};

}  // namespace rendezvous

namespace transport {

class Device;

class UnboundBuffer {
 public:
    virtual ~UnboundBuffer();
};

}  // namespace transport

}  // namespace gloo

#define USE_C10D_GLOO
#include <ATen/ATen.h>

#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "native/train/processes.hpp"

namespace ouaf {
namespace {

constexpr std::chrono::minutes meeting_time{5};
constexpr std::chrono::minutes longest_call{30};  // PyTorch's own

std::string text_of(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

int number_of(const char* name, int low, int high) {
    const std::string text = text_of(name);
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < low || number > high)
        throw std::runtime_error(std::string(name) + "='" + text + "': must be a whole number from " +
                                 std::to_string(low) + " to " + std::to_string(high) +
                                 "; it is one of the variables that say which of several processes this is");
    return number;
}

struct Place {
    int rank = 0;
    int count = 1;
    int local_rank = 0;
    std::string address;
    int port = 29500;
};

Place place_in_environment() {
    constexpr int most = 1 << 20;
    const bool named = !text_of("RANK").empty() && !text_of("WORLD_SIZE").empty();
    // A script that Slurm runs without srun has its job's SLURM_NTASKS too, but no step.
    const bool slurm = !named && !text_of("SLURM_STEP_ID").empty() && !text_of("SLURM_PROCID").empty();
    if (!named && !slurm) return {};
    Place place;
    place.count = number_of(named ? "WORLD_SIZE" : "SLURM_NTASKS", 1, most);
    place.rank = number_of(named ? "RANK" : "SLURM_PROCID", 0, place.count - 1);
    if (place.count == 1) return place;
    const char* local = named ? "LOCAL_RANK" : "SLURM_LOCALID";
    if (!text_of(local).empty()) place.local_rank = number_of(local, 0, place.count - 1);
    place.address = text_of("MASTER_ADDR");
    if (place.address.empty())
        throw std::runtime_error("MASTER_ADDR is not set, and this is one of " + std::to_string(place.count) +
                                 " processes; set it to the machine that process 0 runs on");
    if (named || !text_of("MASTER_PORT").empty()) place.port = number_of("MASTER_PORT", 1, 65535);
    return place;
}

// An error's first line: what follows is a library's trace.
std::string cause_of(const std::exception& error) {
    const std::string text = error.what();
    return text.substr(0, text.find('\n'));
}

c10::intrusive_ptr<c10d::Store> meet(const Place& place) {
    // torchrun keeps the store itself; a group that it starts again needs names of its own there.
    const bool kept = text_of("TORCHELASTIC_USE_AGENT_STORE") == "True";
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(place.port);
    options.isServer = place.rank == 0 && !kept;
    options.waitWorkers = false;
    options.timeout = meeting_time;
    auto store = c10::make_intrusive<c10d::TCPStore>(place.address, options);
    return c10::make_intrusive<c10d::PrefixStore>("ouaf" + text_of("TORCHELASTIC_RESTART_COUNT"), std::move(store));
}

c10::intrusive_ptr<c10d::ProcessGroupGloo> connect(const Place& place) {
    const bool here = place.address == "127.0.0.1" || place.address == "localhost" || place.address == "::1";
    const std::string network = text_of("GLOO_SOCKET_IFNAME");
    auto options = c10d::ProcessGroupGloo::Options::create(longest_call);
    options->devices.push_back(!network.empty() ? c10d::ProcessGroupGloo::createDeviceForInterface(network)
                               : here           ? c10d::ProcessGroupGloo::createDeviceForHostname(place.address)
                                                : c10d::ProcessGroupGloo::createDefaultDevice());
    return c10::make_intrusive<c10d::ProcessGroupGloo>(meet(place), place.rank, place.count, options);
}

}  // namespace

struct Processes::State {
    Place place;
    c10::intrusive_ptr<c10d::ProcessGroupGloo> group;

    [[noreturn]] void fail(const std::exception& error) const {
        throw std::runtime_error("process " + std::to_string(place.rank + 1) + " of " + std::to_string(place.count) +
                                 " has lost the others: one of them has ended, and says why, or hangs; start all of "
                                 "them again, with --resume (" +
                                 cause_of(error) + ")");
    }

    void wait(const c10::intrusive_ptr<c10d::Work>& work) const {
        try {
            work->wait();
        } catch (const std::exception& error) {
            fail(error);
        }
    }
};

Processes::Processes() = default;
Processes::Processes(Processes&&) noexcept = default;
Processes& Processes::operator=(Processes&&) noexcept = default;
Processes::~Processes() = default;

Processes Processes::from_environment() {
    Processes processes;
    Place place = place_in_environment();
    if (place.count == 1) return processes;
    try {
        auto group = connect(place);
        processes.state_ = std::make_unique<State>(State{std::move(place), std::move(group)});
    } catch (const std::exception& error) {
        throw std::runtime_error("process " + std::to_string(place.rank + 1) + " of " + std::to_string(place.count) +
                                 " doesn't find the others at " + place.address + ":" + std::to_string(place.port) +
                                 "; are all of them started, and is the port free? (" + cause_of(error) + ")");
    }
    return processes;
}

int Processes::rank() const { return state_ ? state_->place.rank : 0; }
int Processes::count() const { return state_ ? state_->place.count : 1; }
int Processes::local_rank() const { return state_ ? state_->place.local_rank : 0; }

std::function<void()> Processes::start_sum(const at::Tensor& values) {
    if (!state_) return [] {};
    try {
        std::vector<at::Tensor> list{values};
        return [this, work = state_->group->allreduce(list, {})] { state_->wait(work); };
    } catch (const std::exception& error) {
        state_->fail(error);
    }
}

void Processes::sum(const at::Tensor& values) { start_sum(values)(); }

void Processes::take_from_first(const at::Tensor& values) {
    if (!state_) return;
    std::vector<at::Tensor> list{values};
    state_->wait(state_->group->broadcast(list, {}));
}

bool Processes::any(bool here) {
    if (!state_) return here;
    const at::Tensor count = at::full({1}, here ? 1.0 : 0.0, at::kDouble);
    sum(count);
    return count.item<double>() > 0;
}

void Processes::wait_for_all() { any(false); }

}  // namespace ouaf
