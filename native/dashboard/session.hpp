// The trainer thread: it owns every call of LibTorch, takes commands, and puts what it has to say into an outbox.
//
//     Session session(wake);
//     session.start({"recipes/mnist_mlp.toml", {"train.epochs=2"}, "runs/mnist"});
//     session.collect();                          // once a frame
//     if (session.status().can_pause()) session.pause();
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "native/dashboard/messages.hpp"
#include "native/dashboard/session_state.hpp"

namespace ouaf::dashboard {

struct StartRequest {
    std::filesystem::path recipe;
    std::vector<std::string> overrides;  // as train.epochs=3
    std::filesystem::path folder;        // that the run gets
};

// All calls are by the thread that draws; none waits for the trainer.
class Session {
 public:
    // wake: called by the trainer thread when there is something to collect.
    explicit Session(std::function<void()> wake);

    // Stops a run as stop() does, and waits until it was saved.
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Each where status() says that it can be; otherwise nothing happens.
    void start(const StartRequest& request);
    void resume(const std::filesystem::path& folder);
    void pause();
    void go_on();
    void stop();  // a run saves where it stands; what else goes on is given up
    void save();
    void set_learning_rate(double rate);
    void set_epochs(int epochs);  // of the stage that goes on
    void evaluate(const std::filesystem::path& run);
    void save_model(const std::filesystem::path& folder);  // of the weights as they are in training, a bundle

    // By the weights as they are in training, or by the model of the run `run`.
    void answer(const std::filesystem::path& photo, const std::filesystem::path& run);

    // How the recipe of `run` changes a photo: so many examples, drawn with `seed`.
    void show_changes(const ChangesRequest& request);

    // What came since the last call.
    std::vector<Message> collect();

    const Status& status() const { return status_; }

 private:
    struct Trainer;
    std::unique_ptr<Trainer> trainer_;
    Status status_;
};

}  // namespace ouaf::dashboard
