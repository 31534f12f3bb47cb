// Data: what a data set holds, what a recipe makes of its photos, and what is wrong with it.
#include <imgui.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <utility>

#include "native/dashboard/data_view.hpp"
#include "native/dashboard/panels/panels.hpp"

namespace ouaf::dashboard {
namespace {

// The check of all photos, on a thread of its own as it takes minutes.
struct Check {
    explicit Check(std::function<void()> wake) : thread(std::move(wake)) {}
    ~Check() { cancelled = true; }

    std::shared_ptr<const DataView> of;
    std::vector<Finding> findings;
    std::atomic<double> share = 0;
    std::atomic<bool> cancelled = false;
    bool running = false;
    bool done = false;
    std::string error;
    Background thread;
};

class Data : public Panel {
 public:
    const char* title() const override { return "Data"; }
    Place place() const override { return Place::main; }
    bool waits(const App&) const override { return opening_ || asked_changes_ > 0; }

    void draw(App& app) override {
        if (check_) check_->thread.collect();
        open(app);
        ImGui::SetNextItemWidth(-em(6));
        const bool entered = ImGui::InputTextWithHint("##root", "a data set's folder, or a CSV file", &typed_,
                                                      ImGuiInputTextFlags_EnterReturnsTrue);
        ImGui::SameLine();
        if ((ImGui::Button("Open", {-1, 0}) || entered) && !typed_.empty()) wanted_ = typed_;
        if (!view_) {
            empty_state("No data set",
                        "The data set of the run that is open is shown here, or the one that is typed above.");
            return;
        }
        if (!view_->error.empty()) {
            empty_state("These are no photos in files", view_->error.c_str());
            return;
        }
        if (!ImGui::BeginTabBar("views")) return;
        const auto tab = [&](const char* name, const auto& content) {
            if (!ImGui::BeginTabItem(name)) return;
            if (ImGui::BeginChild(name)) content();
            ImGui::EndChild();
            ImGui::EndTabItem();
        };
        tab("Changes", [&] { draw_changes(app); });
        tab("Classes", [&] { draw_classes(app); });
        tab("Findings", [&] { draw_findings(app); });
        ImGui::EndTabBar();
    }

 private:
    // The data set of the current run, where it is another than before; or what was typed.
    void open(App& app) {
        const RunView* run = app.run();
        if (run && run->folder != run_) {
            run_ = run->folder;
            const auto data = run->keys.find("data");
            if (data != run->keys.end()) wanted_ = data->second;
            recipe_changed_ = true;
        }
        if (wanted_.empty() || opening_) return;
        opening_ = true;
        typed_ = wanted_.string();
        app.files.add([this, root = std::exchange(wanted_, {})] {
            auto view = std::make_shared<const DataView>(open_data(root));
            return [this, view] {
                view_ = view;
                opening_ = false;
                class_ = 0;
                roll();
                recipe_changed_ = true;
            };
        });
    }

    // Other photos of the class, and other changes.
    void roll() {
        ++seed_;
        sample_.clear();
        if (!view_ || view_->of_class.empty()) return;
        sample_ = view_->of_class[class_];
        std::shuffle(sample_.begin(), sample_.end(), std::mt19937(static_cast<unsigned>(seed_)));
        recipe_changed_ = true;
    }

