// From a trained graph to the graph that is written for others to run.
//
//     Exported exported = export_graph(graph, {.weights = WeightStorage::int8});
//     save_onnx(exported.graph, "model.onnx");
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

enum class WeightStorage {
    float32,
    float16,  // half the bytes, computed in float32: see half_precision.hpp
    int8,     // a quarter, with a scale a channel: see quantise.hpp
};

struct ExportOptions {
    WeightStorage weights = WeightStorage::float32;
    bool fold_batch_norms = true;
    // The opset of the result. Without one it is 17 (read by every ONNX Runtime since 1.12), or the nearest to it,
    // going towards the graph's own, that has all of its operators with their meaning.
    std::optional<std::int64_t> opset{};
    std::map<std::string, std::string> metadata{};  // added to the graph's own
};

struct Exported {
    Graph graph;         // weights stored as asked for
    Graph with_float32;  // the same before that, where the storage is another; else empty
    std::string done;    // "opset 17, 2 dropouts removed, 20 batch norms folded, weights float32"
};

// The graph must be canonical. The result computes what the graph computes in evaluation mode, up to the rounding of
// folded weights and of their storage: it passes ONNX's checker and shape inference, canonicalise gives its weights
// back as float32, and `done` also stands in its metadata as "ouaf.export". Throws where the asked-for opset cannot
// hold the graph, naming every operator that is in the way, and where the result is not valid ONNX.
Exported export_graph(Graph graph, const ExportOptions& options);

// Dropout does nothing in evaluation mode. Removes those whose mask nobody reads; returns how many.
int remove_dropout(Graph& graph);

}  // namespace ouaf::graph
