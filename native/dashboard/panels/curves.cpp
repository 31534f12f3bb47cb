// Curves: what was measured while the runs trained, one over the other.
#include <implot.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "native/dashboard/panels/panels.hpp"
#include "native/dashboard/panels/welcome.hpp"

namespace ouaf::dashboard {
namespace {

// One line of a plot. `curve` is in the view of a run.
struct Line {
    std::string name;
    const Curve* curve = nullptr;
    ImVec4 colour;
    bool marked = false;  // a point an epoch
    bool smoothed = false;
};

struct Plot {
    const char* title;
    double factor;  // of the values, for shares in percent
    const char* format;
    std::vector<Line> lines;
};

// What a line was thinned to, and for what.
struct Thinned {
    std::uint64_t version = 0;
    const Curve* source = nullptr;
    double low = 0;
    double high = 0;
    std::size_t columns = 0;
    float smoothing = 0;
    double factor = 1;
    Curve curve;
    Curve whole;  // smoothed
};

class Curves : public Panel {
 public:
    const char* title() const override { return "Curves"; }
    Place place() const override { return Place::main; }

    void draw(App& app) override {
        if (app.runs.empty()) return draw_welcome(app);
        const std::vector<Plot> plots = plots_of(app);
        draw_tools(app);
        draw_notes(app);
        if (plots.empty()) {
            empty_state("Nothing was recorded yet",
                        "The first step of a run appears here. Reading and storing the photos comes before it, which "
                        "takes a while the first time a data set is used.");
            return;
        }
        draw_plots(app, plots);
    }

 private:
    void draw_tools(App&) {
        ImGui::SetNextItemWidth(em(9));
        ImGui::SliderFloat("smoothing", &smoothing_, 0, 0.999F, smoothing_ == 0 ? "off" : "%.3f");
        ImGui::SetItemTooltip(
            "How much of the mean so far stays in each next point of the steps' curves;\nthe curve as "
            "it was recorded is drawn faintly behind.");
        ImGui::SameLine(0, em(1.2F));
        ImGui::Checkbox("logarithmic", &logarithmic_);
        ImGui::SetItemTooltip("of losses, gradients and rates");
        ImGui::SameLine(0, em(1.2F));
        ImGui::Checkbox("follow", &follows_);
        ImGui::SetItemTooltip(
            "Show everything as it comes. Scrolling or dragging in a plot turns it off;\na double "
            "click there turns it on again.");
    }

    static void draw_notes(const App& app) {
        const RunView* run = app.run();
        if (!run) return;
        ImGui::PushStyleColor(ImGuiCol_Text, warning_colour());
        for (const std::string& note : run->notes) ImGui::TextWrapped("%s", note.c_str());
        if (run->damaged > 0)
            ImGui::TextWrapped("%zu lines of metrics.jsonl are no events and were left out.", run->damaged);
        if (!run->checkpoint.empty()) ImGui::TextWrapped("%s", run->checkpoint.c_str());
        ImGui::PopStyleColor();
        if (run->half_line) faint_text("The last line of metrics.jsonl is half-written: its step is not shown yet.");
    }

    std::vector<Plot> plots_of(const App& app) const {
        std::vector<const OpenRun*> runs;
        for (const OpenRun& run : app.runs)
            if (run.shown && run.view && run.view->error.empty()) runs.push_back(&run);
        const bool alone = runs.size() == 1;
        std::vector<Plot> plots{{"Loss", 1, "%.4f", {}},
                                {"Top-1, %", 100, "%.2f %%", {}},
                                {"Learning rate", 1, "%.3e", {}},
                                {"Gradient norm", 1, "%.4g", {}}};
        for (const OpenRun* run : runs) {
            const std::string name = run->folder.filename();
            const RunCurves& curves = run->view->curves;
            const ImVec4 colour = series_colour(run->colour);
            const ImVec4 other = alone ? series_colour(run->colour + 1) : colour;
            const ImVec4 faded = alone ? colour : with_alpha(colour, 0.5F);  // a colour a run, training the weaker
            const auto add = [&](std::size_t plot, const std::string& label, const Curve& curve, ImVec4 tint,
                                 bool marked, bool smoothed) {
                if (!curve.x.empty()) plots[plot].lines.push_back({label, &curve, tint, marked, smoothed});
            };
            const std::string before = alone ? "" : name + ", ";
            if (curves.loss.x.empty()) add(0, before + "training", curves.training_loss, faded, true, false);
            else add(0, before + "training", curves.loss, faded, false, true);
            add(0, before + "validation", curves.validation_loss, other, true, false);
            add(1, alone ? "validation" : name, curves.validation_top1, other, true, false);
            if (alone) add(1, "validation, top-5", curves.validation_top5, faint_colour(), true, false);
            add(2, name, curves.learning_rate, colour, false, false);
            add(3, name, curves.gradient_norm, colour, false, true);
        }
        std::erase_if(plots, [](const Plot& plot) { return plot.lines.empty(); });
        return plots;
    }

