// See all_cores.hpp.
#include "native/data/all_cores.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace ouaf {

void on_all_cores(std::size_t count, const std::function<Worker()>& make_worker,
                  const std::function<void(std::size_t place)>& done) {
    const std::size_t cores = std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;  // guards failure and the calls of done
    std::exception_ptr failure;
    const auto work = [&] {
        try {
            const Worker worker = make_worker();
            for (std::size_t place = next++; place < count; place = next++) {
                worker(place);
                const std::lock_guard lock(mutex);
                done(place);
            }
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
            next = count;
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < std::min(cores, count); ++i) threads.emplace_back(work);
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace ouaf
