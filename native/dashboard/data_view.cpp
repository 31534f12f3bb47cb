// See data_view.hpp.
#include "native/dashboard/data_view.hpp"

#include <algorithm>
#include <exception>

namespace ouaf::dashboard {

DataView open_data(const std::filesystem::path& root) {
    DataView view;
    view.root = root;
    try {
        view.data = open_dataset(root);
    } catch (const std::exception& error) {
        view.error = error.what();
        return view;
    }
    const std::vector<Sample>& samples = view.data.all.samples;
    view.counts.resize(view.data.all.classes.size());
    view.of_class.resize(view.counts.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const auto split = view.data.splits.empty() ? 0 : static_cast<std::size_t>(view.data.splits[i]);
        ++view.counts[samples[i].label].at(split);
        view.of_class[samples[i].label].push_back(i);
    }
    return view;
}

std::vector<Finding> find_faults(const DividedDataset& data, const std::function<void(double share)>& progress) {
    const Audit found = audit(data, [&](std::size_t done, std::size_t total) {
        progress(static_cast<double>(done) / static_cast<double>(total));
    });
    std::vector<Finding> findings;
    for (std::size_t i = 0; i < found.photos.size(); ++i)
        if (!found.photos[i].error.empty()) findings.push_back({"can't be read: " + found.photos[i].error, {i}});
    const auto add = [&](const char* what, const auto& holds) {
        for (const LookAlikes& group : found.look_alikes)
            if (holds(group)) findings.push_back({what, group.photos});
    };
    add("one picture, two labels", [](const LookAlikes& group) { return group.two_labels; });
    add("in training and in the test", [](const LookAlikes& group) { return group.leak && !group.two_labels; });
    add("doubles", [](const LookAlikes& group) { return !group.leak && !group.two_labels; });
    return findings;
}

}  // namespace ouaf::dashboard
