// One worker a core; each takes the next batch of photos until none is left.
#include "native/evaluate/inference.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include "native/files/files.hpp"
#include "native/graph/network.hpp"

namespace ouaf {
namespace {

constexpr std::size_t batch_size = 16;  // more does not make a core faster: activations leave its cache

// What one worker made of one batch.
struct BatchResult {
    at::Tensor rows;
    std::vector<std::size_t> samples;
    std::vector<PhotoFailure> failures;
};

BatchResult run_batch(graph::Network& network, Output output, const PreprocessSpec& spec,
                      std::span<const Sample> samples, std::size_t first) {
    const std::size_t count = std::min(batch_size, samples.size() - first);
    BatchResult result;
    at::Tensor input = at::empty({static_cast<std::int64_t>(count), 3, spec.size, spec.size});
    for (std::size_t i = first; i < first + count; ++i) {
        float* tensor = input.data_ptr<float>() + result.samples.size() * tensor_size(spec);
        try {
            preprocess(read_file(samples[i].path), spec, {tensor, tensor_size(spec)});
            result.samples.push_back(i);
        } catch (const std::runtime_error& error) {
            result.failures.push_back({i, error.what()});
        }
    }
    if (result.samples.empty()) return result;
    input = input.narrow(0, 0, static_cast<std::int64_t>(result.samples.size()));
    result.rows = output == Output::logits ? network.forward(input) : network.features(input);
    return result;
}

// Concatenates the batches in their order.
InferenceResult collect(std::vector<BatchResult> batches) {
    InferenceResult result;
    std::vector<at::Tensor> rows;
    for (BatchResult& batch : batches) {
        if (batch.rows.defined()) rows.push_back(batch.rows);
        result.samples.insert(result.samples.end(), batch.samples.begin(), batch.samples.end());
        std::move(batch.failures.begin(), batch.failures.end(), std::back_inserter(result.failures));
    }
    if (!rows.empty()) result.rows = at::cat(rows).contiguous();
    return result;
}

}  // namespace

InferenceResult infer(const graph::Graph& graph, Output output, const PreprocessSpec& spec,
                      std::span<const Sample> samples, const Progress& progress) {
    const auto start = std::chrono::steady_clock::now();
    const std::size_t batches = (samples.size() + batch_size - 1) / batch_size;
    const std::size_t workers =
        std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, std::max<std::size_t>(batches, 1));

    std::vector<BatchResult> results(batches);
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;  // guards done, failure and the calls of progress
    std::size_t done = 0;
    std::exception_ptr failure;
    const auto work = [&] {
        try {
            at::set_num_threads(1);
            const c10::InferenceMode inference;
            graph::Network network(graph);
            for (std::size_t b = next++; b < batches; b = next++) {
                results[b] = run_batch(network, output, spec, samples, b * batch_size);
                const std::lock_guard lock(mutex);
                done += results[b].samples.size() + results[b].failures.size();
                if (progress) progress(done, samples.size());
            }
        } catch (...) {
            const std::lock_guard lock(mutex);
            if (!failure) failure = std::current_exception();
            next = batches;
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < workers; ++i) threads.emplace_back(work);
    }
    if (failure) std::rethrow_exception(failure);

    InferenceResult result = collect(std::move(results));
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
}

}  // namespace ouaf
