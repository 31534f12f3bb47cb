// See pixel_set.hpp. IDX: http://yann.lecun.com/exdb/mnist/; CIFAR-10: https://www.cs.toronto.edu/~kriz/cifar.html
#include "native/data/pixel_set.hpp"

#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>

#include "native/files/files.hpp"
#include "shared/preprocess/decode.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace ouaf {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

[[noreturn]] void fail(const fs::path& path, const std::string& cause) {
    throw std::runtime_error(path.string() + ": " + cause + "; fetch the data set again");
}

// An IDX file of unsigned bytes: what follows its head, and its sizes.
struct Idx {
    std::vector<std::int64_t> sizes;
    Bytes values;
};

Idx read_idx(const fs::path& path, std::size_t axes) {
    Bytes bytes = read_file(path);
    const std::size_t head = 4 + 4 * axes;
    if (bytes.size() < head || bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 8 || bytes[3] != axes)
        fail(path, "not an IDX file of bytes with " + std::to_string(axes) + " axes");
    Idx idx;
    std::uint64_t count = 1;
    for (std::size_t axis = 0; axis < axes; ++axis) {
        std::uint32_t size = 0;
        for (std::size_t i = 0; i < 4; ++i) size = size << 8 | bytes[4 + 4 * axis + i];
        idx.sizes.push_back(size);
        if (size != 0 && count > std::numeric_limits<std::uint64_t>::max() / size) fail(path, "says it is endless");
        count *= size;
    }
    if (bytes.size() - head != count)
        fail(path, "holds " + std::to_string(bytes.size() - head) + " values and says " + std::to_string(count));
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(head));
    idx.values = std::move(bytes);
    return idx;
}

void check_labels(const PixelSet& set, const fs::path& path) {
    for (const std::int64_t label : set.labels)
        if (label < 0 || label >= static_cast<std::int64_t>(set.classes.size()))
            fail(path, "has the label " + std::to_string(label));
}

PixelSet read_mnist(const fs::path& folder, Split split) {
    const std::string stem = split == Split::train ? "train" : "t10k";
    const fs::path labels_path = folder / (stem + "-labels-idx1-ubyte");
    Idx images = read_idx(folder / (stem + "-images-idx3-ubyte"), 3);
    const Idx labels = read_idx(labels_path, 1);
    if (labels.sizes[0] != images.sizes[0])
        fail(labels_path,
             "has " + std::to_string(labels.sizes[0]) + " labels for " + std::to_string(images.sizes[0]) + " pictures");
    PixelSet set{1, images.sizes[1], images.sizes[2], std::move(images.values), {}, {}};
    set.labels.assign(labels.values.begin(), labels.values.end());
    for (const char digit : std::string("0123456789")) set.classes.push_back(class_of_folder(std::string(1, digit)));
    check_labels(set, labels_path);
    return set;
}

PixelSet empty_cifar() {
    PixelSet set{3, 32, 32, {}, {}, {}};
    for (const char* name : {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"})
        set.classes.push_back(class_of_folder(name));
    return set;
}

std::vector<std::string> cifar_batches(Split split) {
    if (split == Split::test) return {"test_batch"};
    std::vector<std::string> batches;
    for (int i = 1; i <= 5; ++i) batches.push_back("data_batch_" + std::to_string(i));
    return batches;
}

// A picture is its label and then its red, green and blue plane.
PixelSet read_cifar_binary(const fs::path& folder, Split split) {
    constexpr std::size_t plane = std::size_t{32} * 32;
    constexpr std::size_t record = 1 + 3 * plane;
    PixelSet set = empty_cifar();
    for (const std::string& batch : cifar_batches(split)) {
        const fs::path path = folder / (batch + ".bin");
        const Bytes bytes = read_file(path);
        if (bytes.empty() || bytes.size() % record != 0) fail(path, "not a whole number of CIFAR-10 pictures");
        for (std::size_t at = 0; at < bytes.size(); at += record) {
            set.labels.push_back(bytes[at]);
            for (std::size_t pixel = 0; pixel < plane; ++pixel)
                for (std::size_t channel = 0; channel < 3; ++channel)
                    set.pixels.push_back(bytes[at + 1 + channel * plane + pixel]);
        }
        check_labels(set, path);
    }
    return set;
}

PixelSet read_cifar_png(const fs::path& folder, Split split) {
    PixelSet set = empty_cifar();
    for (const std::string& batch : cifar_batches(split)) {
        const fs::path path = folder / (batch + ".png");
        Image image;
        try {
            image = decode(read_file(path), std::numeric_limits<int>::max()).image;
        } catch (const PhotoError& error) {
            fail(path, error.what());
        }
        if (image.width != 32 * 32) fail(path, "its rows are not pictures of 32 x 32 pixels");
        set.pixels.insert(set.pixels.end(), image.rgb.begin(), image.rgb.end());
    }
    // The package spells it so.
    const fs::path path = folder / (split == Split::train ? "train_lables.json" : "test_lables.json");
    const Bytes text = read_file(path);
    const auto labels = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    const std::size_t pictures = set.pixels.size() / (std::size_t{32} * 32 * 3);
    if (!labels.is_array() || labels.size() != pictures)
        fail(path, "not a list of " + std::to_string(pictures) + " labels");
    for (const auto& label : labels) set.labels.push_back(label.is_number_integer() ? label.get<std::int64_t>() : -1);
    check_labels(set, path);
    return set;
}

}  // namespace

std::optional<PixelSet> open_pixel_set(const fs::path& root, Split split) {
    if (split == Split::validation) return std::nullopt;
    for (const fs::path& folder : {root, root / "data"}) {
        if (fs::exists(folder / "train-images-idx3-ubyte")) return read_mnist(folder, split);
        if (fs::exists(folder / "data_batch_1.bin")) return read_cifar_binary(folder, split);
        if (fs::exists(folder / "data_batch_1.png")) return read_cifar_png(folder, split);
    }
    return std::nullopt;
}

}  // namespace ouaf
