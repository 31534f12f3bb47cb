// ouaf verify MODEL.onnx --data DIR: runs a network on recorded input and says whether it gives the recorded results.
// ouaf verify DIR/*/: the same for many folders, each with model.onnx and test_data_set_*.
#include "native/verify/verify.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "native/commands/commands.hpp"

namespace ouaf::commands {
namespace {

struct Options {
    std::vector<std::string> models;
    std::string data;
};

// A failed check is no failure of the program: it ends with 1 (wrong) or 3 (unsupported) and no further message.
void finish(verify::Verdict verdict) {
    if (verdict == verify::Verdict::wrong) throw CLI::RuntimeError(1);
    if (verdict == verify::Verdict::unsupported) throw CLI::RuntimeError(3);
}

verify::Verification check(const Options& options, const std::string& model) {
    return std::filesystem::is_directory(model) ? verify::verify_folder(model) : verify::verify(model, options.data);
}

void run(const Options& options) {
    if (options.data.empty() && !std::filesystem::is_directory(options.models.front()))
        throw CLI::RequiredError("--data");
    if (options.models.size() == 1) {
        const verify::Verification result = check(options, options.models.front());
        std::puts(result.line.c_str());
        return finish(result.verdict);
    }
    std::array<int, 3> counts{};
    for (const std::string& model : options.models) {
        const verify::Verification result = check(options, model);
        ++counts.at(static_cast<std::size_t>(result.verdict));
        if (result.verdict == verify::Verdict::ok) continue;
        const bool wrong = result.verdict == verify::Verdict::wrong;
        std::printf("%s: %s%s\n", model.c_str(), wrong ? "wrong: " : "", result.line.c_str());
        std::fflush(stdout);  // whatever happens next, what was found so far is there
    }
    std::printf("%d ok, %d unsupported, %d wrong\n", counts[0], counts[2], counts[1]);
    finish(counts[1] > 0 ? verify::Verdict::wrong : counts[2] > 0 ? verify::Verdict::unsupported : verify::Verdict::ok);
}

}  // namespace

void add_verify(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("verify", "Compare networks with recorded results (ONNX test data)");
    command->add_option("models", options->models, "an ONNX file, or folders with model.onnx and test_data_set_*")
        ->required();
    command->add_option("--data", options->data, "the folder with input_0.pb, output_0.pb, … of an ONNX file");
    command->footer("Ends with 0 where everything agrees, 1 where something differs, 3 where a network cannot be run.");
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
