// Milliseconds that a training picture costs to change: batches of 64, 256 x 256 bytes to 224 px, with the recipe of
// bench/training_speed.py, and what further operations add.
//
//     build/deps/tools/cmake --build --preset release --target augment_speed && build/release/augment_speed
#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "native/data/augment.hpp"

int main() {
    using namespace ouaf;
    using Clock = std::chrono::steady_clock;
    constexpr std::int64_t n = 64;
    constexpr int runs = 15;
    at::Generator generator = at::detail::createCPUGenerator(0);
    const at::Tensor pictures = at::randint(256, {n, 256, 256, 3}, generator, at::kByte);
    const at::Tensor aspects = at::rand({n}, generator, at::kFloat) + 0.5;
    const at::Tensor targets = at::rand({n, 120}, generator, at::kFloat);
    const AugmentRecipe crops{.crop = {0.35, 1}, .flip = 0.5};
    AugmentRecipe whole = crops;
    whole.brightness = {0.8, 1.2};
    whole.contrast = 0.2;
    whole.erase = 0.25;
    const auto with = [&](auto change) {
        AugmentRecipe recipe = whole;
        change(recipe);
        return recipe;
    };
    const std::pair<const char*, AugmentRecipe> cases[]{
        {"crop, flip", crops},
        {"crop, flip, brightness, contrast, erase", whole},
        {"and rotation", with([](AugmentRecipe& recipe) { recipe.rotation = 10; })},
        {"and saturation", with([](AugmentRecipe& recipe) { recipe.saturation = 0.2; })},
        {"and hue", with([](AugmentRecipe& recipe) { recipe.hue = 0.1; })},
        {"and equalisation", with([](AugmentRecipe& recipe) { recipe.equalise = 1; })},
        {"and two operations of RandAugment", with([](AugmentRecipe& recipe) { recipe.randaugment = 2; })},
        {"and mixup", with([](AugmentRecipe& recipe) { recipe.mixup = 0.2; })},
    };
    for (const auto& [name, recipe] : cases) {
        std::vector<double> times;
        for (int run = 0; run < runs; ++run) {
            const Clock::time_point start = Clock::now();
            augment(pictures, aspects, targets, recipe, {}, generator);
            times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count() / n);
        }
        std::nth_element(times.begin(), times.begin() + runs / 2, times.end());
        std::printf("%-45s %.2f ms a picture, the fastest %.2f\n", name, times[runs / 2],
                    *std::min_element(times.begin(), times.end()));
    }
}
