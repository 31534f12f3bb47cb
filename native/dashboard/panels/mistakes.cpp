// Mistakes: what the run's model takes for what, on its test photos.
#include <imgui.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

#include "native/dashboard/confusion_plot.hpp"
#include "native/dashboard/panels/panels.hpp"
#include "native/dashboard/photo_view.hpp"

namespace ouaf::dashboard {
namespace {

class MistakesPanel : public Panel {
 public:
    const char* title() const override { return "Mistakes"; }
    Place place() const override { return Place::main; }
    bool waits(const App& app) const override {
        return app.session.status().state == State::evaluating ||
               (asked_ && !(app.answer && app.answer->photo == *asked_));
    }

    void draw(App& app) override {
        const RunView* run = app.run();
        if (!run) {
            empty_state("No run is open", "The mistakes of a run's model on its test photos are shown here.");
            return;
        }
        const auto found = app.mistakes.find(run->folder);
        const Status& status = app.session.status();
        if (status.state == State::evaluating && status.folder == run->folder) return draw_progress(app);
        if (found == app.mistakes.end()) {
            if (run->has_model && run->has_report && app.read_mistakes(run->folder))
                return void(empty_state("Reading", "The report of the run's test is read."));
            return draw_offer(app, *run);
        }
        const Mistakes& mistakes = *found->second;
        if (of_ != &mistakes) begin(app, mistakes);
        draw_summary(app, mistakes);
        const float room = ImGui::GetContentRegionAvail().x;
        const float left = room - std::clamp(room * 0.38F, em(14), em(30)) - ImGui::GetStyle().ItemSpacing.x;
        if (ImGui::BeginChild("views", {left, 0})) draw_views(app, mistakes);
        ImGui::EndChild();
        ImGui::SameLine();
        if (ImGui::BeginChild("chosen", {0, 0})) draw_chosen(app, mistakes);
        ImGui::EndChild();
    }

 private:
    // With the photos of the most frequent mistake.
    void begin(App& app, const Mistakes& mistakes) {
        of_ = &mistakes;
        cell_.reset();
        photo_.reset();
        rows_.resize(mistakes.classes.size());
        std::iota(rows_.begin(), rows_.end(), 0);
        if (mistakes.pairs.empty()) return;
        const ConfusedPair& most = mistakes.pairs.front();
        choose(app, mistakes,
               most.first_as_second >= most.second_as_first ? Cell{most.first, most.second}
                                                            : Cell{most.second, most.first});
    }

    void choose(App& app, const Mistakes& mistakes, const Cell& cell) {
        cell_ = cell;
        photo_.reset();
        const std::vector<std::size_t> photos = photos_in(mistakes, cell);
        if (!photos.empty()) look_at(app, mistakes, photos.front());
    }

    void look_at(App& app, const Mistakes& mistakes, std::size_t photo) {
        photo_ = photo;
        asked_.reset();
        if (!app.session.status().can_answer()) return;
        asked_ = mistakes.photos[photo].path;
        app.session.answer(*asked_, mistakes.run);
    }

    static std::vector<std::size_t> photos_in(const Mistakes& mistakes, const Cell& cell) {
        std::vector<std::size_t> photos;
        for (std::size_t i = 0; i < mistakes.photos.size(); ++i)
            if (mistakes.photos[i].label == cell.first && mistakes.photos[i].predicted == cell.second)
                photos.push_back(i);
        return photos;
    }

    static void draw_progress(App& app) {
        const Status& status = app.session.status();
        empty_state("Testing", status.stage.c_str());
        ImGui::ProgressBar(static_cast<float>(status.share), {em(20), 0});
        ImGui::SameLine();
        ImGui::BeginDisabled(!status.can_stop());
        if (ImGui::Button("Cancel")) app.session.stop();
        ImGui::EndDisabled();
    }

