// Throughput: how fast the run trains, what it waits for, and how busy the machine is.
#include <imgui.h>
#include <implot.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>

#include "native/dashboard/panels/panels.hpp"
#include "native/dashboard/system_load.hpp"

namespace ouaf::dashboard {
namespace {

constexpr double much_waiting = 0.15;  // of the time: more workers or smaller photos would pay

std::string gigabytes(double bytes) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f GB", bytes / 1e9);
    return text.data();
}

class Throughput : public Panel {
 public:
    const char* title() const override { return "Throughput"; }
    Place place() const override { return Place::below; }
    bool waits(const App&) const override { return !load_ || !load_->processor; }

    void draw(App& app) override {
        measure(app);
        const RunView* run = app.run();
        const bool has_run = run && !run->curves.images_per_second.x.empty();
        if (ImGui::BeginTable("figures", has_run ? 5 : 3, ImGuiTableFlags_SizingStretchSame)) {
            if (has_run) {
                std::array<char, 32> speed{};
                std::snprintf(speed.data(), speed.size(), "%.0f", run->curves.images_per_second.y.back());
                draw_figure("images a second", speed.data(), faint_colour());
                std::array<char, 32> waiting{};
                const double share = run->curves.data_share.y.empty() ? 0 : run->curves.data_share.y.back();
                std::snprintf(waiting.data(), waiting.size(), "%.0f %%", 100 * share);
                draw_figure("waiting for data", waiting.data(),
                            share > much_waiting ? warning_colour() : faint_colour());
            }
            if (load_) draw_machine();
            ImGui::EndTable();
        }
        if (!has_run) {
            ImGui::PushStyleColor(ImGuiCol_Text, faint_colour());
            ImGui::TextWrapped(
                run && run->by_iterations
                    ? "A head is fitted on features that are computed once: there is no speed of training."
                    : "How fast a run trains is known when its first epoch is done.");
            ImGui::PopStyleColor();
            return;
        }
        const double share = run->curves.data_share.y.empty() ? 0 : run->curves.data_share.y.back();
        if (share > much_waiting) {
            ImGui::PushStyleColor(ImGuiCol_Text, warning_colour());
            ImGui::TextWrapped(
                "The network waits for its photos %.0f %% of the time. A smaller size, fewer changes of the photos "
                "(randaugment costs most), or photos stored on a faster disk would make it faster.",
                100 * share);
            ImGui::PopStyleColor();
        }
        draw_plot(run->curves);
    }

 private:
    static void draw_figure(const char* what, const char* value, ImVec4 colour) {
        ImGui::TableNextColumn();
        ImGui::PushFont(nullptr, ImGui::GetStyle().FontSizeBase * 1.5F);
        ImGui::TextUnformatted(value);
        ImGui::PopFont();
        ImGui::PushStyleColor(ImGuiCol_Text, colour);
        ImGui::TextUnformatted(what);
        ImGui::PopStyleColor();
    }

    void draw_machine() const {
        std::array<char, 32> text{};
        if (load_->processor) std::snprintf(text.data(), text.size(), "%.0f %%", 100 * *load_->processor);
        draw_figure("processor", load_->processor ? text.data() : "…", faint_colour());
        draw_figure(("memory of " + gigabytes(load_->memory_total)).c_str(), gigabytes(load_->memory).c_str(),
                    load_->memory > 0.92 * load_->memory_total ? warning_colour() : faint_colour());
        if (load_->gpu) {
            std::snprintf(text.data(), text.size(), "%.0f %%", 100 * load_->gpu->busy);
            draw_figure(
                (load_->gpu->name + ", " + gigabytes(load_->gpu->memory) + " of " + gigabytes(load_->gpu->memory_total))
                    .c_str(),
                text.data(), faint_colour());
        } else {
            draw_figure("GPU", "none", faint_colour());
        }
    }

    static void draw_plot(const RunCurves& curves) {
        constexpr ImPlotFlags flags = ImPlotFlags_NoMenus | ImPlotFlags_NoBoxSelect | ImPlotFlags_NoTitle;
        const float height = std::max(em(7), ImGui::GetContentRegionAvail().y);
        if (!ImPlot::BeginPlot("##speed", {-1, height}, flags)) return;
        ImPlot::SetupAxis(ImAxis_X1, "epoch");
        const std::vector<double>& epochs = curves.images_per_second.x;
        ImPlot::SetupAxisLimits(ImAxis_X1, epochs.front() - 0.2, epochs.back() + 0.2, ImPlotCond_Always);
        ImPlot::SetupAxis(ImAxis_Y1, "images a second");
        const double fastest = *std::max_element(curves.images_per_second.y.begin(), curves.images_per_second.y.end());
        ImPlot::SetupAxisLimits(ImAxis_Y1, 0, fastest * 1.15, ImPlotCond_Always);
        ImPlot::SetupAxis(ImAxis_Y2, "waiting, %", ImPlotAxisFlags_AuxDefault);
        ImPlot::SetupAxisLimits(ImAxis_Y2, 0, 100, ImPlotCond_Always);
        ImPlot::SetupLegend(ImPlotLocation_NorthWest);
        const auto draw_line = [](const char* name, const Curve& curve, std::size_t colour, double factor) {
            ImPlotSpec spec;
            spec.LineColor = spec.MarkerFillColor = spec.MarkerLineColor = series_colour(colour);
            spec.LineWeight = 1.8F;
            spec.Marker = ImPlotMarker_Circle;
            spec.MarkerSize = 2.6F;
            std::vector<double> y = curve.y;
            for (double& value : y) value *= factor;
            ImPlot::PlotLine(name, curve.x.data(), y.data(), static_cast<int>(y.size()), spec);
        };
        draw_line("images a second", curves.images_per_second, 0, 1);
        ImPlot::SetAxes(ImAxis_X1, ImAxis_Y2);
        draw_line("waiting for data", curves.data_share, 1, 100);
        ImPlot::EndPlot();
    }

    // Once a second, by the thread that reads files.
    void measure(App& app) {
        const auto now = std::chrono::steady_clock::now();
        if (measuring_ || now < next_) return;
        measuring_ = true;
        next_ = now + std::chrono::seconds(1);
        app.files.add([this, meter = meter_] {
            return [this, load = meter->measure()] {
                load_ = load;
                measuring_ = false;
            };
        });
    }

    std::shared_ptr<SystemMeter> meter_ = std::make_shared<SystemMeter>();
    std::optional<SystemLoad> load_;
    std::chrono::steady_clock::time_point next_;
    bool measuring_ = false;
};

}  // namespace

std::unique_ptr<Panel> make_throughput() { return std::make_unique<Throughput>(); }

}  // namespace ouaf::dashboard
