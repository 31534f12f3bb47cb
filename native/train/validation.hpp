// What a network in training is watched by.
#pragma once

#include "native/data/augment.hpp"
#include "native/data/pictures.hpp"
#include "native/evaluate/metrics.hpp"
#include "native/graph/network.hpp"
#include "native/train/processes.hpp"

namespace ouaf {

// How well the network, as in evaluation, knows these pictures; each process looks at some of them, and all are told.
Accuracy measure_pictures(graph::Network& network, const Pictures& pictures, const PictureForm& form,
                          Processes& processes);

}  // namespace ouaf
