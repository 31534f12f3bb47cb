// Where the subject of a photo is: the bounding boxes of Stanford Dogs.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "native/data/dataset.hpp"

namespace ouaf {

// In shares of the photo's width and height, 0 to 1.
struct Box {
    float left = 0;
    float top = 0;
    float width = 0;
    float height = 0;
};

// The largest object of every photo, from the file Annotation/<class>/<stem> that stands beside Images/<class>/ (XML as
// in PASCAL VOC, https://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/). The coordinates are edges, from 0 to the
// size that the annotation says, whatever the photo's own is; what lies outside is cut off. Nothing for a photo without
// an annotation, without an object in it, or with a file that makes no sense: such files are added to `broken`.
std::vector<std::optional<Box>> read_boxes(const Dataset& data, std::vector<std::filesystem::path>* broken = nullptr);

}  // namespace ouaf
