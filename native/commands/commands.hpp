// The subcommands: each adds itself to the program with its options and what it does.
#pragma once

#include <CLI/App.hpp>

namespace ouaf::commands {

void add_dataset(CLI::App& app);
void add_train(CLI::App& app);
void add_tune(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_calibrate(CLI::App& app);
void add_compare(CLI::App& app);
void add_dashboard(CLI::App& app);
void add_bench(CLI::App& app);
void add_blend(CLI::App& app);
void add_predict(CLI::App& app);
void add_import(CLI::App& app);
void add_export(CLI::App& app);
void add_publish(CLI::App& app);
void add_verify(CLI::App& app);

}  // namespace ouaf::commands
