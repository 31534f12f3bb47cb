// Try a photo: what the weights, as they are at the moment, take it for.
#include <imgui.h>
#include <imgui_stdlib.h>

#include <algorithm>

#include "native/dashboard/panels/panels.hpp"
#include "native/dashboard/photo_view.hpp"

namespace ouaf::dashboard {
namespace {

class TryPhoto : public Panel {
 public:
    const char* title() const override { return "Try a photo"; }
    Place place() const override { return Place::below; }

    void draw(App& app) override {
        if (!app.dropped.empty()) {
            path_ = app.dropped.front().string();
            ask(app);
        }
        ImGui::SetNextItemWidth(-em(13));
        const bool entered = ImGui::InputTextWithHint("##path", "drop a photo on the window, or type its path", &path_,
                                                      ImGuiInputTextFlags_EnterReturnsTrue);
        ImGui::SameLine();
        ImGui::BeginDisabled(path_.empty() || !can_ask(app));
        if (ImGui::Button("Try", {em(4.5F), 0}) || entered) ask(app);
        ImGui::EndDisabled();
        ImGui::SameLine();
        ImGui::Checkbox("heat map", &shows_heat_);
        ImGui::SetItemTooltip("Where the network looked for its first answer (class activation mapping)");
        draw_answer(app);
    }

 private:
    static const std::filesystem::path* run_to_ask(const App& app) {
        if (app.session.status().can_save()) return &app.session.status().folder;
        const RunView* run = app.run();
        return run && run->has_model ? &run->folder : nullptr;
    }

    static bool can_ask(const App& app) { return run_to_ask(app) && app.session.status().can_answer(); }

    void ask(App& app) {
        if (path_.empty() || !can_ask(app)) return;
        asked_ = path_;
        app.session.answer(asked_, *run_to_ask(app));
    }

    void draw_answer(App& app) const {
        if (!run_to_ask(app)) {
            empty_state("No weights to ask", "Open a run that is finished, or start one that trains by gradients.");
            return;
        }
        if (asked_.empty()) {
            empty_state("What is it?", "The weights answer as they are at the moment, also while they are trained.");
            return;
        }
        const bool answered = app.answer && app.answer->photo == asked_;
        if (answered && !app.answer->error.empty()) {
            ImGui::PushStyleColor(ImGuiCol_Text, bad_colour());
            ImGui::TextWrapped("%s", app.answer->error.c_str());
            ImGui::PopStyleColor();
            return;
        }
        const ImVec2 room = ImGui::GetContentRegionAvail();
        const float side = std::max(em(6), std::min(room.y, room.x * 0.45F));
        draw_photo(app.photos, asked_, side, answered && shows_heat_ ? &app.answer->heat : nullptr);
        ImGui::SameLine(0, em(1));
        ImGui::BeginGroup();
        if (answered) {
            std::vector<Bar> bars;
            for (std::size_t i = 0; i < app.answer->top.size(); ++i)
                bars.push_back({app.answer->names[i], app.answer->top[i].probability, false});
            draw_bars(bars);
            faint_text((app.answer->run.filename().string() +
                        (app.answer->in_training ? ", by its weights as they were in training" : ""))
                           .c_str());
        } else {
            faint_text("looking at it");
        }
        ImGui::EndGroup();
    }

    std::string path_;
    std::filesystem::path asked_;
    bool shows_heat_ = true;
};

}  // namespace

std::unique_ptr<Panel> make_try_photo() { return std::make_unique<TryPhoto>(); }

}  // namespace ouaf::dashboard
