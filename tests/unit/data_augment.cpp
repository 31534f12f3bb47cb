// Changed pictures, against Keras' matrices and bilinear sampling written out pixel by pixel, and the statistics of
// what is drawn.
#include <ATen/ATen.h>

#include <array>
#include <catch2/catch.hpp>
#include <cmath>

#include "native/data/augment.hpp"
#include "native/data/augment/whiten.hpp"

using namespace ouaf;

namespace {

using Matrix = std::array<std::array<double, 3>, 3>;

Matrix product(const Matrix& a, const Matrix& b) {
    Matrix c{};
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 3; ++j)
            for (std::size_t k = 0; k < 3; ++k) c[i][j] += a[i][k] * b[k][j];
    return c;
}

struct Change {
    double angle = 0, shift_row = 0, shift_column = 0, shear = 0, zoom_row = 1, zoom_column = 1;
    bool mirror = false;
    double centre_x = 0.5, centre_y = 0.5, width = 1, height = 1;
};

Poses poses_of(const Change& change) {
    const auto one = [](double value) { return at::full({1}, value); };
    return {one(change.centre_x),        one(change.centre_y),    one(change.width),   one(change.height),
            one(change.mirror ? -1 : 1), one(change.angle),       one(change.shear),   one(change.shift_column),
            one(change.shift_row),       one(change.zoom_column), one(change.zoom_row)};
}

// keras.preprocessing.image.apply_affine_transform: rotation * shift * shear * zoom on (row, column) from the middle,
// then the mirror, order 1, fill_mode 'nearest'; within a part of the picture.
double by_keras(const at::Tensor& picture, const Change& change, std::int64_t side, std::int64_t row,
                std::int64_t column) {
    const double c = std::cos(change.angle);
    const double s = std::sin(change.angle);
    const auto length = static_cast<double>(side);
    const Matrix rotation{{{c, -s, 0}, {s, c, 0}, {0, 0, 1}}};
    const Matrix shift{{{1, 0, change.shift_row * length}, {0, 1, change.shift_column * length}, {0, 0, 1}}};
    const Matrix shear{{{1, -std::sin(change.shear), 0}, {0, std::cos(change.shear), 0}, {0, 0, 1}}};
    const Matrix zoom{{{change.zoom_row, 0, 0}, {0, change.zoom_column, 0}, {0, 0, 1}}};
    const Matrix whole = product(product(rotation, shift), product(shear, zoom));
    const double middle = (length - 1) / 2;
    const double y = static_cast<double>(row) - middle;
    const double x = (static_cast<double>(column) - middle) * (change.mirror ? -1 : 1);
    const double from_y = whole[0][0] * y + whole[0][1] * x + whole[0][2];
    const double from_x = whole[1][0] * y + whole[1][1] * x + whole[1][2];
    const auto height = static_cast<double>(picture.size(0));
    const auto width = static_cast<double>(picture.size(1));
    const double v = change.centre_y * height - 0.5 + from_y / length * change.height * height;
    const double u = change.centre_x * width - 0.5 + from_x / length * change.width * width;
    const auto value = [&](double at_y, double at_x) {
        const auto i = static_cast<std::int64_t>(std::clamp(at_y, 0.0, height - 1));
        const auto j = static_cast<std::int64_t>(std::clamp(at_x, 0.0, width - 1));
        return picture[i][j].item<double>();
    };
    const double top = std::floor(std::clamp(v, 0.0, height - 1));
    const double left = std::floor(std::clamp(u, 0.0, width - 1));
    const double down = std::clamp(v, 0.0, height - 1) - top;
    const double right = std::clamp(u, 0.0, width - 1) - left;
    return (1 - down) * ((1 - right) * value(top, left) + right * value(top, left + 1)) +
           down * ((1 - right) * value(top + 1, left) + right * value(top + 1, left + 1));
}

at::Generator seeded() { return at::detail::createCPUGenerator(3); }

}  // namespace

TEST_CASE("a moved picture is what Keras' matrices make of it") {
    at::Generator generator = seeded();
    const at::Tensor picture = at::rand({12, 12}, generator, at::kFloat) * 255;
    const std::array changes{Change{},
                             Change{.mirror = true},
                             Change{.angle = 0.4},
                             Change{.shift_row = 0.1, .shift_column = -0.2},
                             Change{.shear = 0.3},
                             Change{.zoom_row = 0.8, .zoom_column = 1.1},
                             Change{.centre_x = 0.4, .centre_y = 0.55, .width = 0.6, .height = 0.7},
                             Change{.angle = -0.3,
                                    .shift_row = 0.05,
                                    .shift_column = 0.1,
                                    .shear = 0.2,
                                    .zoom_row = 0.9,
                                    .zoom_column = 1.05,
                                    .mirror = true,
                                    .centre_x = 0.6,
                                    .width = 0.7,
                                    .height = 0.9}};
    for (const Change& change : changes)
        for (const std::int64_t side : {12, 7}) {
            const at::Tensor moved = move(picture.view({1, 1, 12, 12}), poses_of(change), side)[0][0];
            double worst = 0;
            for (std::int64_t row = 0; row < side; ++row)
                for (std::int64_t column = 0; column < side; ++column)
                    worst = std::max(worst, std::abs(moved[row][column].item<double>() -
                                                     by_keras(picture, change, side, row, column)));
            CHECK(worst < 2e-3);  // of 255: places are float32, where a pixel is 1/12
        }
}

