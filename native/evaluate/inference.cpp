// One worker a core; each takes the next batch of photos until none is left.
#include "native/evaluate/inference.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "native/data/all_cores.hpp"
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

// From images [photos, views, 3, size, size] to a row a photo.
using Compute = std::function<at::Tensor(graph::Network& network, const at::Tensor& images)>;

BatchResult run_batch(graph::Network& network, const Compute& compute, const PreprocessSpec& spec, Tta tta,
                      std::span<const Sample> samples, std::size_t first) {
    BatchResult result;
    at::Tensor images =
        at::empty({static_cast<std::int64_t>(samples.size()), view_count(tta), 3, spec.size, spec.size});
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const auto place = static_cast<std::int64_t>(result.samples.size());
        try {
            write_views(decode(read_file(samples[i].path), spec.resize), spec, tta, images[place]);
            result.samples.push_back(first + i);
        } catch (const std::runtime_error& error) {
            result.failures.push_back({first + i, error.what()});
        }
    }
    if (result.samples.empty()) return result;
    images = images.narrow(0, 0, static_cast<std::int64_t>(result.samples.size()));
    result.rows = compute(network, images);
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

InferenceResult infer_all(const graph::Graph& graph, const Compute& compute, const PreprocessSpec& spec, Tta tta,
                          std::span<const Sample> samples, const Progress& progress) {
    check_spec(spec);
    const auto start = std::chrono::steady_clock::now();
    const std::size_t photos = std::max<std::size_t>(batch_size / static_cast<std::size_t>(view_count(tta)), 1);
    const std::size_t batches = (samples.size() + photos - 1) / photos;
    const auto count_of = [&](std::size_t batch) { return std::min(photos, samples.size() - batch * photos); };

    std::vector<BatchResult> results(batches);
    const auto make_worker = [&]() -> Worker {
        at::set_num_threads(1);
        const c10::InferenceMode inference;
        const auto network = std::make_shared<graph::Network>(graph);
        return [&, network](std::size_t batch) {
            const c10::InferenceMode still;
            const std::size_t first = batch * photos;
            results[batch] = run_batch(*network, compute, spec, tta, samples.subspan(first, count_of(batch)), first);
        };
    };
    std::size_t done = 0;
    on_all_cores(batches, make_worker, [&](std::size_t batch) {
        done += count_of(batch);
        if (progress) progress(done, samples.size());
    });

    InferenceResult result = collect(std::move(results));
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
}

}  // namespace

InferenceResult infer(const graph::Graph& graph, Output output, const PreprocessSpec& spec,
                      std::span<const Sample> samples, const Progress& progress) {
    const auto compute = [output](graph::Network& network, const at::Tensor& images) {
        return output == Output::logits ? network.forward(images.select(1, 0)) : network.features(images.select(1, 0));
    };
    return infer_all(graph, compute, spec, Tta::none, samples, progress);
}

InferenceResult infer_views(const graph::Graph& graph, const PreprocessSpec& spec, Tta tta, double temperature,
                            std::span<const Sample> samples, const Progress& progress) {
    const auto compute = [temperature](graph::Network& network, const at::Tensor& images) {
        const at::Tensor logits = network.forward(images.flatten(0, 1));
        return average_views(logits.unflatten(0, {images.size(0), images.size(1)}), temperature);
    };
    return infer_all(graph, compute, spec, tta, samples, progress);
}

at::Tensor prepared_photos(const PreprocessSpec& spec, std::span<const Sample> samples, std::size_t most) {
    const std::size_t count = std::min(most, samples.size());
    std::vector<at::Tensor> photos;
    for (std::size_t i = 0; i < count; ++i) {
        at::Tensor photo = at::empty({3, spec.size, spec.size});
        try {
            preprocess(read_file(samples[i * samples.size() / count].path), spec,
                       {photo.mutable_data_ptr<float>(), static_cast<std::size_t>(photo.numel())});
        } catch (const std::runtime_error&) {
            continue;
        }
        photos.push_back(std::move(photo));
    }
    return photos.empty() ? at::empty({0, 3, spec.size, spec.size}) : at::stack(photos);
}

}  // namespace ouaf
