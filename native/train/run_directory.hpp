// runs/<name>/: what a run was asked to do, what happened, and what came out.
//   recipe.toml        as it was resolved
//   split.csv          which photo is trained on, validated and tested with
//   metrics.jsonl      one JSON object an event
//   events.out.tf…     the scalars among them for TensorBoard
//   last.safetensors   where the run stands, to go on from
//   best.safetensors   the weights of the epoch with the smallest validation loss
//   model/             the bundle
//   report/            what its test on photos says, see write_report
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "native/train/recipe.hpp"
#include "native/train/tensorboard.hpp"

namespace ouaf {

class RunDirectory {
 public:
    // Throws std::runtime_error where a run is there: to be asked before what takes long.
    static void check_free(const std::filesystem::path& folder);

    // Makes the folder. Throws std::runtime_error when it is there already: no run overwrites another.
    RunDirectory(std::filesystem::path folder, const Recipe& recipe);

    // Opens one that is there. Throws std::runtime_error where it has no checkpoint, or another process trains in it.
    explicit RunDirectory(std::filesystem::path folder);

    // One that another process writes: nothing is recorded.
    static RunDirectory of_another(std::filesystem::path folder);

    // Appends one line to metrics.jsonl with the "time" in seconds since 1970, at once. Numbers of an event "epoch" or
    // "iteration" are TensorBoard's scalars too, at the step that the number of that name says.
    void record(const nlohmann::ordered_json& event);

    // How many lines there are.
    std::int64_t events() const { return events_; }

    // Cuts what was recorded after the first `events` lines: the run goes on from before it. TensorBoard's file is
    // written anew from them, under a new name: one that watches the folder forgets what was cut.
    void keep_events(std::int64_t events);

    std::filesystem::path recipe() const { return folder_ / "recipe.toml"; }
    std::filesystem::path split() const { return folder_ / "split.csv"; }
    std::filesystem::path last_checkpoint() const { return folder_ / "last.safetensors"; }
    std::filesystem::path best_checkpoint() const { return folder_ / "best.safetensors"; }
    std::filesystem::path network() const { return folder_ / "model.onnx"; }
    std::filesystem::path model() const { return folder_ / "model"; }
    std::filesystem::path report() const { return folder_ / "report"; }

 private:
    RunDirectory() = default;
    void open_metrics();
    void open_tensorboard();
    void add_scalars(const nlohmann::ordered_json& event);
    void lock();

    std::filesystem::path folder_;
    std::ofstream metrics_;
    std::optional<EventFile> tensorboard_;
    std::int64_t events_ = 0;
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, Close> lock_;  // held while the run is open
};

}  // namespace ouaf