    static void draw_offer(App& app, const RunView& run) {
        if (!run.has_model) {
            empty_state("No model yet",
                        "A run writes its model when it is finished; its test photos are looked at then, once.");
            return;
        }
        const float left = empty_state("Not tested here yet",
                                       "The run's model is asked for every test photo; on a processor a hundred photos "
                                       "or so take a second.");
        ImGui::Spacing();
        ImGui::SetCursorPosX(left);
        ImGui::BeginDisabled(!app.session.status().can_evaluate());
        if (ImGui::Button("Test the model")) app.session.evaluate(run.folder);
        ImGui::EndDisabled();
        if (!app.session.status().can_evaluate()) faint_text("when the run that goes on is done or stopped");
    }

    static void draw_summary(App& app, const Mistakes& mistakes) {
        ImGui::AlignTextToFramePadding();
        ImGui::Text("top-1 %.2f %%", 100 * mistakes.top1);
        ImGui::SameLine(0, em(1));
        ImGui::Text("top-5 %.2f %%", 100 * mistakes.top5);
        ImGui::SameLine(0, em(1));
        ImGui::Text("%zu photos", mistakes.photos.size());
        if (!mistakes.unreadable.empty()) {
            ImGui::SameLine(0, em(1));
            ImGui::PushStyleColor(ImGuiCol_Text, warning_colour());
            ImGui::Text("%zu can't be read", mistakes.unreadable.size());
            ImGui::PopStyleColor();
            if (ImGui::BeginItemTooltip()) {
                for (std::size_t i = 0; i < std::min<std::size_t>(mistakes.unreadable.size(), 12); ++i)
                    ImGui::TextUnformatted(mistakes.unreadable[i].c_str());
                ImGui::EndTooltip();
            }
        }
        ImGui::SameLine(0, em(1));
        ImGui::BeginDisabled(!app.session.status().can_evaluate());
        if (ImGui::SmallButton("test again")) app.session.evaluate(mistakes.run);
        ImGui::EndDisabled();
    }

    void draw_views(App& app, const Mistakes& mistakes) {
        if (!ImGui::BeginTabBar("views")) return;
        if (ImGui::BeginTabItem("Matrix")) {
            if (ImGui::BeginChild("matrix")) {
                std::optional<Cell> clicked = cell_;
                plot_.draw(mistakes, clicked);
                if (clicked && clicked != cell_) choose(app, mistakes, *clicked);
            }
            ImGui::EndChild();
            ImGui::EndTabItem();
        }
        if (ImGui::BeginTabItem("Pairs")) {
            draw_pairs(app, mistakes);
            ImGui::EndTabItem();
        }
        if (ImGui::BeginTabItem("Gallery")) {
            draw_gallery(app, mistakes);
            ImGui::EndTabItem();
        }
        if (ImGui::BeginTabItem("Classes")) {
            draw_classes(app, mistakes);
            ImGui::EndTabItem();
        }
        ImGui::EndTabBar();
    }

    void draw_pairs(App& app, const Mistakes& mistakes) {
        constexpr ImGuiTableFlags flags = ImGuiTableFlags_ScrollY | ImGuiTableFlags_RowBg | ImGuiTableFlags_PadOuterX;
        if (!ImGui::BeginTable("pairs", 3, flags)) return;
        ImGui::TableSetupScrollFreeze(0, 1);
        ImGui::TableSetupColumn("label");
        ImGui::TableSetupColumn("taken for");
        ImGui::TableSetupColumn("times", ImGuiTableColumnFlags_WidthFixed, em(4));
        ImGui::TableHeadersRow();
        for (const ConfusedPair& pair : mistakes.pairs) {
            const auto row = [&](std::size_t label, std::size_t answered, std::size_t times) {
                if (times == 0) return;
                ImGui::TableNextRow();
                ImGui::TableNextColumn();
                const bool chosen = cell_ == Cell{label, answered};
                const std::string id =
                    mistakes.classes[label] + "##" + std::to_string(label) + " " + std::to_string(answered);
                if (ImGui::Selectable(id.c_str(), chosen, ImGuiSelectableFlags_SpanAllColumns))
                    choose(app, mistakes, {label, answered});
                ImGui::TableNextColumn();
                ImGui::TextUnformatted(mistakes.classes[answered].c_str());
                ImGui::TableNextColumn();
                ImGui::Text("%zu", times);
            };
            row(pair.first, pair.second, pair.first_as_second);
            row(pair.second, pair.first, pair.second_as_first);
        }
        ImGui::EndTable();
    }

