// ouaf publish: the page and a model as one folder that any static host can serve.
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "native/bundle/checksum.hpp"
#include "native/bundle/model.hpp"
#include "native/commands/commands.hpp"
#include "native/commands/progress_line.hpp"
#include "native/files/files.hpp"
#include "native/site/check.hpp"
#include "native/site/file_list.hpp"
#include "shared/preprocess/decode.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace ouaf::commands {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string model = "models/dogs";
    std::string out;
    std::string examples;
    std::string check;
};

// The page as it was built, beside this program's own folder.
fs::path built_page() {
    const fs::path page = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "wasm" / "page";
    if (!fs::exists(page / "whole"))
        throw std::runtime_error(page.string() + ": the page is not built; run ./run build");
    return page;
}

std::vector<std::uint8_t> gzip(std::span<const std::uint8_t> bytes, int strategy) {
    z_stream stream{};
    constexpr int gzip_window = 15 + 16;  // deflateInit2: the largest window, and a gzip header
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window, 9, strategy) != Z_OK) throw std::bad_alloc();
    std::vector<std::uint8_t> packed(deflateBound(&stream, bytes.size()));
    stream.next_in = const_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

// Text repeats itself. Weights don't: looking for repetition takes an eighth more bytes for those of three or four
// bits.
std::vector<std::uint8_t> smallest_gzip(std::span<const std::uint8_t> bytes) {
    std::vector<std::uint8_t> with_repetition = gzip(bytes, Z_DEFAULT_STRATEGY);
    std::vector<std::uint8_t> without = gzip(bytes, Z_HUFFMAN_ONLY);
    return without.size() < with_repetition.size() ? without : with_repetition;
}

nlohmann::ordered_json download(const std::string& path, std::span<const std::uint8_t> lying,
                                std::span<const std::uint8_t> inflated) {
    return {{"path", path}, {"bytes", lying.size()}, {"inflated", inflated.size()}, {"sha256", sha256(inflated)}};
}

// Puts `from` into the site packed, and into a list of downloads.
void add_packed(const fs::path& site, const std::string& path, const fs::path& from,
                nlohmann::ordered_json& downloads) {
    const std::vector<std::uint8_t> bytes = read_file(from);
    const std::vector<std::uint8_t> packed = smallest_gzip(bytes);
    fs::create_directories((site / path).parent_path());
    write_file(site / (path + ".gz"), packed);
    downloads.push_back(download(path + ".gz", packed, bytes));
}

// Photos that the page offers to try, in the order of their names. They are copied as they are, so whoever publishes
// chooses their size; each must be one that the page can read.
nlohmann::ordered_json add_examples(const fs::path& site, const fs::path& folder, const PreprocessSpec& spec) {
    if (!fs::is_directory(folder)) throw std::runtime_error(folder.string() + ": there is no such folder");
    std::vector<fs::path> photos;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.is_regular_file()) photos.push_back(entry.path());
    }
    if (photos.empty()) throw std::runtime_error(folder.string() + ": there are no photos in this folder");
    std::ranges::sort(photos);
    fs::create_directories(site / "examples");
    auto paths = nlohmann::ordered_json::array();
    for (const fs::path& photo : photos) {
        try {
            decode(read_file(photo), spec.resize);
        } catch (const PhotoError& error) {
            throw std::runtime_error(photo.string() + ": " + error.what());
        }
        const fs::path path = fs::path("examples") / photo.filename();
        fs::copy_file(photo, site / path);
        paths.push_back(path.generic_string());
    }
    return paths;
}