    void draw_classes(App& app) {
        const std::vector<DatasetClass>& classes = view_->data.all.classes;
        const auto total = [](const std::array<std::size_t, 3>& counts) { return counts[0] + counts[1] + counts[2]; };
        std::size_t most = 1;
        for (const auto& counts : view_->counts) most = std::max(most, total(counts));
        ImGui::Text("%zu photos of %zu classes", view_->data.all.samples.size(), classes.size());
        const float left = ImGui::GetContentRegionAvail().x * 0.55F;
        constexpr ImGuiTableFlags flags = ImGuiTableFlags_ScrollY | ImGuiTableFlags_RowBg | ImGuiTableFlags_PadOuterX;
        if (ImGui::BeginTable("classes", 5, flags, {left, 0})) {
            ImGui::TableSetupScrollFreeze(0, 1);
            ImGui::TableSetupColumn("class", ImGuiTableColumnFlags_WidthStretch, 2);
            ImGui::TableSetupColumn("photos", ImGuiTableColumnFlags_WidthStretch, 2);
            for (const char* name : {view_->data.splits.empty() ? "all" : "training", "validation", "test"})
                ImGui::TableSetupColumn(name, ImGuiTableColumnFlags_WidthFixed, em(4.5F));
            ImGui::TableHeadersRow();
            ImGuiListClipper clipper;
            clipper.Begin(static_cast<int>(classes.size()));
            while (clipper.Step()) {
                for (int row = clipper.DisplayStart; row < clipper.DisplayEnd; ++row) {
                    const auto label = static_cast<std::size_t>(row);
                    ImGui::TableNextRow();
                    ImGui::TableNextColumn();
                    if (ImGui::Selectable((classes[label].name + "##" + classes[label].folder).c_str(), class_ == label,
                                          ImGuiSelectableFlags_SpanAllColumns)) {
                        class_ = label;
                        roll();
                    }
                    ImGui::TableNextColumn();
                    const float share = static_cast<float>(total(view_->counts[label])) / static_cast<float>(most);
                    ImGui::ProgressBar(share, {-1, ImGui::GetTextLineHeight()}, "");
                    for (const std::size_t count : view_->counts[label]) {
                        ImGui::TableNextColumn();
                        if (count > 0) ImGui::Text("%zu", count);
                    }
                }
            }
            ImGui::EndTable();
        }
        ImGui::SameLine();
        if (ImGui::BeginChild("sample")) {
            ImGui::TextUnformatted(classes[class_].name.c_str());
            ImGui::SameLine();
            if (ImGui::SmallButton("others")) roll();
            draw_photos(app, sample_, em(6), 60);
        }
        ImGui::EndChild();
    }

    void draw_photos(App& app, const std::vector<std::size_t>& photos, float side, std::size_t most) const {
        const float gap = ImGui::GetStyle().ItemSpacing.x;
        const auto across =
            static_cast<std::size_t>(std::max(1.0F, (ImGui::GetContentRegionAvail().x + gap) / (side + gap)));
        for (std::size_t i = 0; i < std::min(photos.size(), most); ++i) {
            if (i % across > 0) ImGui::SameLine();
            const std::filesystem::path& path = view_->data.all.samples[photos[i]].path;
            photo_button(app.photos, path, side);
            ImGui::SetItemTooltip("%s", path.c_str());
        }
    }

    void draw_changes(App& app) {
        const RunView* run = app.run();
        if (!run) {
            empty_state("No run is open", "The changes that its recipe makes to photos are shown here.");
            return;
        }
        const bool asks =
            ImGui::Button("Draw anew") || ImGui::Shortcut(ImGuiMod_Ctrl | ImGuiKey_R, ImGuiInputFlags_RouteGlobal);
        if (asks) roll();
        ImGui::SetItemTooltip("Ctrl+R");
        ImGui::SameLine();
        faint_text("the recipe's own changes, by the trainer's own code");
        if (recipe_changed_ && !sample_.empty() && app.session.status().can_answer()) {
            recipe_changed_ = false;
            asked_changes_ = 0;
            for (std::size_t i = 0; i < std::min<std::size_t>(rows, sample_.size()); ++i, ++asked_changes_)
                app.session.show_changes({run->folder, view_->data.all.samples[sample_[i]].path,
                                          static_cast<std::uint64_t>(seed_) * rows + i, each});
            changed_.clear();
        }
        take_changes(app);
        if (!fault_.empty()) {
            ImGui::PushStyleColor(ImGuiCol_Text, faint_colour());
            ImGui::TextWrapped("%s", fault_.c_str());
            ImGui::PopStyleColor();
            return;
        }
        const float gap = ImGui::GetStyle().ItemSpacing.x;
        const float side = std::min(em(9), ImGui::GetContentRegionAvail().x / (each + 1) - gap);
        for (const Row& row : changed_) {
            photo_button(app.photos, row.photo, side);
            ImGui::SetItemTooltip("%s", row.photo.c_str());
            for (const Texture& texture : row.pictures) {
                ImGui::SameLine();
                ImGui::Image(texture.id(), {side, side});
            }
        }
    }

