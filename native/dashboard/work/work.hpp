// What the trainer thread does, a function a command; the only files of the dashboard that include LibTorch are the
// ones beside this. None throws: what went wrong is part of what is posted.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>

#include "native/bundle/model.hpp"
#include "native/dashboard/messages.hpp"
#include "native/dashboard/session.hpp"
#include "native/train/run_control.hpp"

namespace ouaf::dashboard {

struct Work {
    const std::atomic<bool>& stop;
    std::function<void(Message)> post;
};

// Thrown through what reports its progress, once `stop` is set.
struct Stopped {};

// Trains until the run is done or stopped; posts a Status whenever something changed.
void start_run(const StartRequest& request, RunControl& control, const Work& work);
void resume_run(const std::filesystem::path& folder, RunControl& control, const Work& work);

// Posts Mistakes.
void evaluate_run(const std::filesystem::path& run, const Work& work);

// Post a PhotoAnswer.
void answer_photo(const std::filesystem::path& photo, const std::filesystem::path& run, const Work& work);
void answer_with(const std::filesystem::path& photo, const std::filesystem::path& run, const Model& model,
                 const Work& work);

// Posts a SavedModel.
void save_weights(const std::filesystem::path& folder, const Model& model, const Work& work);

// Posts a ChangedPhoto.
void show_changes_of(const ChangesRequest& request, const Work& work);

}  // namespace ouaf::dashboard