    void draw_plots(const App& app, const std::vector<Plot>& plots) {
        double low = std::numeric_limits<double>::max();
        double high = std::numeric_limits<double>::lowest();
        for (const Plot& plot : plots) {
            for (const Line& line : plot.lines) {
                low = std::min(low, line.curve->x.front());
                high = std::max(high, line.curve->x.back());
            }
        }
        const double margin = std::max((high - low) * 0.01, 1e-9);
        if (follows_) {
            low_ = low - margin;
            high_ = std::max(high + margin, low_ + 1e-6);
        }
        const std::pair<double, double> shown{low_, high_};
        const bool wide = ImGui::GetContentRegionAvail().x > em(48) && plots.size() > 1;
        const int columns = wide ? 2 : 1;
        const int rows = (static_cast<int>(plots.size()) + columns - 1) / columns;
        constexpr ImPlotSubplotFlags flags =
            ImPlotSubplotFlags_NoTitle | ImPlotSubplotFlags_NoResize | ImPlotSubplotFlags_NoMenus;
        const ImVec2 room = ImGui::GetContentRegionAvail();
        if (!ImPlot::BeginSubplots("##curves", rows, columns,
                                   {room.x, std::max(room.y, em(12) * static_cast<float>(rows))}, flags))
            return;
        const std::optional<double> hovered = std::exchange(hovered_, std::nullopt);
        for (const Plot& plot : plots) draw_plot(app, plot, hovered);
        ImPlot::EndSubplots();
        if (std::pair(low_, high_) != shown) follows_ = false;
        if (asks_all_) follows_ = true;
        asks_all_ = false;
    }

    void draw_plot(const App& app, const Plot& plot, const std::optional<double>& hovered) {
        constexpr ImPlotFlags flags = ImPlotFlags_NoMenus | ImPlotFlags_NoMouseText | ImPlotFlags_NoBoxSelect;
        if (!ImPlot::BeginPlot(plot.title, {-1, -1}, flags)) return;
        const bool by_iterations = app.run() && app.run()->by_iterations;
        ImPlot::SetupAxis(ImAxis_X1, by_iterations ? "iteration" : "epoch", ImPlotAxisFlags_NoHighlight);
        ImPlot::SetupAxisLinks(ImAxis_X1, &low_, &high_);
        ImPlot::SetupAxis(ImAxis_Y1, nullptr, ImPlotAxisFlags_AutoFit | ImPlotAxisFlags_NoHighlight);
        if (logarithmic_ && plot.factor == 1) ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
        ImPlot::SetupLegend(ImPlotLocation_NorthEast, ImPlotLegendFlags_None);
        ImPlot::SetupFinish();
        const auto columns = static_cast<std::size_t>(std::max(1.0F, ImPlot::GetPlotSize().x));
        for (const Line& line : plot.lines) draw_line(app, plot, line, columns);
        if (ImPlot::IsPlotHovered()) {
            hovered_ = ImPlot::GetPlotMousePos().x;
            if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) asks_all_ = true;
            draw_values(plot, *hovered_);
        }
        if (hovered) {
            ImPlotSpec spec;
            spec.LineColor = with_alpha(faint_colour(), 0.6F);
            spec.Flags = ImPlotItemFlags_NoLegend | ImPlotItemFlags_NoFit;
            ImPlot::PlotInfLines("##hovered", &*hovered, 1, spec);
        }
        ImPlot::EndPlot();
    }

