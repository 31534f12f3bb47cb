// What the two forms of BatchNormalization share: the operator alone, and with what stands around it.
#pragma once

#include "native/graph/op_table.hpp"

namespace ouaf::graph {

// running * momentum + batch * (1 - momentum) into the running mean and variance, inputs 3 and 4; unless this run only
// repeats an earlier one, or there is nothing in the batch.
void keep_statistics(Run& run, const at::Tensor& mean, const at::Tensor& variance, double momentum);

}  // namespace ouaf::graph
