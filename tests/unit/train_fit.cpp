// A run that is steered while it goes on, and one that runs out of memory.
#include "native/train/fit_trainer.hpp"

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "native/files/files.hpp"
#include "native/graph/onnx_io.hpp"
#include "native/graph/torch_tensor.hpp"
#include "native/train/processes.hpp"
#include "tests/unit/folder.hpp"

using namespace ouaf;
namespace fs = std::filesystem;

namespace {

constexpr int side = 12;

std::string big_endian(std::uint32_t number) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift & 255));
    return bytes;
}

// MNIST's four files with stripes in place of digits: a class is a width of stripes.
void write_stripes(const Folder& folder, std::uint32_t training, std::uint32_t test) {
    for (const auto& [stem, count] : {std::pair{"train", training}, {"t10k", test}}) {
        std::string images = std::string("\0\0\10\3", 4) + big_endian(count) + big_endian(side) + big_endian(side);
        std::string labels = std::string("\0\0\10\1", 4) + big_endian(count);
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::uint32_t label = i % 10;
            labels.push_back(static_cast<char>(label));
            for (std::uint32_t place = 0; place < side * side; ++place)
                images.push_back((place + i / 10) / (label + 1) % 2 == 0 ? '\377' : '\20');
        }
        folder.write(std::string("data/") + stem + "-images-idx3-ubyte", images);
        folder.write(std::string("data/") + stem + "-labels-idx1-ubyte", labels);
    }
}

// Five steps an epoch, the last of them with a batch of 8.
constexpr const char* recipe_text = R"(
name = "stripes"
network = "mlp"
dropout = 0
validation = 0.1
[train]
epochs = 2
batch = 16
optimizer = "sgd"
learning_rate = 0.05
schedule = "constant"
checkpoint_seconds = 1000
[augment]
shift = 0.1
erase = 0.5
mixup = 0.3
)";

struct Runs {
    Folder folder;
    std::atomic<bool> stop{false};
    RunControl control;
    std::vector<std::string> said;
    std::function<void(int step)> after_step = [](int) {};

    Runs() {
        write_stripes(folder, 80, 20);
        folder.write("recipe.toml", recipe_text);
    }

    fs::path run(const std::string& name) const { return folder.root / name; }

    FitOutcome train(const std::string& name, std::vector<std::string> overrides = {}, int until = whole_run) {
        overrides.push_back("data=" + (folder.root / "data").string());
        const Recipe recipe = read_recipe(folder.root / "recipe.toml", overrides);
        Processes alone;
        return start_fit(recipe, run(name), stop, report(), until, {alone, at::kCPU, &control});
    }
    FitOutcome resume(const std::string& name) {
        Processes alone;
        return resume_fit(run(name), stop, report(), whole_run, {alone, at::kCPU, &control});
    }

    std::vector<nlohmann::json> events(const std::string& name, const std::string& kind) const {
        std::istringstream lines(read_text(run(name) / "metrics.jsonl"));
        std::vector<nlohmann::json> found;
        for (std::string line; std::getline(lines, line);) {
            nlohmann::json event = nlohmann::json::parse(line);
            if (event.at("event") == kind) found.push_back(std::move(event));
        }
        return found;
    }
    std::string weights(const std::string& name) const { return read_text(run(name) / "model.onnx"); }

 private:
    FitRunReport report() {
        steps_ = 0;
        return {{[this](const std::string& what) { said.push_back(what); }, [](std::string_view, double) {}},
                [this](double) { after_step(++steps_); },
                [](const EpochReport&) {}};
    }
    int steps_ = 0;
};

// LibTorch's allocator, but for one size: as a GPU without room for a whole batch's activations.
class Refusing final : public c10::Allocator {
 public:
    explicit Refusing(std::vector<std::size_t> sizes) : sizes_(std::move(sizes)) { c10::SetCPUAllocator(this, 1); }
    Refusing(const Refusing&) = delete;
    Refusing& operator=(const Refusing&) = delete;
    ~Refusing() override { c10::SetCPUAllocator(usual_, 1); }

    c10::DataPtr allocate(std::size_t bytes) override {
        if (std::ranges::count(sizes_, bytes) == 0) return usual_->allocate(bytes);
        ++refused;
        throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "no room");
    }
    c10::DeleterFnPtr raw_deleter() const override { return usual_->raw_deleter(); }
    void copy_data(void* to, const void* from, std::size_t bytes) const override { usual_->copy_data(to, from, bytes); }

    int refused = 0;

 private:
    c10::Allocator* usual_ = c10::GetCPUAllocator();
    std::vector<std::size_t> sizes_;
};

constexpr std::size_t activations_of(std::size_t pictures) { return pictures * 512 * sizeof(float); }

}  // namespace

TEST_CASE("Where memory runs out, a batch in smaller pieces means the same") {
    Runs runs;
    runs.train("whole");
    {
        Refusing allocator({activations_of(16)});
        runs.train("pieces");
        CHECK(allocator.refused == 1);  // the first batch; smaller pieces stay
        runs.train("stopped", {}, 1);
        runs.resume("stopped");
    }
    REQUIRE(runs.events("pieces", "halved").size() == 1);
    CHECK(runs.events("pieces", "halved")[0].at("pictures_at_once") == 8);
    CHECK(runs.said.at(0) == "out of memory: the batch of 16 now goes through the network 8 pictures at once");
    const auto whole = runs.events("whole", "step");
    const auto pieces = runs.events("pieces", "step");
    REQUIRE(whole.size() == 10);
    REQUIRE(pieces.size() == 10);
    for (std::size_t i = 0; i < whole.size(); ++i)  // sums of float32 in another order, carried on for ten steps
        for (const char* key : {"loss", "gradient_norm"})
            CHECK(pieces[i].at(key).get<double>() == Approx(whole[i].at(key).get<double>()).margin(1e-5));
    CHECK(runs.weights("stopped") == runs.weights("pieces"));
    CHECK(runs.weights("pieces") != runs.weights("whole"));  // to the bit: the refusals were there
}

