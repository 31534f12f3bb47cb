// See difference_hash.hpp.
#include "native/data/difference_hash.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "shared/preprocess/colour.hpp"
#include "shared/preprocess/resample.hpp"

namespace ouaf {
namespace {

// Sets that are joined by and by, each known by one of its members.
class Groups {
 public:
    explicit Groups(std::size_t count) : parents_(count) { std::iota(parents_.begin(), parents_.end(), 0); }

    std::size_t of(std::size_t member) {
        while (parents_[member] != member) member = parents_[member] = parents_[parents_[member]];
        return member;
    }
    void join(std::size_t a, std::size_t b) { parents_[of(a)] = of(b); }

 private:
    std::vector<std::size_t> parents_;
};

using Same = std::function<bool(std::size_t, std::size_t)>;

// Joins photos of equal hashes, and gives one of each picture. Plain pictures have one hash by the thousand: each is
// compared to those that are given, not to all.
std::vector<std::size_t> join_equal(std::span<const std::uint64_t> hashes, const Same& same, Groups& groups) {
    std::vector<std::size_t> order(hashes.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return hashes[a] < hashes[b]; });
    std::vector<std::size_t> first_ones;
    std::size_t run = 0;  // where those of the hash at hand begin in first_ones
    for (const std::size_t photo : order) {
        if (!first_ones.empty() && hashes[first_ones.back()] != hashes[photo]) run = first_ones.size();
        const auto begin = first_ones.begin() + static_cast<std::ptrdiff_t>(run);
        const auto found = std::find_if(begin, first_ones.end(), [&](std::size_t other) { return same(other, photo); });
        if (found != first_ones.end()) groups.join(photo, *found);
        else first_ones.push_back(photo);
    }
    return first_ones;
}

void join_within_quarter(std::span<const std::uint64_t> hashes, std::vector<std::size_t> photos, int shift, int bits,
                         const Same& same, Groups& groups) {
    const auto quarter = [&](std::size_t i) { return hashes[i] >> shift & 0xFFFF; };
    std::sort(photos.begin(), photos.end(), [&](std::size_t a, std::size_t b) { return quarter(a) < quarter(b); });
    for (auto a = photos.begin(); a != photos.end(); ++a)
        for (auto b = a + 1; b != photos.end() && quarter(*b) == quarter(*a); ++b)
            if (std::popcount(hashes[*a] ^ hashes[*b]) <= bits && same(*a, *b)) groups.join(*a, *b);
}

}  // namespace

Thumbnail thumbnail_of(Image image) {
    constexpr int width = 9, height = 8;
    to_grey(image);
    const Image small = resize(image, width, height, Filter::linear, {0, 0, width, height});
    Thumbnail thumbnail{};
    for (std::size_t i = 0; i < thumbnail.size(); ++i) thumbnail[i] = small.rgb[3 * i];
    return thumbnail;
}

std::uint64_t difference_hash(const Thumbnail& thumbnail) {
    constexpr std::size_t width = 9;
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i + 1 < thumbnail.size(); ++i)
        if (i % width != width - 1) hash = hash << 1 | static_cast<std::uint64_t>(thumbnail[i + 1] > thumbnail[i]);
    return hash;
}

bool same_picture(const Thumbnail& a, const Thumbnail& b) {
    constexpr double nearly = 2;  // grey levels: plain pictures have no pattern that could correlate
    constexpr double correlated = 0.9;
    constexpr auto n = static_cast<double>(std::tuple_size_v<Thumbnail>);
    double difference = 0, sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = a[i], y = b[i];
        difference += std::abs(x - y);
        sum_a += x;
        sum_b += y;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    const double covariance = ab - sum_a * sum_b / n;
    const double spread = std::sqrt((aa - sum_a * sum_a / n) * (bb - sum_b * sum_b / n));
    return difference / n <= nearly || (spread > 0 && covariance >= correlated * spread);
}

std::vector<std::vector<std::size_t>> alike(std::span<const std::uint64_t> hashes, int bits, const Same& same) {
    Groups groups(hashes.size());
    const std::vector<std::size_t> first_ones = join_equal(hashes, same, groups);
    for (const int shift : {0, 16, 32, 48}) join_within_quarter(hashes, first_ones, shift, bits, same, groups);

    std::map<std::size_t, std::vector<std::size_t>> members;
    for (std::size_t i = 0; i < hashes.size(); ++i) members[groups.of(i)].push_back(i);
    std::vector<std::vector<std::size_t>> result;
    for (auto& [group, photos] : members)
        if (photos.size() > 1) result.push_back(std::move(photos));
    std::sort(result.begin(), result.end());
    return result;
}

}  // namespace ouaf
