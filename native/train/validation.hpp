// What a network in training is watched by.
#pragma once

#include "native/data/augment.hpp"
#include "native/data/pictures.hpp"
#include "native/evaluate/metrics.hpp"
#include "native/graph/network.hpp"
#include "native/train/processes.hpp"

namespace ouaf {

// What the network, as in evaluation, says of these pictures: logits [n, classes]; each process looks at some of them,
// and all are told.
at::Tensor answer_pictures(graph::Network& network, const Pictures& pictures, const PictureForm& form,
                           Processes& processes);

// How well it knows them.
Accuracy measure_pictures(graph::Network& network, const Pictures& pictures, const PictureForm& form,
                          Processes& processes);

}  // namespace ouaf