    void draw_line(const App& app, const Plot& plot, const Line& line, std::size_t columns) {
        ImPlotSpec spec;
        spec.LineColor = line.colour;
        spec.LineWeight = line.smoothed || line.marked ? 1.8F : 1.4F;
        if (line.marked) {
            spec.Marker = ImPlotMarker_Circle;
            spec.MarkerSize = 2.6F;
            spec.MarkerFillColor = spec.MarkerLineColor = line.colour;
        }
        const bool smooths = line.smoothed && smoothing_ > 0;
        const std::string key = std::string(plot.title) + "/" + line.name;
        if (smooths) {
            const Curve& raw = thinned(app, key + " raw", line, plot.factor, columns, 0);
            ImPlotSpec faint = spec;
            faint.LineColor = with_alpha(line.colour, 0.25F * line.colour.w);
            faint.LineWeight = 1;
            faint.Flags = ImPlotItemFlags_NoLegend;
            ImPlot::PlotLine(("##" + line.name).c_str(), raw.x.data(), raw.y.data(), static_cast<int>(raw.x.size()),
                             faint);
        }
        const Curve& curve = thinned(app, key, line, plot.factor, columns, smooths ? smoothing_ : 0);
        ImPlot::PlotLine(line.name.c_str(), curve.x.data(), curve.y.data(), static_cast<int>(curve.x.size()), spec);
    }

    void draw_values(const Plot& plot, double x) const {
        ImGui::BeginTooltip();
        for (const Line& line : plot.lines) {
            const std::size_t place = nearest(*line.curve, x);
            std::array<char, 64> value{};
            std::snprintf(value.data(), value.size(), plot.format, line.curve->y[place] * plot.factor);
            ImGui::PushStyleColor(ImGuiCol_Text, line.colour);
            ImGui::Text("%s", value.data());
            ImGui::PopStyleColor();
            ImGui::SameLine(em(5.5F));
            ImGui::Text("%s", line.name.c_str());
            ImGui::SameLine();
            ImGui::TextDisabled("at %.6g", line.curve->x[place]);
        }
        ImGui::EndTooltip();
    }

    // What is drawn of a line; computed anew when the line, its part that is seen or the smoothing changed.
    const Curve& thinned(const App& app, const std::string& key, const Line& line, double factor, std::size_t columns,
                         float smoothing) {
        std::uint64_t version = 0;
        for (const OpenRun& run : app.runs) version = version * 31 + (run.view ? run.view->version : 0);
        Thinned& kept = thinned_[key];
        const bool same_data = kept.version == version && kept.source == line.curve;
        const bool same_values = same_data && kept.smoothing == smoothing && kept.factor == factor;
        if (same_values && kept.low == low_ && kept.high == high_ && kept.columns == columns) return kept.curve;
        if (!same_values) {
            kept.whole = smoothing > 0 ? Curve{line.curve->x, smooth(line.curve->y, smoothing)} : Curve{};
        }
        kept.version = version;
        kept.source = line.curve;
        kept.low = low_;
        kept.high = high_;
        kept.columns = columns;
        kept.smoothing = smoothing;
        kept.factor = factor;
        kept.curve = thin(smoothing > 0 ? kept.whole : *line.curve, low_, high_, columns);
        for (double& value : kept.curve.y) value *= factor;
        return kept.curve;
    }

    float smoothing_ = 0.9F;
    bool logarithmic_ = false;
    bool follows_ = true;
    bool asks_all_ = false;
    double low_ = 0;
    double high_ = 1;
    std::optional<double> hovered_;
    std::map<std::string, Thinned> thinned_;
};

}  // namespace

std::unique_ptr<Panel> make_curves() { return std::make_unique<Curves>(); }

}  // namespace ouaf::dashboard
