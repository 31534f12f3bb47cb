// Tuning: the trials of a search (ouaf tune), as a table and as lines through the values that they had.
#include <imgui.h>
#include <imgui_stdlib.h>
#include <implot.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "native/dashboard/panels/panels.hpp"
#include "native/dashboard/trials.hpp"

namespace ouaf::dashboard {
namespace {

class TuningPanel : public Panel {
 public:
    const char* title() const override { return "Tuning"; }
    Place place() const override { return Place::main; }
    bool waits(const App&) const override { return reading_; }

    void draw(App& app) override {
        read(app);
        ImGui::SetNextItemWidth(em(20));
        if (ImGui::BeginCombo("search", folder_.empty() ? "none" : folder_.filename().c_str())) {
            for (const std::filesystem::path& folder : searches_)
                if (ImGui::Selectable(folder.c_str(), folder == folder_)) choose(folder);
            ImGui::EndCombo();
        }
        if (folder_.empty()) {
            empty_state(
                "No search here",
                "ouaf tune FILE.toml tries values of a recipe's keys. Its trials are shown here while it goes on, "
                "and afterwards.");
            return;
        }
        if (!trials_ || trials_->rows.empty()) {
            empty_state("No trial is done yet", trials_ ? trials_->error.c_str() : "");
            return;
        }
        const float height = ImGui::GetContentRegionAvail().y;
        if (trials_->keys.size() > 0) draw_lines(height * 0.45F);
        draw_table(app);
    }

 private:
    void choose(const std::filesystem::path& folder) {
        folder_ = folder;
        trials_.reset();
        next_ = {};
    }

    void read(App& app) {
        const auto now = std::chrono::steady_clock::now();
        if (reading_ || now < next_) return;
        next_ = now + std::chrono::seconds(2);
        reading_ = true;
        app.files.add([this, folder = folder_, root = app.runs_folder] {
            const std::vector<std::filesystem::path> searches = find_searches(root);
            const std::filesystem::path chosen = folder.empty() && !searches.empty() ? searches.front() : folder;
            auto trials = std::make_shared<const Trials>(chosen.empty() ? Trials{} : read_trials(chosen));
            return [this, folder, chosen, searches, trials] {
                reading_ = false;
                searches_ = searches;
                if (folder_ != folder) return;
                folder_ = chosen;
                trials_ = trials;
            };
        });
    }

