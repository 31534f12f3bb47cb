// Export: what the run learned as ONNX files that ONNX Runtime agrees with, and as the page.
#include <imgui.h>

#include <atomic>
#include <memory>

#include "native/dashboard/bundle_export.hpp"
#include "native/dashboard/panels/panels.hpp"

namespace ouaf::dashboard {
namespace {

class Export : public Panel {
 public:
    const char* title() const override { return "Export"; }
    Place place() const override { return Place::below; }

    void draw(App& app) override {
        if (work_) work_->collect();
        const bool in_training = app.session.status().can_save();
        const RunView* run = app.run();
        const bool has_model = run && run->has_model;
        take_saved_model(app);
        if (!in_training && !has_model && steps_.empty()) {
            empty_state("Nothing to export yet",
                        "A finished run has a model; of one in training the weights can be exported as they are.");
            return;
        }
        ImGui::BeginDisabled(running_ || waits_for_model_);
        if (has_model && ImGui::Button("Export the run's model"))
            start(app, run->folder / "model", run->folder / "export");
        if (has_model && in_training) ImGui::SameLine();
        if (in_training && ImGui::Button("Export the weights as they are now")) {
            folder_ = app.session.status().folder / "export_now";
            waits_for_model_ = true;
            app.session.save_model(folder_ / "model");
        }
        ImGui::EndDisabled();
        if (running_) {
            ImGui::SameLine();
            if (ImGui::Button("Cancel")) *stop_ = true;
            ImGui::SameLine();
            faint_text(steps_.empty() ? "writing float32 and asking ONNX Runtime" : "going on");
        }
        if (has_model) draw_accuracy(*run);
        draw_steps();
        draw_page(app);
    }

 private:
    void take_saved_model(App& app) {
        if (!waits_for_model_ || !app.saved_model) return;
        waits_for_model_ = false;
        if (app.saved_model->error.empty()) start(app, app.saved_model->folder, folder_);
        else app.message = app.saved_model->error;
        app.saved_model.reset();
    }

    void start(App& app, const std::filesystem::path& model, const std::filesystem::path& folder) {
        folder_ = folder;
        steps_.clear();
        address_.clear();
        running_ = true;
        stop_ = std::make_shared<std::atomic<bool>>(false);
        work_ = std::make_unique<Background>([&surface = app.surface] { surface.wake(); });
        work_->add([this, model, folder, stop = stop_] {
            std::vector<ExportStep> steps;
            try {
                steps = export_bundle(model, folder, *stop, [](const auto&) {});
            } catch (const std::exception& error) {
                steps.push_back({"export", error.what(), true});
            }
            return [this, steps] {
                steps_ = steps;
                running_ = false;
            };
        });
    }

    static void draw_accuracy(const RunView& run) {
        for (const auto& [weights, top1] : run.tests) {
            ImGui::Text("%.2f %%", 100 * top1);
            ImGui::SameLine(em(5));
            faint_text(("top-1 of the test with " + weights + " weights").c_str());
        }
    }

    void draw_steps() const {
        if (steps_.empty()) {
            ImGui::PushStyleColor(ImGuiCol_Text, faint_colour());
            ImGui::TextWrapped(
                "Writes float32.onnx and int8.onnx into the run's folder, asks ONNX Runtime for the same answers as "
                "LibTorch's before anything is kept, says how far int8 moves them, and makes the page, ready for any "
                "static host.");
            ImGui::PopStyleColor();
        }
        for (const ExportStep& step : steps_) {
            ImGui::PushStyleColor(ImGuiCol_Text, step.failed ? bad_colour() : good_colour());
            ImGui::TextUnformatted(step.what.c_str());
            ImGui::PopStyleColor();
            ImGui::SameLine(em(5));
            ImGui::TextWrapped("%s", step.said.c_str());
        }
    }

    void draw_page(App& app) {
        const bool published = !steps_.empty() && steps_.back().what == "page" && !steps_.back().failed;
        if (!published) return;
        if (ImGui::Button("Open the page")) {
            app.files.add([this, &app, page = folder_ / "page"] {
                std::string address;
                std::string error;
                try {
                    address = serve_and_open(page);
                } catch (const std::exception& caught) {
                    error = caught.what();
                }
                return [this, &app, address, error] {
                    address_ = address;
                    if (!error.empty()) app.message = error;
                };
            });
        }
        ImGui::SameLine();
        faint_text(address_.empty() ? "served on a port of this machine" : address_.c_str());
    }

    bool running_ = false;
    bool waits_for_model_ = false;
    std::filesystem::path folder_;
    std::vector<ExportStep> steps_;
    std::string address_;
    std::shared_ptr<std::atomic<bool>> stop_;
    std::unique_ptr<Background> work_;
};

}  // namespace

std::unique_ptr<Panel> make_export() { return std::make_unique<Export>(); }

}  // namespace ouaf::dashboard
