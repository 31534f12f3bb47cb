// The hand-over between the drawing thread and the trainer thread, for the thread sanitizer: the dashboard's own
// session, outbox and background threads and the trainer's own RunControl, with a trainer that only counts. Compiled
// without LibTorch, as that is not made for the sanitizer. Ends with 0 where every request was done and none was lost.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "native/dashboard/background.hpp"
#include "native/dashboard/session.hpp"
#include "native/dashboard/work/work.hpp"

namespace ouaf::dashboard {
namespace {

long steps = 0;  // of the trainer thread alone, as weights are

void count(const std::filesystem::path& folder, RunControl& control, const Work& work) {
    Status status{.state = State::training, .folder = folder, .steerable = true};
    work.post(status);
    while (!work.stop) {
        RunControl::Turn turn = control.next(work.stop);
        for (const RunControl::Task& task : turn.requests.tasks) task(Model());
        if (turn.requests.learning_rate) status.learning_rate = *turn.requests.learning_rate;
        if (turn.requests.epochs) status.stage_epochs = *turn.requests.epochs;
        if (turn.paused) continue;
        ++steps;
        if (steps % 16 == 0) work.post(status);
    }
    status.state = State::stopped;
    work.post(status);
}

}  // namespace

void start_run(const StartRequest& request, RunControl& control, const Work& work) {
    count(request.folder, control, work);
}
void resume_run(const std::filesystem::path& folder, RunControl& control, const Work& work) {
    count(folder, control, work);
}
void evaluate_run(const std::filesystem::path& run, const Work& work) {
    auto mistakes = std::make_shared<Mistakes>();
    mistakes->run = run;
    work.post(std::shared_ptr<const Mistakes>(mistakes));
    work.post(Status{});
}
void answer_photo(const std::filesystem::path& photo, const std::filesystem::path& run, const Work& work) {
    PhotoAnswer answer;
    answer.photo = photo;
    answer.run = run;
    work.post(std::move(answer));
}
void answer_with(const std::filesystem::path& photo, const std::filesystem::path& run, const Model&, const Work& work) {
    ++steps;
    answer_photo(photo, run, work);
}
void save_weights(const std::filesystem::path& folder, const Model&, const Work& work) {
    work.post(SavedModel{folder, ""});
}
void show_changes_of(const ChangesRequest&, const Work& work) { work.post(ChangedPhoto()); }

}  // namespace ouaf::dashboard

using namespace ouaf::dashboard;

int main() {
    std::atomic<int> woken = 0;
    const auto wake = [&] { ++woken; };
    int asked = 0;
    int answered = 0;
    int tested = 0;
    int read = 0;
    {
        Background background(wake);
        Session session(wake);
        const auto collect = [&] {
            for (const Message& message : session.collect()) {
                answered += std::holds_alternative<PhotoAnswer>(message) ? 1 : 0;
                tested += std::holds_alternative<std::shared_ptr<const Mistakes>>(message) ? 1 : 0;
            }
            background.collect();
        };
        const auto until = [&](auto holds) {
            for (int i = 0; i < 20'000 && !holds(); ++i) {
                collect();
                std::this_thread::sleep_for(std::chrono::microseconds(500));
            }
            return holds();
        };
        for (int round = 0; round < 20; ++round) {
            if (round % 2 == 0) session.start({"recipe.toml", {}, "runs/a"});
            else session.resume("runs/a");
            if (!until([&] { return session.status().state == State::training; })) return 2;
            for (int i = 0; i < 50; ++i) {
                session.set_learning_rate(1e-3 * (i + 1));
                session.set_epochs(i + 1);
                session.answer("photo.jpg", "runs/a");
                ++asked;
                background.add([&read, i] { return [&read, i] { read += i >= 0 ? 1 : 0; }; });
                if (i % 10 == 0) session.save();
                collect();
            }
            session.pause();
            if (!until([&] { return session.status().state == State::paused; })) return 3;
            session.answer("photo.jpg", "runs/a");
            ++asked;
            if (!until([&] { return answered == asked; })) return 4;
            session.go_on();
            if (!until([&] { return session.status().state == State::training; })) return 5;
            session.stop();
            if (!until([&] { return session.status().state == State::stopped; })) return 6;
            session.evaluate("runs/a");
            if (!until([&] { return tested == round + 1 && session.status().can_start(); })) return 7;
        }
        if (!until([&] { return read == 20 * 50; })) return 8;
        session.start({"recipe.toml", {}, "runs/a"});  // and is destroyed while it goes on
    }
    std::printf("%d answers, %d tests, %d jobs, woken %d times\n", answered, tested, read, woken.load());
    return answered == asked ? 0 : 9;
}