    // The answers of the trainer thread as textures.
    void take_changes(App& app) {
        for (ChangedPhoto& photo : std::exchange(app.changed, {})) {
            asked_changes_ = std::max(0, asked_changes_ - 1);
            fault_ = photo.error;
            if (!photo.error.empty()) continue;
            Row row{photo.photo, {}};
            for (const std::vector<std::uint8_t>& picture : photo.pictures)
                row.pictures.emplace_back(photo.side, photo.side, picture.data());
            changed_.push_back(std::move(row));
        }
    }

    void draw_findings(App& app) {
        if (!check_ || check_->of != view_) {
            const float left = empty_state("Not checked yet",
                                           "Every photo is read, and compared with all others: doubles, two labels for "
                                           "one picture, photos of the test that are trained on, and files that can't "
                                           "be read.");
            ImGui::Spacing();
            ImGui::SetCursorPosX(left);
            if (ImGui::Button("Check all photos")) start_check(app);
            return;
        }
        if (check_->running) {
            empty_state("Checking", "Training goes slower meanwhile.");
            ImGui::ProgressBar(static_cast<float>(check_->share.load()), {em(20), 0});
            ImGui::SameLine();
            if (ImGui::Button("Cancel")) check_->cancelled = true;
            return;
        }
        if (!check_->error.empty()) return draw_again(app, check_->error.c_str());
        if (check_->findings.empty()) return draw_again(app, "Nothing is wrong with these photos.");
        ImGui::Text("%zu findings", check_->findings.size());
        for (const Finding& finding : check_->findings) {
            ImGui::SeparatorText(finding.what.c_str());
            draw_photos(app, finding.photos, em(6), 12);
            for (const std::size_t photo : finding.photos)
                faint_text(view_->data.all.samples[photo].path.lexically_relative(view_->root).c_str());
        }
    }

    void draw_again(App& app, const char* text) {
        const float left = empty_state("Checked", text);
        ImGui::SetCursorPosX(left);
        if (ImGui::Button("Check again")) start_check(app);
    }

    void start_check(App& app) {
        check_ = std::make_unique<Check>([&surface = app.surface] { surface.wake(); });
        check_->of = view_;
        check_->running = true;
        check_->thread.add([check = check_.get(), view = view_] {
            struct Cancelled {};
            auto findings = std::make_shared<std::vector<Finding>>();
            std::string error;
            try {
                *findings = find_faults(view->data, [check](double share) {
                    if (check->cancelled) throw Cancelled();
                    check->share = share;
                });
            } catch (const Cancelled&) {
                error = "The check was given up.";
            } catch (const std::exception& caught) {
                error = caught.what();
            }
            return [check, findings, error] {
                check->findings = *findings;
                check->error = error;
                check->running = false;
            };
        });
    }

    struct Row {
        std::filesystem::path photo;
        std::vector<Texture> pictures;
    };
    static constexpr std::size_t rows = 4;
    static constexpr int each = 6;

    std::string typed_;
    std::filesystem::path wanted_;
    std::filesystem::path run_;
    bool opening_ = false;
    std::shared_ptr<const DataView> view_;
    std::size_t class_ = 0;
    int seed_ = 0;
    std::vector<std::size_t> sample_;  // photos of the class, shuffled
    bool recipe_changed_ = false;
    int asked_changes_ = 0;
    std::vector<Row> changed_;
    std::string fault_;
    std::unique_ptr<Check> check_;
};

}  // namespace

std::unique_ptr<Panel> make_data() { return std::make_unique<Data>(); }

}  // namespace ouaf::dashboard
