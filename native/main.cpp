// ouaf: trains an image classifier and ships it as a static page. The subcommands are in native/commands/.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <string>

#include "native/commands/commands.hpp"

int main(int argc, char** argv) {
    // Freed memory stays with the program. Activations of every step are as large as those of the one before; given
    // back to the system they would have to be mapped and zeroed again each time.
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1);
    CLI::App app("Trains an image classifier, measures it, and ships it as a page that runs in the visitor's browser.",
                 "ouaf");
    app.require_subcommand(1);
    ouaf::commands::add_dataset(app);
    ouaf::commands::add_train(app);
    ouaf::commands::add_tune(app);
    ouaf::commands::add_blend(app);
    ouaf::commands::add_evaluate(app);
    ouaf::commands::add_calibrate(app);
    ouaf::commands::add_compare(app);
    ouaf::commands::add_dashboard(app);
    ouaf::commands::add_predict(app);
    ouaf::commands::add_import(app);
    ouaf::commands::add_export(app);
    ouaf::commands::add_publish(app);
    ouaf::commands::add_verify(app);
    ouaf::commands::add_bench(app);
    try {
        app.parse(argc, argv);
        return 0;
    } catch (const CLI::RuntimeError& error) {
        return error.get_exit_code();  // the command has said all there is to say
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        const std::string message = error.what();
        std::cerr << "ouaf: " << message.substr(0, message.find('\n')) << "\n";  // what follows is a library's trace
        return 1;
    }
}
