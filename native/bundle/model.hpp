// A model bundle on the disk: a folder with model.json and the network it names.
//
//   Model model = load_model("models/dogs");
//   graph::Network network(model.graph);
#pragma once

#include <filesystem>

#include "native/graph/graph.hpp"
#include "shared/bundle/bundle.hpp"

namespace ouaf {

struct Model {
    Bundle bundle;
    graph::Graph graph;
};

// Reads a bundle and checks that the network's file is the one model.json describes. Its activation map stays in the
// file: the graph has the logits alone.
// Throws std::runtime_error "path: cause; what to do".
Model load_model(const std::filesystem::path& folder);

// Writes a bundle: the graph as it is and its activation map (where it can have one), its size, checksum and self-test
// (computed with LibTorch) into model.json. The folder appears whole or not at all; one that is there is replaced.
void save_model(const std::filesystem::path& folder, Model model);

}  // namespace ouaf