    // The photos that were answered wrongly, the greatest loss first.
    void draw_gallery(App& app, const Mistakes& mistakes) {
        std::vector<std::size_t> wrong;
        for (std::size_t i = 0; i < mistakes.photos.size(); ++i)
            if (mistakes.photos[i].predicted != mistakes.photos[i].label) wrong.push_back(i);
        if (wrong.empty()) {
            empty_state("No mistakes", "Every test photo was answered rightly.");
            return;
        }
        draw_tiles(app, mistakes, wrong, em(7.5F), true);
    }

    void draw_tiles(App& app, const Mistakes& mistakes, const std::vector<std::size_t>& photos, float side,
                    bool named) {
        if (!ImGui::BeginChild("tiles")) return ImGui::EndChild();
        const float gap = ImGui::GetStyle().ItemSpacing.x;
        const int across = std::max(1, static_cast<int>((ImGui::GetContentRegionAvail().x + gap) / (side + gap)));
        const float height = side + (named ? 2 * ImGui::GetTextLineHeight() : 0) + gap;
        ImGuiListClipper clipper;
        clipper.Begin((static_cast<int>(photos.size()) + across - 1) / across, height);
        while (clipper.Step()) {
            for (int row = clipper.DisplayStart; row < clipper.DisplayEnd; ++row) {
                const float top = ImGui::GetCursorPosY();
                for (int column = 0; column < across; ++column) {
                    const auto place = static_cast<std::size_t>(row * across + column);
                    if (place >= photos.size()) break;
                    ImGui::SetCursorPos({static_cast<float>(column) * (side + gap), top});
                    draw_tile(app, mistakes, photos[place], side, named);
                }
                ImGui::SetCursorPos({0, top});
                ImGui::Dummy({1, height - ImGui::GetStyle().ItemSpacing.y});
            }
        }
        ImGui::EndChild();
    }

    void draw_tile(App& app, const Mistakes& mistakes, std::size_t place, float side, bool named) {
        const TestedPhoto& photo = mistakes.photos[place];
        ImGui::BeginGroup();
        if (photo_button(app.photos, photo.path, side)) look_at(app, mistakes, place);
        if (named) {
            ImGui::PushStyleVarY(ImGuiStyleVar_ItemSpacing, 0);
            const ImVec2 corner = ImGui::GetCursorScreenPos();
            ImGui::PushClipRect(corner, {corner.x + side, corner.y + 2 * ImGui::GetTextLineHeight()}, true);
            ImGui::TextUnformatted(mistakes.classes[photo.predicted].c_str());
            faint_text(("is " + mistakes.classes[photo.label]).c_str());
            ImGui::PopClipRect();
            ImGui::PopStyleVar();
        }
        ImGui::EndGroup();
        ImGui::SetItemTooltip("%s\nanswered: %s, label: %s, loss %.2f", photo.path.filename().c_str(),
                              mistakes.classes[photo.predicted].c_str(), mistakes.classes[photo.label].c_str(),
                              photo.loss);
    }

    void draw_classes(App& app, const Mistakes& mistakes) {
        constexpr ImGuiTableFlags flags = ImGuiTableFlags_ScrollY | ImGuiTableFlags_RowBg | ImGuiTableFlags_PadOuterX |
                                          ImGuiTableFlags_Sortable | ImGuiTableFlags_SortTristate;
        if (!ImGui::BeginTable("classes", 6, flags)) return;
        ImGui::TableSetupScrollFreeze(0, 1);
        ImGui::TableSetupColumn("class", ImGuiTableColumnFlags_WidthStretch, 2);
        for (const char* name : {"photos", "answered", "precision", "recall", "F1"})
            ImGui::TableSetupColumn(name, ImGuiTableColumnFlags_WidthStretch, 1);
        ImGui::TableHeadersRow();
        if (ImGuiTableSortSpecs* specs = ImGui::TableGetSortSpecs(); specs && specs->SpecsDirty) {
            sort_classes(mistakes, *specs);
            specs->SpecsDirty = false;
        }
        for (const std::size_t label : rows_) {
            const ClassRow& row = mistakes.rows[label];
            ImGui::TableNextRow();
            ImGui::TableNextColumn();
            if (ImGui::Selectable((mistakes.classes[label] + "##" + std::to_string(label)).c_str(),
                                  cell_ == Cell{label, label}, ImGuiSelectableFlags_SpanAllColumns))
                choose(app, mistakes, {label, label});
            ImGui::TableNextColumn();
            ImGui::Text("%zu", row.support);
            ImGui::TableNextColumn();
            ImGui::Text("%zu", row.predicted);
            for (const double share : {row.precision, row.recall, row.f1}) {
                ImGui::TableNextColumn();
                ImGui::Text("%.1f %%", 100 * share);
            }
        }
        ImGui::EndTable();
    }

