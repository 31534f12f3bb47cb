// A folder of its own for each test of data sets, removed at its end.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "native/data/dataset.hpp"

namespace ouaf {

struct Folder {
    std::filesystem::path root;

    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "ouaf_data_XXXXXX").string();
        root = mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(
                 root, std::filesystem::directory_options::skip_permission_denied)) {
            if (entry.is_directory()) std::filesystem::permissions(entry, std::filesystem::perms::owner_all);
        }
        std::filesystem::remove_all(root);
    }

    void write(const std::string& path, const std::string& content = "") const {
        std::filesystem::create_directories((root / path).parent_path());
        std::ofstream(root / path, std::ios::binary) << content;
    }
    // Empty files named 0.jpg, 1.jpg, …: for tests that open no photo.
    void write_photos(const std::string& folder, int count) const {
        for (int i = 0; i < count; ++i) write(folder + "/" + std::to_string(i) + ".jpg");
    }
    // "class: path under the root" of each photo, in order
    std::vector<std::string> list(const Dataset& data) const {
        std::vector<std::string> lines;
        for (const Sample& sample : data.samples) {
            lines.push_back(data.classes.at(sample.label).folder + ": " +
                            std::filesystem::relative(sample.path, root).string());
        }
        return lines;
    }
};

}  // namespace ouaf
