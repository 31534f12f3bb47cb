// The network that a run begins with: one of the builders', or a backbone (or several) with a head for the run's
// classes; and the bundle that it will become.
#pragma once

#include <span>
#include <vector>

#include "native/bundle/model.hpp"
#include "native/train/recipe.hpp"

namespace ouaf {

struct StartingNetwork {
    Model model;                    // the bundle has its classes, architecture, licence and preprocess
    std::size_t known_classes = 0;  // whose rows of the head a backbone had
};

// The data set's ids and English names; names in other languages are those of the same ids in `known`.
std::vector<ClassLabel> labels_of(const std::vector<DatasetClass>& classes, std::span<const ClassLabel> known);

// How a run's network sees photos: as `spec`, its backbone's, but for the recipe's `seen_share`. Throws
// std::runtime_error where that is so little that photos had to become larger than preprocessing makes them.
PreprocessSpec seen_by(const Recipe& recipe, PreprocessSpec spec);

// Bundles of the recipe's backbones. Their classes are replaced; the head is what `recipe` asks for: the rows that the
// backbones have for the same class ids, 1 / k of each of k backbones, and zeros for other classes, or fresh ones.
// Throws std::runtime_error "path: cause" for what is no bundle, and for backbones that see other parts of a photo.
StartingNetwork start_from_backbones(const Recipe& recipe, const std::vector<DatasetClass>& classes);

// A builder's network. `bundle` says how its pictures are prepared; `channels` that they have.
StartingNetwork start_from_scratch(const Recipe& recipe, const std::vector<DatasetClass>& classes,
                                   const PreprocessSpec& preprocess, std::int64_t channels);

}  // namespace ouaf