TEST_CASE("Memory for no pair of pictures ends the run with what to do") {
    Runs runs;
    Refusing allocator({activations_of(16), activations_of(8), activations_of(4), activations_of(2)});
    CHECK_THROWS_WITH(runs.train("none"), Catch::Contains("out of memory with 2 pictures at once; train at a smaller"));
    CHECK(fs::exists(runs.run("none") / "last.safetensors"));
}

TEST_CASE("A run takes another learning rate and another number of epochs, and keeps them") {
    Runs runs;
    runs.after_step = [&](int step) {
        if (step == 2) runs.control.set_learning_rate(0.01);
        if (step == 7) runs.control.set_epochs(3);
    };
    CHECK(runs.train("changed").fit.epochs == 3);
    const auto steps = runs.events("changed", "step");
    REQUIRE(steps.size() == 15);
    CHECK(steps[1].at("learning_rate") == 0.05);
    CHECK(steps[2].at("learning_rate") == 0.01);
    CHECK(steps[14].at("learning_rate") == 0.01);
    const auto changes = runs.events("changed", "changed");
    REQUIRE(changes.size() == 2);
    CHECK(changes[0].at("learning_rate") == 0.01);
    CHECK(changes[1].at("epochs") == 3);

    runs.train("resumed", {}, 2);
    runs.after_step = [](int) {};
    CHECK(runs.resume("resumed").fit.epochs == 3);
    CHECK(runs.weights("resumed") == runs.weights("changed"));
}

TEST_CASE("A run has no fewer epochs than it has begun, and more after its last") {
    Runs runs;
    runs.after_step = [&](int step) {
        if (step == 6) runs.control.set_epochs(1);
    };
    CHECK(runs.train("fewer").fit.epochs == 2);
    runs.after_step = [&](int step) {
        if (step == 10) runs.control.set_epochs(3);
    };
    CHECK(runs.train("more").fit.epochs == 3);
    runs.after_step = [](int) {};
    runs.train("three", {"train.epochs=3"});
    CHECK(runs.weights("more") == runs.weights("three"));
}

TEST_CASE("A paused run waits, does what it is asked, and ends as one that never waited") {
    Runs runs;
    runs.train("straight");
    runs.control.pause();
    std::thread trainer([&] { runs.train("paused"); });
    while (!runs.control.is_waiting()) std::this_thread::yield();
    CHECK(runs.events("paused", "step").size() == 1);
    std::atomic<int> classes = 0;
    runs.control.with_weights([&](const Model& model) { classes = static_cast<int>(model.bundle.classes.size()); });
    while (classes == 0) std::this_thread::yield();
    CHECK(classes == 10);
    const fs::path last = runs.run("paused") / "last.safetensors";
    const std::string before = read_text(last);
    runs.control.save();
    while (read_text(last) == before) std::this_thread::yield();
    CHECK(runs.events("paused", "step").size() == 1);
    runs.control.go_on();
    trainer.join();
    CHECK(runs.weights("paused") == runs.weights("straight"));
}

TEST_CASE("A paused run that is stopped saves and ends") {
    Runs runs;
    runs.control.pause();
    bool finished = true;
    std::thread trainer([&] { finished = runs.train("stopped").fit.finished; });
    while (!runs.control.is_waiting()) std::this_thread::yield();
    runs.stop = true;
    trainer.join();
    CHECK_FALSE(finished);
    runs.stop = false;
    runs.control.go_on();
    CHECK(runs.resume("stopped").fit.finished);
}

TEST_CASE("The weights that a run began with come back by their share") {
    Runs runs;
    runs.train("start", {"train.learning_rate=0"});
    runs.train("end");
    runs.train("between", {"train.start_share=0.25"});
    const auto weights = [&](const std::string& name) {
        return graph::load_onnx((runs.run(name) / "model.onnx").string()).initializers;
    };
    const auto start = weights("start");
    const auto end = weights("end");
    for (const auto& [name, tensor] : weights("between")) {
        if (tensor.dtype != graph::DType::float32 || tensor.count() < 2) continue;
        const at::Tensor mean = 0.25 * graph::to_torch(start.at(name)) + 0.75 * graph::to_torch(end.at(name));
        CHECK(at::allclose(graph::to_torch(tensor), mean, 1e-5, 1e-6));
    }
}

TEST_CASE("A run on a grid that was stopped goes on with its steps") {
    const std::vector<std::string> sets{"weight_bits=3", "train.rounded=0.05", "train.epochs=3"};
    Runs runs;
    runs.train("straight", sets);
    CHECK_FALSE(runs.train("stopped", sets, 1).fit.finished);
    CHECK(runs.resume("stopped").fit.finished);
    CHECK(runs.weights("stopped") == runs.weights("straight"));
}

TEST_CASE("Batch norms are refused where weights are trained as integers") {
    Runs runs;
    CHECK_THROWS_WITH(runs.train("norms", {"train.rounded=0.05", "network=mnist_cnn", "batch_norms=true"}),
                      Catch::Contains("batch norms are folded into"));
    CHECK_FALSE(fs::exists(runs.run("norms")));
}
