// Several processes that train one network together, as torchrun or Slurm's srun start them, or by hand:
//
//     RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29500 ouaf train …      # and the same with RANK=1
//
//     Processes processes = Processes::from_environment();
//     processes.sum(gradient);   // every process calls the same functions in the same order
//
// They meet by c10d's TCPStore and send each other tensors by its gloo, both in LibTorch; sums are the same on all
// processes, to the bit. What one of them throws ends the others too: their next call throws.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

namespace ouaf {

class Processes {
 public:
    // This one alone: nothing is ever sent.
    Processes();

    // Reads RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT as PyTorch's env:// does, or the SLURM_ names of
    // a task that srun started (and 29500 where no port is said). Without them, or where there is one process: alone.
    // Waits until all are there. Throws std::runtime_error for variables that make no sense, and where the others don't
    // come within five minutes.
    static Processes from_environment();

    Processes(Processes&&) noexcept;
    Processes& operator=(Processes&&) noexcept;
    ~Processes();

    int rank() const;        // from 0
    int count() const;       // of processes
    int local_rank() const;  // from 0 on each machine
    bool alone() const { return count() == 1; }
    bool first() const { return rank() == 0; }

    // All of these throw std::runtime_error where another process has ended, or does not call within half an hour.
    // Tensors are contiguous, on the CPU, of the same type and sizes everywhere, and changed in place.

    void sum(const at::Tensor& values);
    // What is returned waits for the sum; until then the values are left alone.
    std::function<void()> start_sum(const at::Tensor& values);
    void take_from_first(const at::Tensor& values);
    bool any(bool here);
    void wait_for_all();

 private:
    struct State;
    std::unique_ptr<State> state_;  // none: alone
};

}  // namespace ouaf
