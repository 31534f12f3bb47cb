// ONNX files in and out of the graph structs. Protobuf stays inside onnx_io.cpp, opset.cpp and shape_inference.cpp.
//
// What is refused, each with one error "path: what; what to do": files that are missing, empty, cut short or
// not ONNX; tensors whose sizes do not match their bytes; external data outside the model's folder or past its
// file's end; cycles and inputs that nothing produces; whatever else onnx::checker rejects; operators whose inputs'
// types or shapes contradict each other or the declared outputs (shape_inference.hpp). As Unsupported:
// sub-graphs (If, Loop), model-local functions, sparse tensors, text and sub-byte element types, sequences. No
// allocation is larger than a small multiple of the file and its external data.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "native/graph/graph.hpp"

namespace ouaf::graph {

// A node whose operator ONNX does not know is kept: Network names all operators it cannot run at once.
Graph load_onnx(const std::string& path);

// The same from memory, without external data; label stands for the path in errors.
Graph parse_onnx(std::span<const std::byte> bytes, const std::string& label);

// One tensor in a file of its own, as ONNX's test data are (input_0.pb). name may be empty.
struct NamedTensor {
    std::string name;
    Tensor tensor;
};
NamedTensor load_tensor(const std::string& path);

// The graph as the bytes of an ONNX file, after onnx::checker has passed it; the same graph gives the same
// bytes. Throws where the graph is not valid ONNX.
std::string serialise_onnx(const Graph& graph);

// Written beside the path and renamed over it, so a reader never sees half a file.
void save_onnx(const Graph& graph, const std::string& path);

}  // namespace ouaf::graph