    std::vector<std::size_t> sorted(const ImGuiTableSortSpecs* specs) const {
        std::vector<std::size_t> order(trials_->rows.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        const int column = specs && specs->SpecsCount > 0 ? specs->Specs[0].ColumnIndex : 2;
        const bool falls =
            specs && specs->SpecsCount > 0 ? specs->Specs[0].SortDirection == ImGuiSortDirection_Descending : false;
        const auto before = [&](std::size_t a, std::size_t b) {
            const TrialRow& first = trials_->rows[falls ? b : a];
            const TrialRow& second = trials_->rows[falls ? a : b];
            switch (column) {
                case 0: return first.trial < second.trial;
                case 1: return first.epochs < second.epochs;
                case 2: return first.validation_loss < second.validation_loss;
                case 3: return first.validation_top1 < second.validation_top1;
                case 4: return first.seconds < second.seconds;
                default: {
                    const auto key = static_cast<std::size_t>(column - 5);
                    return value_of(first.values[key]) < value_of(second.values[key]);
                }
            }
        };
        std::stable_sort(order.begin(), order.end(), before);
        return order;
    }

    void draw_table(App& app) {
        constexpr ImGuiTableFlags flags = ImGuiTableFlags_ScrollY | ImGuiTableFlags_ScrollX | ImGuiTableFlags_RowBg |
                                          ImGuiTableFlags_PadOuterX | ImGuiTableFlags_Sortable |
                                          ImGuiTableFlags_Resizable;
        if (!ImGui::BeginTable("trials", static_cast<int>(trials_->keys.size()) + 5, flags)) return;
        ImGui::TableSetupScrollFreeze(1, 1);
        for (const char* name : {"trial", "epochs", "validation loss", "top-1", "seconds"})
            ImGui::TableSetupColumn(
                name, std::string_view(name) == "validation loss" ? ImGuiTableColumnFlags_DefaultSort : 0);
        for (const std::string& key : trials_->keys) ImGui::TableSetupColumn(key.c_str());
        ImGui::TableHeadersRow();
        for (const std::size_t i : sorted(ImGui::TableGetSortSpecs())) {
            const TrialRow& row = trials_->rows[i];
            ImGui::TableNextRow();
            ImGui::TableNextColumn();
            if (ImGui::Selectable(std::to_string(row.trial).c_str(), chosen_ == i,
                                  ImGuiSelectableFlags_SpanAllColumns)) {
                chosen_ = i;
                app.open_run(row.run);
            }
            ImGui::SetItemTooltip("open %s", row.run.c_str());
            ImGui::TableNextColumn();
            if (row.failure.empty()) {
                ImGui::Text("%d", row.epochs);
                ImGui::TableNextColumn();
                ImGui::Text("%.4f", row.validation_loss);
                ImGui::TableNextColumn();
                ImGui::Text("%.2f %%", 100 * row.validation_top1);
            } else {
                ImGui::PushStyleColor(ImGuiCol_Text, bad_colour());
                ImGui::TextUnformatted("failed");
                ImGui::PopStyleColor();
                ImGui::SetItemTooltip("%s", row.failure.c_str());
                ImGui::TableNextColumn();
                ImGui::TableNextColumn();
            }
            ImGui::TableNextColumn();
            ImGui::Text("%.1f", row.seconds);
            for (const std::string& value : row.values) {
                ImGui::TableNextColumn();
                ImGui::TextUnformatted(value.c_str());
            }
        }
        ImGui::EndTable();
    }

    // Parallel coordinates: an upright axis a key, and the last for the measure; a line a trial, the better the
    // stronger.
    void draw_lines(float height) {
        constexpr ImPlotFlags flags = ImPlotFlags_NoLegend | ImPlotFlags_NoMenus | ImPlotFlags_NoMouseText |
                                      ImPlotFlags_NoBoxSelect | ImPlotFlags_NoTitle | ImPlotFlags_NoInputs;
        if (!ImPlot::BeginPlot("##lines", {-1, height}, flags)) return;
        const std::vector<Axis> axes = axes_of(*trials_);
        std::vector<double> places;
        std::vector<const char*> names;
        for (std::size_t i = 0; i < axes.size(); ++i) {
            places.push_back(static_cast<double>(i));
            names.push_back(axes[i].name.c_str());
        }
        ImPlot::SetupAxes(nullptr, nullptr, ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_NoTickMarks,
                          ImPlotAxisFlags_NoDecorations);
        ImPlot::SetupAxisLimits(ImAxis_X1, -0.25, static_cast<double>(axes.size()) - 0.75, ImPlotCond_Always);
        ImPlot::SetupAxisLimits(ImAxis_Y1, -0.12, 1.12, ImPlotCond_Always);
        ImPlot::SetupAxisTicks(ImAxis_X1, places.data(), static_cast<int>(places.size()), names.data());
        for (std::size_t trial = 0; trial < trials_->rows.size(); ++trial) {
            std::vector<double> y;
            for (const Axis& axis : axes) y.push_back(axis.places[trial]);
            if (std::isnan(y.back())) continue;
            ImPlotSpec spec;
            const auto good = static_cast<float>(y.back());
            spec.LineColor =
                with_alpha(series_colour(chosen_ == trial ? 1 : 0), chosen_ == trial ? 1 : 0.15F + 0.85F * good * good);
            spec.LineWeight = chosen_ == trial ? 3.0F : 1.2F + 1.2F * good;
            ImPlot::PlotLine(("##" + std::to_string(trial)).c_str(), places.data(), y.data(),
                             static_cast<int>(y.size()), spec);
        }
        ImDrawList& list = *ImPlot::GetPlotDrawList();
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const auto x = static_cast<double>(i);
            const ImVec2 top = ImPlot::PlotToPixels(x, 1.0);
            const ImVec2 bottom = ImPlot::PlotToPixels(x, 0.0);
            const ImU32 faint = ImGui::GetColorU32(faint_colour());
            list.AddLine(top, bottom, faint);
            const auto centred = [&](const std::string& text, ImVec2 at, float above) {
                const ImVec2 size = ImGui::CalcTextSize(text.c_str());
                list.AddText({at.x - size.x / 2, at.y - above * size.y}, faint, text.c_str());
            };
            centred(axes[i].high, top, 1.1F);
            centred(axes[i].low, bottom, -0.1F);
        }
        ImPlot::EndPlot();
    }

    std::vector<std::filesystem::path> searches_;
    std::filesystem::path folder_;
    std::shared_ptr<const Trials> trials_;
    std::optional<std::size_t> chosen_;
    bool reading_ = false;
    std::chrono::steady_clock::time_point next_;
};

}  // namespace

std::unique_ptr<Panel> make_tuning() { return std::make_unique<TuningPanel>(); }

}  // namespace ouaf::dashboard
