// Run control: starts a run, shows how far it is, and changes it while it goes on.
#include <imgui.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>

#include "native/dashboard/panels/panels.hpp"
#include "native/dashboard/recipe_check.hpp"

namespace ouaf::dashboard {
namespace {

std::string duration(double seconds) {
    std::array<char, 48> text{};
    if (seconds < 90) std::snprintf(text.data(), text.size(), "%.0f s", seconds);
    else if (seconds < 5400) std::snprintf(text.data(), text.size(), "%.0f min", seconds / 60);
    else std::snprintf(text.data(), text.size(), "%.1f h", seconds / 3600);
    return text.data();
}

// The demo's, where it is there.
std::filesystem::path first_choice(const std::vector<std::filesystem::path>& recipes) {
    const auto demo = std::find_if(recipes.begin(), recipes.end(),
                                   [](const auto& recipe) { return recipe.filename() == demo_recipe; });
    if (demo != recipes.end()) return *demo;
    return recipes.empty() ? std::filesystem::path() : recipes.front();
}

const char* word_for(const Status& status) {
    if (status.stopping) return "stopping";
    switch (status.state) {
        case State::idle: return "idle";
        case State::loading: return "loading";
        case State::training: return "training";
        case State::paused: return "paused";
        case State::evaluating: return "testing";
        case State::stopped: return "stopped";
        case State::failed: return "failed";
    }
    return "";
}

class RunControlPanel : public Panel {
 public:
    const char* title() const override { return "Run control"; }
    Place place() const override { return Place::below_left; }

    bool waits(const App&) const override { return checking_ || !checked_; }

    void draw(App& app) override {
        const Status& status = app.session.status();
        if (status.is_busy()) return draw_run(app, status);
        draw_outcome(app, status);
        draw_resume(app);
        draw_form(app);
    }

 private:
    static void draw_run(App& app, const Status& status) {
        ImGui::TextUnformatted(status.folder.filename().c_str());
        ImGui::SameLine();
        faint_text(word_for(status));
        std::array<char, 64> epochs{};
        if (status.epochs_done > 0) std::snprintf(epochs.data(), epochs.size(), "epoch %.2f", status.epochs_done);
        ImGui::ProgressBar(static_cast<float>(status.share), {-1, 0}, epochs.data());
        ImGui::PushStyleColor(ImGuiCol_Text, faint_colour());
        ImGui::TextWrapped("%s%s%s%s", status.stage.c_str(), status.seconds_left ? ", " : "",
                           status.seconds_left ? duration(*status.seconds_left).c_str() : "",
                           status.seconds_left ? " left" : "");
        ImGui::PopStyleColor();
        ImGui::Spacing();
        const float third = (ImGui::GetContentRegionAvail().x - 2 * ImGui::GetStyle().ItemSpacing.x) / 3;
        if (status.state == State::paused) {
            ImGui::BeginDisabled(!status.can_go_on());
            if (ImGui::Button("Go on", {third, 0})) app.session.go_on();
        } else {
            ImGui::BeginDisabled(!status.can_pause());
            if (ImGui::Button("Pause", {third, 0})) app.session.pause();
        }
        ImGui::EndDisabled();
        ImGui::SameLine();
        ImGui::BeginDisabled(!status.can_stop());
        if (ImGui::Button("Stop", {third, 0})) app.session.stop();
        ImGui::EndDisabled();
        ImGui::SetItemTooltip(status.steerable ? "saves where the run stands; it can be gone on with later"
                                               : "gives it up");
        ImGui::SameLine();
        ImGui::BeginDisabled(!status.can_save());
        if (ImGui::Button("Save now", {third, 0})) app.session.save();
        ImGui::EndDisabled();
        if (status.is_running() && status.steerable) draw_changes(app, status);
    }

