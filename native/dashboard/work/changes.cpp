// What a recipe's augmentation makes of a photo: the trainer's own pipeline, with nothing mixed in from other photos.
#include <ATen/ATen.h>

#include <algorithm>
#include <exception>

#include "native/dashboard/work/work.hpp"
#include "native/data/augment.hpp"
#include "native/files/files.hpp"
#include "native/train/recipe.hpp"
#include "shared/preprocess/preprocess.hpp"

namespace ouaf::dashboard {
namespace {

ChangedPhoto change(const ChangesRequest& request) {
    const Recipe recipe = read_recipe(request.run / "recipe.toml");
    if (recipe.stages.empty())
        throw std::runtime_error(request.run.string() + ": fits a head on photos as they are, nothing is changed");
    const Stage& stage = recipe.stages.front();
    AugmentRecipe changes = stage.augment;
    changes.mixup = changes.cutmix = 0;
    const int side = stage.fit.size > 0 ? stage.fit.size : 224;
    const int stored = recipe.stored_side > 0 ? recipe.stored_side : (side * 8 + 6) / 7;
    const DecodedPhoto photo = decode(read_file(request.photo), stored);
    const Image square =
        resize(photo.image, stored, stored, Filter::area, {0, 0, stored, stored});  // as photo_store.hpp keeps it
    const at::Tensor one =
        at::from_blob(const_cast<std::uint8_t*>(square.rgb.data()), {1, stored, stored, 3}, at::kByte);
    const at::Tensor pictures = one.repeat({request.count, 1, 1, 1});
    const at::Tensor aspects =
        at::full({request.count}, static_cast<float>(photo.width) / static_cast<float>(photo.height));
    at::Generator generator = at::detail::createCPUGenerator(request.seed);
    const PictureForm form{.side = side};
    const Batch batch = augment(pictures, aspects, at::ones({request.count, 1}), changes, form, generator);
    const at::Tensor seen = batch.images.permute({0, 2, 3, 1}) * at::tensor(form.std) + at::tensor(form.mean);
    const at::Tensor bytes = seen.mul(255).round().clamp(0, 255).to(at::kByte).contiguous();
    ChangedPhoto changed;
    changed.side = side;
    for (std::int64_t i = 0; i < bytes.size(0); ++i) {
        const at::Tensor picture = bytes[i];
        changed.pictures.emplace_back(picture.const_data_ptr<std::uint8_t>(),
                                      picture.const_data_ptr<std::uint8_t>() + picture.numel());
    }
    return changed;
}

}  // namespace

void show_changes_of(const ChangesRequest& request, const Work& work) {
    ChangedPhoto changed;
    try {
        changed = change(request);
    } catch (const std::exception& error) {
        changed.error = error.what();
    }
    changed.photo = request.photo;
    changed.run = request.run;
    changed.seed = request.seed;
    work.post(std::move(changed));
}

}  // namespace ouaf::dashboard
