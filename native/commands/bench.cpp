// ouaf bench NETWORK.onnx: how fast a network runs, and runs with its gradients, on this machine.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "native/commands/commands.hpp"
#include "native/graph/network.hpp"
#include "native/graph/onnx_io.hpp"

namespace ouaf::commands {
namespace {

struct Options {
    std::string network;
    std::int64_t batch = 16;
    std::int64_t side = 224;
    int runs = 10;
    int threads = 0;
    bool gradients = false;
};

// Seconds of each run; the first two, in which memory and weights are laid out, are not counted.
std::vector<double> time_runs(int runs, const std::function<void()>& run) {
    run();
    run();
    std::vector<double> seconds;
    for (int i = 0; i < runs; ++i) {
        const auto start = std::chrono::steady_clock::now();
        run();
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(seconds.begin(), seconds.end());
    return seconds;
}

void run(const Options& options) {
    if (options.threads > 0) at::set_num_threads(options.threads);
    graph::Network network(graph::load_onnx(options.network));
    const at::Tensor images = at::randn({options.batch, 3, options.side, options.side});
    std::vector<double> seconds;
    if (options.gradients) {
        const at::Tensor target = at::zeros({options.batch}, at::kLong);
        for (graph::Parameter& parameter : network.parameters()) parameter.tensor.requires_grad_(true);
        seconds = time_runs(options.runs, [&] {
            for (graph::Parameter& parameter : network.parameters()) parameter.tensor.mutable_grad().reset();
            at::cross_entropy_loss(network.forward(images), target).backward();
        });
    } else {
        seconds = time_runs(options.runs, [&] { network.forward(images); });
    }
    const double median = seconds[seconds.size() / 2];
    std::printf("%s: %.1f images/s (%d runs of %lld at %lld px: median %.1f ms, %.1f to %.1f)\n",
                options.gradients ? "forward and backward" : "forward", static_cast<double>(options.batch) / median,
                options.runs, static_cast<long long>(options.batch), static_cast<long long>(options.side),
                1000 * median, 1000 * seconds.front(), 1000 * seconds.back());
}

}  // namespace

void add_bench(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("bench", "Time an ONNX network");
    command->add_option("network", options->network, "an ONNX file")->required();
    command->add_option("--batch", options->batch, "images a run")->capture_default_str()->check(CLI::PositiveNumber);
    command->add_option("--side", options->side, "pixels of their side")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    command->add_option("--runs", options->runs, "timed runs")->capture_default_str()->check(CLI::PositiveNumber);
    command->add_option("--threads", options->threads, "threads (default: one a core)")->check(CLI::PositiveNumber);
    command->add_flag("--gradients", options->gradients, "also the gradients of all parameters");
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
