// What the trainer thread is asked for and what it answers: plain values, without LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "native/dashboard/session_state.hpp"

namespace ouaf::dashboard {

struct ClassShare {
    std::size_t label = 0;  // a class's place
    double probability = 0;
};

// A photo that was tested.
struct TestedPhoto {
    std::filesystem::path path;
    std::size_t label = 0;
    std::size_t predicted = 0;
    double loss = 0;              // nats
    std::vector<ClassShare> top;  // the likeliest first, five at most
    double label_probability = 0;
};

struct ClassRow {
    std::size_t support = 0;
    std::size_t predicted = 0;
    double precision = 0;
    double recall = 0;
    double f1 = 0;
};

struct ConfusedPair {
    std::size_t first = 0;
    std::size_t second = 0;
    std::size_t first_as_second = 0;
    std::size_t second_as_first = 0;
};

// A run's model on its test photos.
struct Mistakes {
    std::filesystem::path run;
    std::vector<std::string> classes;
    double top1 = 0;  // shares
    double top5 = 0;
    std::vector<std::size_t> confusion;   // [label, predicted]
    std::vector<ClassRow> rows;           // a class each
    std::vector<ConfusedPair> pairs;      // the most confused first
    std::vector<TestedPhoto> photos;      // the greatest loss first
    std::vector<std::string> unreadable;  // "path: cause"

    std::size_t count(std::size_t label, std::size_t predicted) const {
        return confusion[label * classes.size() + predicted];
    }
};

// Where the network looked: class activation mapping, see native/evaluate/activation_map.hpp.
struct HeatMap {
    int side = 0;               // values a side; 0: the network's form has none
    std::vector<float> values;  // 0 to 1, row by row, of the square that the network sees
    float seen = 1;             // that square's side, of the photo's shorter one
};

// One photo, answered.
struct PhotoAnswer {
    std::filesystem::path photo;
    std::filesystem::path run;
    std::vector<std::string> names;  // of the five likeliest classes
    std::vector<ClassShare> top;     // the same
    HeatMap heat;                    // for the likeliest
    bool in_training = false;        // by weights on their way
    std::string error;               // why there is no answer; empty where there is one
};

// The weights of a run in training, written as a bundle.
struct SavedModel {
    std::filesystem::path folder;
    std::string error;
};

struct ChangesRequest {
    std::filesystem::path run;  // whose recipe says the changes
    std::filesystem::path photo;
    std::uint64_t seed = 0;
    int count = 8;
};

// Square pictures of bytes, RGB.
struct ChangedPhoto {
    std::filesystem::path photo;
    std::filesystem::path run;
    std::uint64_t seed = 0;
    int side = 0;
    std::vector<std::vector<std::uint8_t>> pictures;
    std::string error;
};

using Message = std::variant<Status, std::shared_ptr<const Mistakes>, PhotoAnswer, SavedModel, ChangedPhoto>;

}  // namespace ouaf::dashboard
