// See session.hpp.
#include "native/dashboard/session.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "native/dashboard/work/work.hpp"
#include "native/train/run_control.hpp"

namespace ouaf::dashboard {

// What both threads see is guarded by the mutex, but for `stop` and the control, which guards itself.
struct Session::Trainer {
    using Command = std::function<void(const Work&)>;

    explicit Trainer(std::function<void()> on_message) : wake(std::move(on_message)), thread([this] { run(); }) {}

    ~Trainer() {
        {
            const std::lock_guard lock(mutex);
            ending = true;
            stop = true;
            asked.notify_one();
        }
        thread.join();
    }

    void add(Command command) {
        const std::lock_guard lock(mutex);
        commands.push_back(std::move(command));
        asked.notify_one();
    }

    void post(Message message) {
        const bool waits = std::holds_alternative<Status>(message);  // for the next frame: there are many
        {
            const std::lock_guard lock(mutex);
            outbox.push_back(std::move(message));
        }
        if (!waits) wake();
    }

    Work work() {
        return {stop, [this](Message message) { post(std::move(message)); }};
    }

    // Between two steps of the run that goes on.
    void with_weights(const std::function<void(const Model&, const Work&)>& task) {
        control->with_weights([this, task](const Model& model) { task(model, work()); });
    }

    void run() {
        std::unique_lock lock(mutex);
        for (;;) {
            asked.wait(lock, [this] { return ending || !commands.empty(); });
            if (ending) return;
            const Command command = std::move(commands.front());
            commands.pop_front();
            lock.unlock();
            command(work());
            lock.lock();
        }
    }

    std::function<void()> wake;
    std::atomic<bool> stop = false;       // of the command at hand
    std::shared_ptr<RunControl> control;  // of the run at hand; used by the drawing thread
    std::mutex mutex;
    std::condition_variable asked;
    std::deque<Command> commands;
    std::vector<Message> outbox;
    bool ending = false;
    std::thread thread;
};

Session::Session(std::function<void()> wake) : trainer_(std::make_unique<Trainer>(std::move(wake))) {}

Session::~Session() = default;

std::vector<Message> Session::collect() {
    std::vector<Message> messages;
    {
        const std::lock_guard lock(trainer_->mutex);
        messages.swap(trainer_->outbox);
    }
    for (const Message& message : messages) {
        const auto* status = std::get_if<Status>(&message);
        if (!status) continue;
        const bool stopping = status_.stopping && status->is_busy();
        const Status before = std::exchange(status_, *status);
        status_.stopping = stopping;
        if (status_.is_running() && before.is_running()) {  // what was asked for meanwhile counts
            status_.learning_rate = before.learning_rate > 0 ? before.learning_rate : status_.learning_rate;
            status_.stage_epochs = before.stage_epochs > 0 ? before.stage_epochs : status_.stage_epochs;
        }
    }
    if (status_.state == State::training || status_.state == State::paused)
        status_.state = trainer_->control && trainer_->control->is_waiting() ? State::paused : State::training;
    return messages;
}

void Session::start(const StartRequest& request) {
    if (!status_.can_start()) return;
    status_ = {.state = State::loading, .stage = "reading the recipe", .folder = request.folder};
    trainer_->stop = false;
    trainer_->control = std::make_shared<RunControl>();
    trainer_->add([request, control = trainer_->control](const Work& work) { start_run(request, *control, work); });
}

void Session::resume(const std::filesystem::path& folder) {
    if (!status_.can_start()) return;
    status_ = {.state = State::loading, .stage = "reading the checkpoint", .folder = folder};
    trainer_->stop = false;
    trainer_->control = std::make_shared<RunControl>();
    trainer_->add([folder, control = trainer_->control](const Work& work) { resume_run(folder, *control, work); });
}

void Session::pause() {
    if (status_.can_pause()) trainer_->control->pause();
}

void Session::go_on() {
    if (status_.can_go_on()) trainer_->control->go_on();
}

void Session::stop() {
    if (!status_.can_stop()) return;
    status_.stopping = true;
    trainer_->stop = true;
}

void Session::save() {
    if (status_.can_save()) trainer_->control->save();
}

void Session::set_learning_rate(double rate) {
    if (!status_.can_change()) return;
    status_.learning_rate = rate;
    trainer_->control->set_learning_rate(rate);
}

void Session::set_epochs(int epochs) {
    if (!status_.can_change()) return;
    status_.stage_epochs = epochs;
    trainer_->control->set_epochs(epochs);
}

void Session::evaluate(const std::filesystem::path& run) {
    if (!status_.can_evaluate()) return;
    status_ = {.state = State::evaluating, .stage = "reading the model", .folder = run};
    trainer_->stop = false;
    trainer_->add([run](const Work& work) { evaluate_run(run, work); });
}

void Session::save_model(const std::filesystem::path& folder) {
    if (status_.can_save())
        trainer_->with_weights([folder](const Model& model, const Work& work) { save_weights(folder, model, work); });
}

void Session::answer(const std::filesystem::path& photo, const std::filesystem::path& run) {
    if (!status_.can_answer()) return;
    if (status_.can_save()) {
        trainer_->with_weights(
            [photo, run](const Model& model, const Work& work) { answer_with(photo, run, model, work); });
        return;
    }
    trainer_->add([photo, run](const Work& work) { answer_photo(photo, run, work); });
}

void Session::show_changes(const ChangesRequest& request) {
    if (!status_.can_answer()) return;
    if (status_.can_save()) {
        trainer_->with_weights([request](const Model&, const Work& work) { show_changes_of(request, work); });
        return;
    }
    trainer_->add([request](const Work& work) { show_changes_of(request, work); });
}

}  // namespace ouaf::dashboard
