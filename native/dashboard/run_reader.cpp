// See run_reader.hpp.
#include "native/dashboard/run_reader.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>

#include "native/dashboard/test_report.hpp"

namespace ouaf::dashboard {
namespace {

Curve column(const EventTable& table, const char* x, const char* y) {
    return curve_of(table.numbers(x), table.numbers(y));
}

RunCurves curves_of(const RunLog& log) {
    RunCurves curves;
    if (const EventTable* steps = log.find("step")) {
        curves.loss = column(*steps, "epoch", "loss");
        curves.learning_rate = column(*steps, "epoch", "learning_rate");
        curves.gradient_norm = column(*steps, "epoch", "gradient_norm");
    }
    if (const EventTable* iterations = log.find("iteration")) curves.loss = column(*iterations, "iteration", "loss");
    if (const EventTable* epochs = log.find("epoch")) {
        curves.training_loss = column(*epochs, "epoch", "loss");
        curves.validation_loss = column(*epochs, "epoch", "validation_loss");
        curves.validation_top1 = column(*epochs, "epoch", "validation_top1");
        curves.validation_top5 = column(*epochs, "epoch", "validation_top5");
        curves.images_per_second = column(*epochs, "epoch", "images_per_second");
        curves.data_share = column(*epochs, "epoch", "data_share");
        if (curves.learning_rate.x.empty()) curves.learning_rate = column(*epochs, "epoch", "learning_rate");
    }
    return curves;
}

// Events that are rare and explain a bend in the curves.
std::vector<std::string> notes_of(const RunLog& log) {
    std::vector<std::string> notes;
    if (const EventTable* setbacks = log.find("setback")) {
        for (std::size_t row = 0; row < setbacks->rows; ++row) {
            std::array<char, 128> text{};
            std::snprintf(text.data(), text.size(), "epoch %.0f: %s; learning rate %.3g from there on",
                          setbacks->numbers("epoch")[row], setbacks->texts("cause")[row].c_str(),
                          setbacks->numbers("learning_rate")[row]);
            notes.emplace_back(text.data());
        }
    }
    if (const EventTable* changes = log.find("changed")) {
        const auto note = [&](std::size_t row, const char* key, const char* format) {
            const std::span<const double> values = changes->numbers(key);
            if (row >= values.size() || std::isnan(values[row])) return;
            std::array<char, 128> text{};
            std::snprintf(text.data(), text.size(), format, changes->numbers("epoch")[row], values[row]);
            notes.emplace_back(text.data());
        };
        for (std::size_t row = 0; row < changes->rows; ++row) {
            note(row, "learning_rate", "epoch %.2f: learning rate set to %.3g");
            note(row, "epochs", "epoch %.2f: number of epochs set to %.0f");
        }
    }
    return notes;
}

bool ends_within_line(const RunLog& log) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(log.file, error);
    return !error && size > log.bytes;
}

}  // namespace

std::string safetensors_fault(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) return "";
    const auto size = static_cast<std::uint64_t>(file.tellg());
    std::array<char, 8> bytes{};
    file.seekg(0);
    file.read(bytes.data(), bytes.size());
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        length |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes.at(i))) << (8 * i);
    if (!file || length > size - bytes.size()) return "is cut off or no checkpoint";
    std::string header(length, '\0');
    file.read(header.data(), static_cast<std::streamsize>(length));
    const auto tensors = nlohmann::json::parse(header, nullptr, false);
    if (!file || !tensors.is_object()) return "has a damaged header";
    std::uint64_t end = 0;
    for (const auto& [name, tensor] : tensors.items()) {
        if (name == "__metadata__") continue;
        const auto offsets = tensor.find("data_offsets");
        if (offsets == tensor.end() || !offsets->is_array() || offsets->size() != 2 ||
            !offsets->at(1).is_number_unsigned())
            return "has a damaged header";
        end = std::max(end, offsets->at(1).get<std::uint64_t>());
    }
    return bytes.size() + length + end == size ? "" : "is cut off";
}

std::shared_ptr<RunView> RunReader::view() const {
    auto view = std::make_shared<RunView>();
    view->folder = folder_;
    view->version = version_;
    view->error = last_error_;
    if (!log_) return view;
    view->curves = curves_of(*log_);
    view->summary = summarise(*log_);
    view->notes = notes_of(*log_);
    if (const EventTable* tests = log_->find("test"))
        for (std::size_t row = 0; row < std::min(tests->texts("weights").size(), tests->numbers("top1").size()); ++row)
            view->tests.emplace_back(tests->texts("weights")[row], tests->numbers("top1")[row]);
    view->damaged = log_->damaged;
    view->half_line = ends_within_line(*log_);
    view->by_iterations = log_->find("iteration") != nullptr;
    view->has_model = had_model_;
    view->has_report = had_report_;
    for (const auto& [kind, table] : log_->tables) view->events += table.rows;
    if (const EventTable* start = log_->find("start"); start && !start->numbers("time").empty())
        view->began = start->numbers("time")[0];
    const std::filesystem::path checkpoint = folder_ / "last.safetensors";
    const std::string fault = safetensors_fault(checkpoint);
    if (!fault.empty())
        view->checkpoint = checkpoint.string() + ": " + fault +
                           "; the run can't go on from it, but its curves and its exported model are whole";
    try {
        view->keys = recipe_keys(folder_);
    } catch (const std::exception& error) {
        view->error = error.what();
    }
    return view;
}

std::shared_ptr<const RunView> RunReader::read() {
    std::string error;
    bool changed = false;
    try {
        if (!log_) {
            log_ = read_run_log(folder_);
            changed = true;
        } else {
            changed = read_more(*log_);
        }
        std::error_code ignored;
        const std::uintmax_t size = std::filesystem::file_size(log_->file, ignored);
        const bool has_model = std::filesystem::exists(folder_ / "model" / "model.json", ignored);
        const bool has_report = has_test_report(folder_);
        changed = changed || size != size_ || has_model != had_model_ || has_report != had_report_;
        size_ = size;
        had_model_ = has_model;
        had_report_ = has_report;
    } catch (const std::exception& caught) {
        error = caught.what();
    }
    if (!changed && error == last_error_) return nullptr;
    last_error_ = error;
    ++version_;
    return view();
}

std::vector<std::filesystem::path> find_runs(const std::filesystem::path& root) {
    std::vector<std::pair<std::filesystem::file_time_type, std::filesystem::path>> found;
    std::error_code error;
    for (auto entry = std::filesystem::recursive_directory_iterator(
             root, std::filesystem::directory_options::skip_permission_denied, error);
         !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
        constexpr int deepest = 3;  // runs of a tuning lie below their own folder
        if (entry.depth() >= deepest || entry->path().filename() == "model") entry.disable_recursion_pending();
        const std::filesystem::path metrics = entry->path() / "metrics.jsonl";
        std::error_code ignored;
        if (!entry->is_directory(ignored) || !std::filesystem::exists(metrics, ignored)) continue;
        found.emplace_back(std::filesystem::last_write_time(metrics, ignored), entry->path());
        entry.disable_recursion_pending();
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::filesystem::path> runs;
    for (auto& [time, path] : found) runs.push_back(std::move(path));
    return runs;
}

}  // namespace ouaf::dashboard
