#include "native/site/file_list.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "native/bundle/checksum.hpp"
#include "native/files/files.hpp"

namespace ouaf::site {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view head = "self.siteFiles = ",
                           tail = ";\n";  // a script: a service worker can load no JSON at its start

bool kept_by_the_service_worker(const std::string& path) {
    return !path.ends_with(".gz") && !path.starts_with("examples/") && path != "service_worker.js" &&
           !only_for_graphics_cards(path);
}

nlohmann::ordered_json to_json(const std::vector<File>& files) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& [path, bytes, sha256] : files)
        list.push_back({{"path", path}, {"bytes", bytes}, {"sha256", sha256}});
    return list;
}

std::vector<File> files_from(const nlohmann::json& list) {
    std::vector<File> files;
    for (const auto& file : list) files.push_back({file.at("path"), file.at("bytes"), file.at("sha256")});
    return files;
}

std::string version_of(const FileList& list) {
    const std::string all = to_json(list.kept).dump() + to_json(list.others).dump();
    return sha256({reinterpret_cast<const std::uint8_t*>(all.data()), all.size()}).substr(0, 16);
}

}  // namespace

bool only_for_graphics_cards(std::string_view path) {
    return path.find(".jspi.") != path.npos;  // as ONNX Runtime calls its build for them
}

std::vector<std::string> files_of(const fs::path& site) {
    std::vector<std::string> paths;
    for (const auto& entry : fs::recursive_directory_iterator(site)) {
        if (entry.is_regular_file()) paths.push_back(fs::relative(entry.path(), site).generic_string());
    }
    std::ranges::sort(paths);
    return paths;
}

void write_file_list(const fs::path& site) {
    FileList list;
    for (const std::string& path : files_of(site)) {
        if (path == list_name) continue;
        const std::vector<std::uint8_t> bytes = read_file(site / path);
        (kept_by_the_service_worker(path) ? list.kept : list.others).push_back({path, bytes.size(), sha256(bytes)});
    }
    const nlohmann::ordered_json content{
        {"version", version_of(list)}, {"files", to_json(list.kept)}, {"others", to_json(list.others)}};
    write_text(site / list_name, std::string(head) + content.dump() + std::string(tail));
}

FileList read_file_list(const fs::path& site) {
    if (!fs::is_directory(site)) throw std::runtime_error(site.string() + ": there is no such folder");
    const fs::path path = site / list_name;
    if (!fs::exists(path))
        throw std::runtime_error(path.string() +
                                 ": missing; give a folder that `ouaf publish` wrote, or a copy of one");
    const std::string text = read_text(path);
    const auto broken = [&path] {
        return std::runtime_error(path.string() + ": cut or changed since it was published; copy it again");
    };
    if (!text.starts_with(head) || !text.ends_with(tail)) throw broken();
    FileList list;
    try {
        const auto content = nlohmann::json::parse(text.begin() + head.size(), text.end() - tail.size());
        list = {content.at("version"), files_from(content.at("files")), files_from(content.at("others"))};
    } catch (const nlohmann::json::exception&) {
        throw broken();
    }
    if (list.version != version_of(list)) throw broken();
    return list;
}

}  // namespace ouaf::site