    static void draw_changes(App& app, const Status& status) {
        ImGui::SeparatorText("While it goes on");
        ImGui::BeginDisabled(!status.can_change());
        double rate = status.learning_rate;
        ImGui::SetNextItemWidth(em(8));
        ImGui::InputDouble("learning rate", &rate, 0, 0, "%.4g");
        if (ImGui::IsItemDeactivatedAfterEdit() && rate > 0 && rate <= 1000) app.session.set_learning_rate(rate);
        ImGui::SameLine();
        help_mark(
            "The recipe's rate, which the schedule shapes. Enter applies it from the next step on; the run records "
            "it, and goes on with it after a stop.");
        int epochs = status.stage_epochs;
        ImGui::SetNextItemWidth(em(8));
        ImGui::InputInt("epochs", &epochs, 1, 5);
        if (ImGui::IsItemDeactivatedAfterEdit() && epochs > 0) app.session.set_epochs(epochs);
        ImGui::SameLine();
        help_mark("Of the stage that goes on, at least those that have begun. The schedule is stretched to it.");
        ImGui::EndDisabled();
    }

    static void draw_outcome(const App&, const Status& status) {
        if (status.state == State::failed) {
            ImGui::PushStyleColor(ImGuiCol_Text, bad_colour());
            ImGui::TextWrapped("%s", status.error.c_str());
            ImGui::PopStyleColor();
            ImGui::Separator();
        } else if (!status.stage.empty()) {
            ImGui::PushStyleColor(ImGuiCol_Text, status.state == State::idle ? good_colour() : faint_colour());
            ImGui::TextWrapped("%s: %s", status.folder.filename().c_str(), status.stage.c_str());
            ImGui::PopStyleColor();
            ImGui::Separator();
        }
    }

    static void draw_resume(App& app) {
        const RunView* run = app.run();
        if (!run || !run->error.empty() || run->summary.finished || run->by_iterations) return;
        const bool whole = run->checkpoint.empty();
        ImGui::BeginDisabled(!whole);
        if (ImGui::Button(("Go on with " + run->folder.filename().string()).c_str(), {-1, 0}))
            app.session.resume(run->folder);
        ImGui::EndDisabled();
        if (!whole && ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled))
            ImGui::SetTooltip("%s", run->checkpoint.c_str());
        ImGui::SeparatorText("or a new run");
    }

    void draw_form(App& app) {
        check(app);
        ImGui::SetNextItemWidth(-em(4));
        if (ImGui::BeginCombo("recipe", recipe_.filename().c_str())) {
            for (const std::filesystem::path& recipe : recipes_)
                if (ImGui::Selectable(recipe.filename().c_str(), recipe == recipe_)) choose(recipe);
            ImGui::EndCombo();
        }
        if (recipes_.empty() && checked_) {
            ImGui::PushStyleColor(ImGuiCol_Text, faint_colour());
            ImGui::TextWrapped("There is no folder recipes here: start the dashboard in ouaf's own folder.");
            ImGui::PopStyleColor();
            return;
        }
        ImGui::SetNextItemWidth(-em(4));
        draw_value("data", "data");
        const bool ready = checked_ && checked_->error.empty() && !checking_ && !stale_;
        ImGui::BeginDisabled(!ready);
        if (ImGui::Button("Start", {-1, 0})) {
            app.session.start({recipe_, overrides(), checked_->folder});
            app.open_run(checked_->folder);
            stale_ = true;  // that folder is taken now
        }
        ImGui::EndDisabled();
        if (checked_ && !checked_->error.empty()) {
            ImGui::PushStyleColor(ImGuiCol_Text, bad_colour());
            ImGui::TextWrapped("%s", checked_->error.c_str());
            ImGui::PopStyleColor();
        } else if (checked_) {
            faint_text(("makes " + checked_->folder.string()).c_str());
        }
        draw_keys();
    }

    // The value of a key, to be typed over.
    void draw_value(const std::string& key, const char* label) {
        const auto changed = changed_.find(key);
        std::string value = changed != changed_.end() ? changed->second : resolved(key);
        const bool differs = changed != changed_.end();
        if (differs) ImGui::PushStyleColor(ImGuiCol_Text, warning_colour());
        if (ImGui::InputText(label, &value)) {
            changed_[key] = value;
            stale_ = true;
        }
        if (differs) ImGui::PopStyleColor();
    }