    void sort_classes(const Mistakes& mistakes, const ImGuiTableSortSpecs& specs) {
        std::iota(rows_.begin(), rows_.end(), 0);
        if (specs.SpecsCount == 0) return;
        const auto value = [&](std::size_t label) -> double {
            const ClassRow& row = mistakes.rows[label];
            switch (specs.Specs[0].ColumnIndex) {
                case 1: return static_cast<double>(row.support);
                case 2: return static_cast<double>(row.predicted);
                case 3: return row.precision;
                case 4: return row.recall;
                case 5: return row.f1;
                default: return 0;
            }
        };
        const bool falls = specs.Specs[0].SortDirection == ImGuiSortDirection_Descending;
        std::stable_sort(rows_.begin(), rows_.end(), [&](std::size_t a, std::size_t b) {
            const std::size_t& first = falls ? b : a;
            const std::size_t& second = falls ? a : b;
            if (specs.Specs[0].ColumnIndex == 0) return mistakes.classes[first] < mistakes.classes[second];
            return value(first) < value(second);
        });
    }

    // The photos of the chosen cell, and the one among them that is looked at.
    void draw_chosen(App& app, const Mistakes& mistakes) {
        if (photo_) draw_photo_closely(app, mistakes, mistakes.photos[*photo_]);
        if (!cell_) {
            if (!photo_) empty_state("Choose a cell", "A click on the matrix shows the photos behind the number.");
            return;
        }
        const auto& [label, answered] = *cell_;
        const std::vector<std::size_t> photos = photos_in(mistakes, *cell_);
        ImGui::TextWrapped("%s", mistakes.classes[label].c_str());
        ImGui::PushStyleColor(ImGuiCol_Text, faint_colour());
        if (label == answered) ImGui::TextWrapped("answered rightly, %zu photos", photos.size());
        else ImGui::TextWrapped("taken for %s, %zu photos", mistakes.classes[answered].c_str(), photos.size());
        ImGui::PopStyleColor();
        draw_tiles(app, mistakes, photos, em(6), false);
    }

    static void draw_photo_closely(App& app, const Mistakes& mistakes, const TestedPhoto& photo) {
        const bool explained = app.answer && app.answer->photo == photo.path && app.answer->error.empty();
        const float side = std::min(em(13), ImGui::GetContentRegionAvail().x);
        draw_photo(app.photos, photo.path, side, explained ? &app.answer->heat : nullptr);
        std::vector<Bar> bars;
        bool has_label = false;
        for (const ClassShare& share : photo.top) {
            bars.push_back({mistakes.classes[share.label], share.probability, share.label == photo.label});
            has_label = has_label || share.label == photo.label;
        }
        if (!has_label) bars.push_back({mistakes.classes[photo.label], photo.label_probability, true});
        draw_bars(bars);
        ImGui::Separator();
    }

    const Mistakes* of_ = nullptr;
    ConfusionPlot plot_;
    std::optional<Cell> cell_;
    std::optional<std::size_t> photo_;
    std::optional<std::filesystem::path> asked_;  // the photo whose answer is on its way, or there
    std::vector<std::size_t> rows_;               // of the table of classes
};

}  // namespace

std::unique_ptr<Panel> make_mistakes() { return std::make_unique<MistakesPanel>(); }

}  // namespace ouaf::dashboard
