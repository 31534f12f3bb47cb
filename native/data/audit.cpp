// See audit.hpp.
#include "native/data/audit.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "native/data/all_cores.hpp"
#include "native/files/files.hpp"
#include "shared/preprocess/decode.hpp"

namespace ouaf {
namespace {

constexpr int same_within = 3;  // bits: what storing a photo again as a JPEG, smaller, changes

AuditedPhoto audit_photo(const std::filesystem::path& path) {
    constexpr int short_side = 64;  // enough for 9 x 8, and a JPEG need not be decoded whole
    AuditedPhoto result;
    try {
        DecodedPhoto photo = decode(read_file(path), short_side);
        result.width = photo.width;
        result.height = photo.height;
        result.thumbnail = thumbnail_of(std::move(photo.image));
        result.hash = difference_hash(result.thumbnail);
    } catch (const std::exception& error) {
        result.error = error.what();
        const std::string name = path.string() + ": ";  // the caller says the name
        if (result.error.starts_with(name)) result.error.erase(0, name.size());
    }
    return result;
}

LookAlikes look_at(const DividedDataset& data, std::vector<std::size_t> photos) {
    LookAlikes group;
    const std::size_t first = photos.front();
    group.two_labels = std::any_of(photos.begin(), photos.end(), [&](std::size_t i) {
        return data.all.samples[i].label != data.all.samples[first].label;
    });
    if (!data.splits.empty()) {
        const auto trained = [&](std::size_t i) { return data.splits[i] == Split::train; };
        group.leak =
            std::any_of(photos.begin(), photos.end(), trained) && !std::all_of(photos.begin(), photos.end(), trained);
    }
    group.photos = std::move(photos);
    return group;
}

}  // namespace

Audit audit(const DividedDataset& data, const std::function<void(std::size_t done, std::size_t total)>& progress) {
    Audit result;
    result.photos.resize(data.all.samples.size());
    std::size_t done = 0;
    const auto look = [&](std::size_t p) { result.photos[p] = audit_photo(data.all.samples[p].path); };
    on_all_cores(
        result.photos.size(), [&] { return look; },
        [&](std::size_t) {
            if (progress) progress(++done, result.photos.size());
        });

    std::vector<std::size_t> readable;
    std::vector<std::uint64_t> hashes;
    for (std::size_t p = 0; p < result.photos.size(); ++p) {
        if (!result.photos[p].error.empty()) continue;
        readable.push_back(p);
        hashes.push_back(result.photos[p].hash);
    }
    const auto same = [&](std::size_t a, std::size_t b) {
        return same_picture(result.photos[readable[a]].thumbnail, result.photos[readable[b]].thumbnail);
    };
    for (std::vector<std::size_t>& group : alike(hashes, same_within, same)) {
        for (std::size_t& photo : group) photo = readable[photo];
        result.look_alikes.push_back(look_at(data, std::move(group)));
    }
    return result;
}

}  // namespace ouaf