TEST_CASE("drawn poses stay in their ranges, and parts within the photo") {
    at::Generator generator = seeded();
    const at::Tensor aspects = at::rand({4000}, generator, at::kFloat) * 2 + 0.4;
    const AugmentRecipe recipe{.crop = {0.2, 0.9}, .flip = 0.25, .rotation = 30, .shift = 0.1, .zoom = 0.1};
    const Poses poses = draw_poses(aspects, recipe, generator);
    CHECK((poses.mirror < 0).to(at::kFloat).mean().item<double>() == Approx(0.25).margin(0.03));
    CHECK(poses.angle.abs().max().item<double>() == Approx(30 * 3.14159265 / 180).epsilon(0.01));
    CHECK(poses.shift_x.abs().max().item<double>() == Approx(0.1).epsilon(0.01));
    CHECK(poses.zoom_y.min().item<double>() == Approx(0.9).epsilon(0.01));
    for (const auto& [centre, size] :
         {std::pair{poses.centre_x, poses.width}, std::pair{poses.centre_y, poses.height}}) {
        CHECK((centre - size / 2).min().item<double>() > -1e-6);
        CHECK((centre + size / 2).max().item<double>() < 1 + 1e-6);
    }
    const at::Tensor ratio = poses.width * aspects / poses.height;
    CHECK(ratio.min().item<double>() > 0.75 - 1e-4);
    CHECK(ratio.max().item<double>() < 4.0 / 3 + 1e-4);
}

TEST_CASE("a wide photo without changes is seen from its middle") {
    // Stored square, twice as wide as high: the middle half of its columns is its middle square.
    const at::Tensor columns = at::arange(8, at::kByte).view({1, 1, 8, 1}).expand({1, 8, 8, 1}) * 10;
    const PictureForm form{4, {0}, {1}};
    const at::Tensor seen = plain(columns, at::full({1}, 2.0), form) * 255;
    CHECK(at::allclose(seen[0][0][0], at::tensor({20.0f, 30.0f, 40.0f, 50.0f}), 1e-5, 1e-3));
}

TEST_CASE("colours, boxes and mixtures") {
    at::Generator generator = seeded();
    const at::Tensor pictures = (at::rand({64, 6, 6, 3}, generator, at::kFloat) * 255).to(at::kByte);
    const at::Tensor ones = at::ones({64});
    const at::Tensor targets = at::eye(64);
    const PictureForm form{6, {0, 0, 0}, {1, 1, 1}};
    const at::Tensor before = plain(pictures, ones, form);
    const auto changed = [&](const AugmentRecipe& recipe) {
        return augment(pictures, ones, targets, recipe, form, generator);
    };
    const at::Tensor grey = (before * at::tensor({0.299f, 0.587f, 0.114f}).view({1, 3, 1, 1})).sum(1, true);

    CHECK(at::allclose(changed({.brightness = {0.5, 0.5}}).images, before * 0.5, 1e-5, 1e-6));
    CHECK(at::allclose(changed({.grey = 1}).images, grey.expand_as(before), 1e-4, 1e-5));
    // Whatever factor was drawn: differences from grey keep their ratios where nothing was cut at 0 or 1.
    const at::Tensor paler = changed({.saturation = 0.5}).images;
    const at::Tensor inside = (paler > 1e-3).logical_and(paler < 1 - 1e-3).all(1).all(1).all(1);
    const at::Tensor factor = ((paler - grey) / (before - grey)).index({inside}).flatten(1);
    CHECK(inside.sum().item<int>() > 5);
    CHECK((std::get<0>(factor.max(1)) - std::get<0>(factor.min(1))).max().item<double>() < 0.02);
    CHECK(factor.min().item<double>() > 0.49);

    const at::Tensor emptied = (changed({.erase = 1}).images == 0).all(1).to(at::kFloat).mean(at::IntArrayRef{1, 2});
    CHECK(emptied.max().item<double>() < 0.5);
    CHECK(emptied.mean().item<double>() > 0.05);

    for (const AugmentRecipe& recipe : {AugmentRecipe{.mixup = 1}, AugmentRecipe{.cutmix = 1}}) {
        const Batch mixed = changed(recipe);
        CHECK(at::allclose(mixed.targets.sum(1), ones));
        const double kept = mixed.targets[0][0].item<double>();
        CHECK(mixed.targets[0][63].item<double>() == Approx(1 - kept));
        if (recipe.mixup > 0)
            CHECK(at::allclose(mixed.images, before * kept + before.flip(0) * (1 - kept), 1e-4, 1e-5));
        else
            CHECK((mixed.images == before).all(1)[0].to(at::kFloat).mean().item<double>() == Approx(kept).margin(1e-4));
    }
}

TEST_CASE("each picture of a batch that is worked through in parts keeps the numbers drawn for it") {
    at::Generator generator = seeded();
    constexpr std::int64_t n = 12;
    constexpr std::int64_t side = 128;  // three pictures at a time
    const at::Tensor pictures = at::full({n, side, side, 3}, 100, at::kByte);
    const PictureForm form{side, {0, 0, 0}, {1, 1, 1}};
    const AugmentRecipe recipe{.brightness = {0.5, 1.5}, .erase = 1};
    const at::Tensor images = augment(pictures, at::ones({n}), at::eye(n), recipe, form, generator).images;
    const at::Tensor factors = images.amax(at::IntArrayRef{1, 2, 3}) * 2.55;
    at::Generator again = seeded();
    CHECK(at::allclose(factors, at::rand({n}, again, at::kFloat) + 0.5, 1e-5, 1e-6));
    CHECK((images == 0).flatten(1).any(1).all().item<bool>());
}

TEST_CASE("whitening whole pictures that are too large is refused with the reason") {
    const at::Tensor pictures = at::zeros({2, 65, 65, 3}, at::kByte);
    CHECK_THROWS_WITH(fit_form({.side = 65}, pictures, at::ones({2}), {.whiten = Whitening::zca}),
                      Catch::Contains("65 px") && Catch::Contains("at most 64 px"));
}
