// Many photos through a network on the CPU.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "native/data/dataset.hpp"
#include "native/evaluate/views.hpp"
#include "native/graph/graph.hpp"
#include "shared/preprocess/preprocess.hpp"

namespace ouaf {

enum class Output { logits, features };

struct InferenceResult {
    at::Tensor rows;                     // [photos that could be read, classes or feature width] float32
    std::vector<std::size_t> samples;    // which sample each row is of, ascending
    std::vector<PhotoFailure> failures;  // ascending
    double seconds = 0;                  // reading, decoding and the network
};

// Called from one thread at a time with the number of photos done so far.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

// Every photo through preprocess and the network, `Output::features` without the head. Each processor core works on
// batches of its own, decoding and computing in turn: no core waits for another, where sharing one batch among all
// would end every operator with a wait. A photo that can't be read is a failure, not an error.
InferenceResult infer(const graph::Graph& graph, Output output, const PreprocessSpec& spec,
                      std::span<const Sample> samples, const Progress& progress);

// The same for several views of each photo, which is decoded once: rows are average_views' [photos, classes].
InferenceResult infer_views(const graph::Graph& graph, const PreprocessSpec& spec, Tta tta, double temperature,
                            std::span<const Sample> samples, const Progress& progress);

// `most` of the photos, evenly apart, as the network sees them: [n, 3, size, size]. Those that can't be read are left
// out.
at::Tensor prepared_photos(const PreprocessSpec& spec, std::span<const Sample> samples, std::size_t most);

}  // namespace ouaf
