// ouaf tune TUNING: searches for a recipe's best values. ouaf tune --show FOLDER: how the search stands.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "native/commands/commands.hpp"
#include "native/commands/stop_signals.hpp"
#include "native/files/files.hpp"
#include "native/tune/report.hpp"
#include "native/tune/tune.hpp"

namespace ouaf::commands {
namespace {

struct Options {
    std::string tuning;
    std::string data;
    std::string out;
    std::string resume;
    std::string show;
};

void print_trial(const TrialRecord& record) {
    std::string keys;
    for (const std::string& override : record.overrides) keys += "  " + override;
    if (record.failure.empty())
        std::printf("trial %d%s  epoch %d  validation loss %.4f  top-1 %.2f %%  %.0f s\n", record.job.trial,
                    keys.c_str(), record.last.epoch, record.last.validation_loss, 100 * record.last.validation_top1,
                    record.seconds);
    else std::printf("trial %d%s  failed: %s\n", record.job.trial, keys.c_str(), record.failure.c_str());
    std::fflush(stdout);
}

// trials.csv, best.toml and the table.
void conclude(const Tuning& tuning, const std::filesystem::path& folder) {
    const std::vector<TrialRow> rows = rows_of(tuning, read_records(folder));
    write_text(folder / "trials.csv", csv_of(tuning, rows));
    std::printf("\n%s", table_of(tuning, rows).c_str());
    if (rows.empty() || !rows[0].highest.failure.empty())
        throw std::runtime_error(folder.string() + ": every trial failed; their causes are in trials.csv");
    const std::filesystem::path best = folder / "best.toml";
    write_text(best, recipe_of(tuning, rows[0], folder.filename().string() + "_best"));
    std::printf("\nbest recipe: %s\n", best.c_str());
}

void run(const Options& options) {
    if (!options.show.empty()) {
        const std::filesystem::path folder = options.show;
        const Tuning tuning = read_tuning(folder / "tune.toml");
        std::fputs(table_of(tuning, rows_of(tuning, read_records(folder))).c_str(), stdout);
        return;
    }
    const bool resuming = !options.resume.empty();
    if (options.tuning.empty() && !resuming)
        throw CLI::RequiredError("a tuning's file, or --resume or --show with a folder");
    const std::filesystem::path file =
        resuming ? std::filesystem::path(options.resume) / "tune.toml" : std::filesystem::path(options.tuning);
    std::filesystem::path folder = resuming ? options.resume : options.out;
    if (folder.empty()) folder = "runs" / file.stem();
    folder = folder.lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();  // FOLDER/
    const std::atomic<bool>& stopped = stop_on_signals();
    const Tuning tuning = read_tuning(file);
    if (!tune(tuning, options.data, folder, stopped, print_trial)) {
        std::printf("stopped and saved; go on with: ouaf tune --resume %s\n", folder.c_str());
        return;
    }
    conclude(tuning, folder);
}

}  // namespace

void add_tune(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("tune", "Search for a recipe's best values: grid, random or ASHA");
    CLI::Option* tuning =
        command->add_option("tuning", options->tuning, "a TOML file, such as recipes/tune_mnist.toml");
    CLI::Option* data = command->add_option("--data", options->data, "the data set's folder, instead of the recipe's");
    CLI::Option* out =
        command->add_option("--out", options->out, "the search's folder (default: runs/ and the file's name)");
    CLI::Option* resume = command->add_option("--resume", options->resume, "go on with the search in this folder");
    CLI::Option* show = command->add_option("--show", options->show, "print the table of the search in this folder");
    for (CLI::Option* other : {tuning, data, out}) {
        resume->excludes(other);
        show->excludes(other);
    }
    resume->excludes(show);
    command->callback([options] { run(*options); });
}

}  // namespace ouaf::commands
