// Runs: those that are open, those that lie on the disk, and in what their recipes differ.
#include <imgui.h>
#include <imgui_stdlib.h>
#include <implot.h>

#include <algorithm>
#include <map>
#include <set>

#include "native/dashboard/panels/panels.hpp"

namespace ouaf::dashboard {
namespace {

std::string state_of(const OpenRun& run) {
    if (!run.view) return "reading";
    if (!run.view->error.empty()) return "unreadable";
    if (run.view->summary.finished) return "finished";
    if (run.view->by_iterations) return std::to_string(run.view->summary.iterations) + " iterations";
    return std::to_string(run.view->summary.epochs) + " epochs";
}

std::string top1_of(const OpenRun& run) {
    if (!run.view) return "";
    const std::optional<double>& test = run.view->summary.test_top1;
    const std::optional<double>& validation = run.view->summary.validation_top1;
    if (!test && !validation) return "";
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f %%", 100 * (test ? *test : *validation));
    return text.data();
}

class Runs : public Panel {
 public:
    const char* title() const override { return "Runs"; }
    Place place() const override { return Place::left; }

    void draw(App& app) override {
        draw_open_runs(app);
        draw_opener(app);
        draw_differences(app);
    }

 private:
    static void draw_open_runs(App& app) {
        if (app.runs.empty()) {
            ImGui::PushStyleColor(ImGuiCol_Text, faint_colour());
            ImGui::TextWrapped("No run is open. Start one below, or open one that is there.");
            ImGui::PopStyleColor();
            return;
        }
        if (!ImGui::BeginTable("open", 4, ImGuiTableFlags_PadOuterX)) return;
        ImGui::TableSetupColumn("shown", ImGuiTableColumnFlags_WidthFixed);
        ImGui::TableSetupColumn("run", ImGuiTableColumnFlags_WidthStretch);
        ImGui::TableSetupColumn("top-1", ImGuiTableColumnFlags_WidthFixed);
        ImGui::TableSetupColumn("close", ImGuiTableColumnFlags_WidthFixed);
        std::optional<std::size_t> closed;
        for (std::size_t i = 0; i < app.runs.size(); ++i) {
            OpenRun& run = app.runs[i];
            ImGui::PushID(run.folder.c_str());
            ImGui::TableNextRow();
            ImGui::TableNextColumn();
            ImGui::PushStyleColor(ImGuiCol_CheckMark, series_colour(run.colour));
            ImGui::Checkbox("##shown", &run.shown);
            ImGui::SetItemTooltip("shown among the curves");
            ImGui::PopStyleColor();
            ImGui::TableNextColumn();
            if (ImGui::Selectable(run.folder.filename().c_str(), app.current == i)) app.current = i;
            ImGui::SetItemTooltip("%s", run.folder.c_str());
            const bool bad = run.view && !run.view->error.empty();
            ImGui::PushStyleColor(ImGuiCol_Text, bad ? bad_colour() : faint_colour());
            ImGui::TextUnformatted(state_of(run).c_str());
            ImGui::PopStyleColor();
            ImGui::TableNextColumn();
            ImGui::TextUnformatted(top1_of(run).c_str());
            ImGui::SetItemTooltip("top-1 of the test, or of the best epoch's validation until there is one");
            ImGui::TableNextColumn();
            if (ImGui::SmallButton("x")) closed = i;
            ImGui::SetItemTooltip("close it here; its folder stays");
            ImGui::PopID();
        }
        ImGui::EndTable();
        if (closed) app.close_run(*closed);
        const RunView* view = app.run();
        if (view && !view->error.empty()) {
            ImGui::PushStyleColor(ImGuiCol_Text, bad_colour());
            ImGui::TextWrapped("%s", view->error.c_str());
            ImGui::PopStyleColor();
        }
    }

    void draw_opener(App& app) {
        ImGui::Spacing();
        ImGui::SetNextItemWidth(-em(5));
        const bool entered =
            ImGui::InputTextWithHint("##path", "a run's folder", &path_, ImGuiInputTextFlags_EnterReturnsTrue);
        ImGui::SameLine();
        ImGui::BeginDisabled(path_.empty());
        if ((ImGui::Button("Open", {-1, 0}) || entered) && !path_.empty()) {
            app.open_run(path_);
            path_.clear();
        }
        ImGui::EndDisabled();
        const auto is_open = [&](const std::filesystem::path& folder) {
            return std::any_of(app.runs.begin(), app.runs.end(),
                               [&](const OpenRun& run) { return run.folder == folder; });
        };
        if (std::all_of(app.found_runs.begin(), app.found_runs.end(), is_open)) return;
        ImGui::SeparatorText(("In " + app.runs_folder.string()).c_str());
        for (const std::filesystem::path& folder : app.found_runs) {
            if (is_open(folder)) continue;
            if (ImGui::Selectable(folder.lexically_relative(app.runs_folder).c_str())) app.open_run(folder);
            ImGui::SetItemTooltip("open %s", folder.c_str());
        }
    }

    // Keys of the recipes that are not the same in all runs that are shown.
    static void draw_differences(const App& app) {
        std::vector<const OpenRun*> shown;
        std::map<std::string, std::set<std::string>> values;
        for (const OpenRun& run : app.runs)
            if (run.shown && run.view && run.view->error.empty()) shown.push_back(&run);
        if (shown.size() < 2) return;
        for (const OpenRun* run : shown)
            for (const auto& [key, value] : run->view->keys) values[key];
        const auto value_of = [](const OpenRun& run, const std::string& key) {
            const auto found = run.view->keys.find(key);
            return found == run.view->keys.end() ? std::string("-") : found->second;
        };
        for (auto& [key, all] : values)
            for (const OpenRun* run : shown) all.insert(value_of(*run, key));
        std::erase_if(values, [](const auto& item) { return item.second.size() < 2 || item.first == "name"; });
        ImGui::SeparatorText("Recipes differ in");
        if (values.empty()) {
            faint_text("nothing");
            return;
        }
        constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_PadOuterX |
                                          ImGuiTableFlags_BordersInnerV | ImGuiTableFlags_ScrollX |
                                          ImGuiTableFlags_Resizable;
        const float height = ImGui::GetTextLineHeightWithSpacing() * static_cast<float>(values.size() + 2);
        if (!ImGui::BeginTable("differences", static_cast<int>(shown.size()) + 1, flags, {0, height})) return;
        ImGui::TableSetupScrollFreeze(1, 1);
        ImGui::TableSetupColumn("key");
        for (const OpenRun* run : shown) ImGui::TableSetupColumn(run->folder.filename().c_str());
        ImGui::TableHeadersRow();
        for (const auto& [key, all] : values) {
            ImGui::TableNextRow();
            ImGui::TableNextColumn();
            faint_text(key.c_str());
            for (const OpenRun* run : shown) {
                ImGui::TableNextColumn();
                ImGui::TextUnformatted(value_of(*run, key).c_str());
            }
        }
        ImGui::EndTable();
    }

    std::string path_;
};

}  // namespace

std::unique_ptr<Panel> make_runs() { return std::make_unique<Runs>(); }

}  // namespace ouaf::dashboard
