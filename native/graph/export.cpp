// See export.hpp.
#include "native/graph/export.hpp"

#include <algorithm>

#include "native/graph/batch_norm.hpp"
#include "native/graph/canonicalise.hpp"
#include "native/graph/half_precision.hpp"
#include "native/graph/opset.hpp"
#include "native/graph/quantise.hpp"
#include "native/graph/shape_inference.hpp"

namespace ouaf::graph {

namespace {

constexpr std::int64_t usual_opset = 17;

// The oldest IR version that is defined with the opset: a runtime refuses newer ones than its own.
// https://github.com/onnx/onnx/blob/main/docs/Versioning.md
std::int64_t ir_version_of(std::int64_t opset) {
    if (opset <= 14) return 7;
    if (opset <= 18) return 8;
    if (opset <= 20) return 9;
    if (opset <= 22) return 10;
    if (opset == 23) return 11;
    return opset == 24 ? 12 : 13;
}

void set_opset(Graph& graph, const std::optional<std::int64_t>& wanted) {
    if (!wanted) {
        const auto target = std::clamp(usual_opset, oldest_target_opset, newest_target_opset());
        move_near_opset(graph, target);
    } else if (*wanted < oldest_target_opset || *wanted > newest_target_opset()) {
        fail(graph, "opset " + std::to_string(*wanted) + " is not supported; give one from " +
                        std::to_string(oldest_target_opset) + " to " + std::to_string(newest_target_opset()));
    } else if (const auto obstacles = move_to_opset(graph, *wanted); !obstacles.empty()) {
        std::string list;
        for (const auto& [op, count] : obstacles)
            list += (list.empty() ? "" : ", ") + op + " (" + std::to_string(count) + ")";
        fail(graph, "opset " + std::to_string(*wanted) + " has no such " + list + " as this graph of opset " +
                        std::to_string(standard_opset(graph)) + "; leave the opset out for the nearest one");
    }
    graph.ir_version = ir_version_of(standard_opset(graph));
}

std::string counted(int count, const std::string& what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace

int remove_dropout(Graph& graph) {
    const auto uses = use_counts(graph.nodes, graph.outputs);
    int removed = 0;
    for (Node& node : graph.nodes) {
        if (node.op != "Dropout" || !node.domain.empty()) continue;
        if (node.outputs.size() > 1 && uses.contains(node.outputs[1])) continue;
        node = {"Identity", "", node.name, {node.inputs.at(0)}, {node.outputs.at(0)}, {}};
        ++removed;
    }
    if (removed > 0) canonicalise(graph);
    return removed;
}

Exported export_graph(Graph graph, const ExportOptions& options) {
    Exported exported;
    std::vector<std::string> done;
    if (const int dropouts = remove_dropout(graph); dropouts > 0)
        done.push_back(counted(dropouts, "dropout") + " removed");
    if (options.fold_batch_norms) {
        const FoldedBatchNorms norms = fold_batch_norms(graph);
        if (norms.folded > 0) done.push_back(counted(norms.folded, "batch norm") + " folded");
        if (norms.kept > 0) done.push_back(counted(norms.kept, "batch norm") + " kept");
    }
    set_opset(graph, options.opset);
    done.insert(done.begin(), "opset " + std::to_string(standard_opset(graph)));
    for (const auto& [key, value] : options.metadata) graph.metadata[key] = value;

    if (options.weights != WeightStorage::float32) exported.with_float32 = graph;
    switch (options.weights) {
        case WeightStorage::float32: done.push_back("weights float32"); break;
        case WeightStorage::float16: done.push_back(counted(store_as_float16(graph), "weight") + " as float16"); break;
        case WeightStorage::int8:
            if (standard_opset(graph) < oldest_target_opset)
                fail(graph, "int8 weights need opset 13, which does not have all operators of this graph of opset " +
                                std::to_string(standard_opset(graph)) +
                                "; use float16 weights, or export the network with opset 13 or newer");
            quantise_weights(graph);
            done.push_back("weights int8 a channel");
    }
    for (const std::string& each : done) exported.done += (exported.done.empty() ? "" : ", ") + each;
    graph.metadata["ouaf.export"] = exported.done;
    declare_outputs(graph);
    exported.graph = std::move(graph);
    return exported;
}

}  // namespace ouaf::graph