    void draw_keys() {
        ImGui::SetNextItemWidth(-1);
        ImGui::InputTextWithHint("##filter", "find a key, such as learning_rate", &filter_);
        if (!ImGui::BeginTable("keys", 2, ImGuiTableFlags_ScrollY | ImGuiTableFlags_RowBg | ImGuiTableFlags_PadOuterX))
            return;
        ImGui::TableSetupColumn("key", ImGuiTableColumnFlags_WidthStretch, 1.2F);
        ImGui::TableSetupColumn("value", ImGuiTableColumnFlags_WidthStretch, 1);
        std::optional<std::string> restored;
        for (const auto& [key, value] : in_reading_order()) {
            const std::string explanation = explain_key(key);
            if (key == "data" || key.find(filter_) == std::string::npos) continue;
            ImGui::TableNextRow();
            ImGui::TableNextColumn();
            ImGui::AlignTextToFramePadding();
            ImGui::TextUnformatted(key.c_str());
            if (!explanation.empty()) ImGui::SetItemTooltip("%s", explanation.c_str());
            ImGui::TableNextColumn();
            const bool changed = changed_.contains(key);
            ImGui::SetNextItemWidth(changed ? -em(2.2F) : -1);
            draw_value(key, ("##" + key).c_str());
            if (changed) {
                ImGui::SameLine();
                if (ImGui::SmallButton(("x##" + key).c_str())) restored = key;
                ImGui::SetItemTooltip("as the recipe says: %s", value.c_str());
            }
        }
        ImGui::EndTable();
        if (restored) {
            changed_.erase(*restored);
            stale_ = true;
        }
    }

    // What is changed most often comes first.
    std::vector<std::pair<std::string, std::string>> in_reading_order() const {
        std::vector<std::pair<std::string, std::string>> keys(keys_.begin(), keys_.end());
        const auto rank = [](const std::string& key) {
            if (key == "train.epochs" || key == "train.learning_rate" || key == "train.batch") return 0;
            if (key.starts_with("train.") || key.starts_with("head.")) return 1;
            return key.find('.') == std::string::npos ? 2 : 3;
        };
        std::stable_sort(keys.begin(), keys.end(),
                         [&](const auto& a, const auto& b) { return rank(a.first) < rank(b.first); });
        return keys;
    }

    std::string resolved(const std::string& key) const {
        const auto found = keys_.find(key);
        return found == keys_.end() ? "" : found->second;
    }

    std::vector<std::string> overrides() const {
        std::vector<std::string> list;
        for (const auto& [key, value] : changed_) list.push_back(key + "=" + value);
        return list;
    }

    void choose(const std::filesystem::path& recipe) {
        recipe_ = recipe;
        changed_.clear();
        keys_.clear();
        stale_ = true;
    }

    // Asks the thread that reads files what it thinks of the recipe as it stands.
    void check(App& app) {
        if (app.wanted_recipe) {
            choose(*app.wanted_recipe);
            app.wanted_recipe.reset();
        }
        if (checking_ || (checked_ && !stale_)) return;
        checking_ = true;
        stale_ = false;
        app.files.add([this, recipe = recipe_, given = overrides(), runs = app.runs_folder] {
            std::vector<std::filesystem::path> recipes = find_recipes("recipes");
            const std::filesystem::path chosen = recipe.empty() ? first_choice(recipes) : recipe;
            const RecipeCheck plain = check_recipe(chosen, {}, runs);
            const RecipeCheck checked = check_recipe(chosen, given, runs);
            return [this, recipes, chosen, plain, checked] {
                checking_ = false;
                recipes_ = recipes;
                if (recipe_.empty()) recipe_ = chosen;
                if (recipe_ != chosen) return;
                checked_ = checked;
                if (plain.error.empty()) keys_ = plain.keys;
            };
        });
    }

    std::vector<std::filesystem::path> recipes_;
    std::filesystem::path recipe_;
    std::map<std::string, std::string> changed_;  // over the recipe, as typed
    std::map<std::string, std::string> keys_;     // as the recipe says
    std::optional<RecipeCheck> checked_;
    bool checking_ = false;
    bool stale_ = true;
    std::string filter_;
};

}  // namespace

std::unique_ptr<Panel> make_run_control() { return std::make_unique<RunControlPanel>(); }

}  // namespace ouaf::dashboard
