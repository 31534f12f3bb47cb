// See memory_limit.hpp.
#include "native/graph/memory_limit.hpp"

#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

namespace ouaf::graph {

namespace {

thread_local std::int64_t limit = std::numeric_limits<std::int64_t>::max();

// LibTorch's own allocator behind the question whether it may be asked.
class LimitedAllocator final : public c10::Allocator {
 public:
    explicit LimitedAllocator(c10::Allocator* allocator) : allocator_(allocator) {}

    c10::DataPtr allocate(std::size_t bytes) override {
        if (bytes > static_cast<std::size_t>(limit))
            throw std::runtime_error("asks for a tensor of " + std::to_string(bytes) + " bytes; the most here is " +
                                     std::to_string(limit));
        return allocator_->allocate(bytes);
    }
    c10::DeleterFnPtr raw_deleter() const override { return allocator_->raw_deleter(); }
    void copy_data(void* to, const void* from, std::size_t bytes) const override {
        allocator_->copy_data(to, from, bytes);
    }
    bool is_simple_data_ptr(const c10::DataPtr& data) const override { return allocator_->is_simple_data_ptr(data); }

 private:
    c10::Allocator* allocator_;
};

void install() {
    static const bool done = [] {
        static LimitedAllocator limited(c10::GetCPUAllocator());
        c10::SetCPUAllocator(&limited);
        return true;
    }();
    static_cast<void>(done);
}

}  // namespace

MemoryLimit::MemoryLimit(std::int64_t bytes) : outer_(limit) {
    install();
    limit = std::min(limit, bytes);
}

MemoryLimit::~MemoryLimit() { limit = outer_; }

std::int64_t MemoryLimit::bytes() { return limit; }

}  // namespace ouaf::graph
