// The bundle's self-test: every device runs it once and refuses to answer if it computes something else.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "shared/bundle/bundle.hpp"

namespace ouaf {

// The picture's file, from base64. Throws std::runtime_error when the text is not base64.
std::vector<std::uint8_t> golden_picture(const Golden& golden);

// Makes the test's picture (a PNG of gradients and discs, deterministic) and the tensor's checksum; the logits are
// the caller's to fill in.
Golden make_golden(const PreprocessSpec& spec);

// Throws std::runtime_error if the picture's tensor differs by one bit from the one that the bundle was made with.
void check_tensor(const Golden& golden, std::span<const float> tensor);

// Throws std::runtime_error if a logit is further off than logit_tolerance. Networks computed in float32 by different
// libraries agree within 1e-4 of the logits' scale (about 10); a wrong network is off by whole units.
constexpr float logit_tolerance = 1e-2F;
void check_logits(const Golden& golden, std::span<const float> logits);

}  // namespace ouaf