void assemble(const fs::path& page, const fs::path& model, const Bundle& bundle, const fs::path& site,
              const fs::path& examples) {
    auto downloads = nlohmann::ordered_json::array(), for_graphics_cards = downloads;
    for (const auto& entry : fs::recursive_directory_iterator(page)) {
        const fs::path relative = fs::relative(entry.path(), page);
        if (!entry.is_regular_file() || relative == "whole") continue;
        fs::create_directories((site / relative).parent_path());
        const std::string path = relative.generic_string();
        const bool optional = site::only_for_graphics_cards(path);
        if (relative.extension() == ".wasm") {
            add_packed(site, path, entry.path(), optional ? for_graphics_cards : downloads);
            continue;
        }
        fs::copy_file(entry.path(), site / relative);
        if (!optional) continue;
        const std::vector<std::uint8_t> script = read_file(entry.path());
        for_graphics_cards.push_back(download(path, script, script));
    }
    add_packed(site, "model/model.onnx", model / bundle.file, downloads);
    // The bundle's own file is laid out for reading; the page need not carry the spaces.
    write_text(site / "model" / "model.json", nlohmann::ordered_json::parse(read_text(model / "model.json")).dump());
    nlohmann::ordered_json manifest{
        {"format", 1}, {"model", "model/model.json"}, {"downloads", downloads}, {"graphics_card", for_graphics_cards}};
    if (!examples.empty()) manifest["examples"] = add_examples(site, examples, bundle.preprocess);
    write_text(site / "site.json", manifest.dump() + "\n");
    site::write_file_list(site);
}

// Looks at the folder `lying` somewhere; messages name it `site`.
void check(const fs::path& lying, const fs::path& site) {
    const auto [faults, page, for_graphics_cards] = site::check(lying);
    for (const std::string& fault : faults) std::fprintf(stderr, "%s/%s\n", site.c_str(), fault.c_str());
    if (!faults.empty()) {
        throw std::runtime_error(site.string() + ": " + std::to_string(faults.size()) +
                                 (faults.size() == 1 ? " fault" : " faults") + " in the folder, named above");
    }
    std::printf(
        "%s: %s bytes in %zu files, and %s in %zu that only visitors fetch who try their graphics card; each as it was "
        "published, and no address leaves the folder\n",
        site.c_str(), grouped(page.bytes).c_str(), page.files, grouped(for_graphics_cards.bytes).c_str(),
        for_graphics_cards.files);
}

constexpr const char* hosting_notes = R"(To host the page, copy this folder:
  GitHub Pages    its content into what Pages publishes
  nginx           location /dogs/ { alias /srv/dogs/; }, and in the http block: types { text/javascript mjs; }
  a plain folder  into any that a web server shows; https or localhost for cache, camera and threads
Check the copy with: ouaf publish --check FOLDER. What a host should send: docs/hosting.md
)";

void publish(const Options& options) {
    const Model model = load_model(options.model);
    const fs::path page = built_page(), site = options.out;
    if (fs::exists(site) && !fs::is_empty(site) && !fs::exists(site / "site.json")) {
        throw std::runtime_error(site.string() + ": this folder holds other files; give an empty or a new one");
    }
    const fs::path unfinished = fs::path(site).concat(".unfinished");
    fs::remove_all(unfinished);
    fs::create_directories(unfinished);
    assemble(page, options.model, model.bundle, unfinished, options.examples);
    check(unfinished, site);
    fs::remove_all(site);
    fs::rename(unfinished, site);
    std::printf("%s: the whole page with model '%s'\n%s", site.c_str(), model.bundle.name.c_str(), hosting_notes);
}

}  // namespace

void add_publish(CLI::App& app) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("publish", "Write the page with a model, as a folder for any static host");
    CLI::Option* model =
        command->add_option("--model", options->model, "a model bundle's folder")->capture_default_str();
    CLI::Option* examples =
        command->add_option("--examples", options->examples, "a folder of photos that the page offers to try");
    CLI::Option_group* what = command->add_option_group("One of");
    what->add_option("--out", options->out, "the folder to write");
    CLI::Option* copy =
        what->add_option("--check", options->check, "a folder that was written or copied: is it whole and unchanged?")
            ->excludes(model, examples);
    what->require_option(1);
    command->callback([options, copy] {
        if (copy->count() > 0) check(options->check, options->check);
        else publish(*options);
    });
}

}  // namespace ouaf::commands
