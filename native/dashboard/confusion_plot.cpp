// See confusion_plot.hpp.
#include "native/dashboard/confusion_plot.hpp"

#include <imgui.h>
#include <imgui_stdlib.h>
#include <implot.h>

#include <algorithm>
#include <cmath>

#include "native/dashboard/style.hpp"

namespace ouaf::dashboard {

void ConfusionPlot::arrange(const Mistakes& mistakes) {
    if (of_ == &mistakes && ordered_ == order_ && filtered_ == filter_) return;
    of_ = &mistakes;
    ordered_ = order_;
    filtered_ = filter_;
    classes_ = order_classes(mistakes, order_, filter_);
    names_.clear();
    places_.clear();
    most_ = 1;
    for (std::size_t i = 0; i < classes_.size(); ++i) {
        names_.push_back(mistakes.classes[classes_[i]].c_str());
        places_.push_back(static_cast<double>(i) + 0.5);
        for (const std::size_t other : classes_)
            if (other != classes_[i]) most_ = std::max(most_, mistakes.count(classes_[i], other));
    }
    fits_ = true;
}

std::optional<Cell> ConfusionPlot::hovered_cell() const {
    if (!ImPlot::IsPlotHovered()) return std::nullopt;
    const ImPlotPoint mouse = ImPlot::GetPlotMousePos();
    const auto count = static_cast<double>(classes_.size());
    if (mouse.x < 0 || mouse.y < 0 || mouse.x >= count || mouse.y >= count) return std::nullopt;
    return Cell{classes_[static_cast<std::size_t>(mouse.y)], classes_[static_cast<std::size_t>(mouse.x)]};
}

void ConfusionPlot::draw_cells(const Mistakes& mistakes, const std::optional<Cell>& chosen) const {
    ImDrawList& list = *ImPlot::GetPlotDrawList();
    const float cell = std::abs(ImPlot::PlotToPixels(1, 0).x - ImPlot::PlotToPixels(0, 0).x);
    const bool has_numbers = cell > em(1.6F);
    const float gap = cell > 8 ? 1 : 0;
    ImPlot::PushPlotClipRect();
    for (std::size_t row = 0; row < classes_.size(); ++row) {
        for (std::size_t column = 0; column < classes_.size(); ++column) {
            const std::size_t count = mistakes.count(classes_[row], classes_[column]);
            const bool is_chosen = chosen && *chosen == Cell{classes_[row], classes_[column]};
            if (count == 0 && !is_chosen) continue;
            const auto x = static_cast<double>(column);
            const auto y = static_cast<double>(row);
            const ImVec2 low = ImPlot::PlotToPixels(x, y);
            const ImVec2 high = ImPlot::PlotToPixels(x + 1, y + 1);
            const ImVec2 from{std::min(low.x, high.x), std::min(low.y, high.y)};
            const ImVec2 to{std::max(low.x, high.x) - gap, std::max(low.y, high.y) - gap};
            const bool right = row == column;
            const auto share =
                static_cast<float>(std::log1p(static_cast<double>(count)) / std::log1p(static_cast<double>(most_)));
            const ImVec4 colour = right ? with_alpha(faint_colour(), 0.4F) : heat_colour(share);
            if (count > 0) list.AddRectFilled(from, to, ImGui::GetColorU32(colour));
            if (is_chosen) list.AddRect(from, to, ImGui::GetColorU32(ImGuiCol_Text), 0, 2);
            if (!has_numbers || count == 0) continue;
            const std::string text = std::to_string(count);
            const ImVec2 size = ImGui::CalcTextSize(text.c_str());
            list.AddText({(from.x + to.x - size.x) / 2, (from.y + to.y - size.y) / 2},
                         ImGui::GetColorU32(ImGuiCol_Text), text.c_str());
        }
    }
    ImPlot::PopPlotClipRect();
}

void ConfusionPlot::draw(const Mistakes& mistakes, std::optional<Cell>& chosen) {
    ImGui::SetNextItemWidth(em(8));
    int order = static_cast<int>(order_);
    if (ImGui::Combo("order", &order, "by name\0by confusion\0by cluster\0")) order_ = static_cast<ClassOrder>(order);
    ImGui::SameLine(0, em(1));
    ImGui::SetNextItemWidth(em(11));
    ImGui::InputTextWithHint("##filter", "classes with … in the name", &filter_);
    ImGui::SameLine(0, em(1));
    if (ImGui::Button("All")) fits_ = true;
    ImGui::SetItemTooltip("Scroll to zoom, drag to move, double click to see all again.");
    arrange(mistakes);
    if (classes_.empty()) {
        empty_state("No class", "No class has this in its name.");
        return;
    }
    constexpr ImPlotFlags flags = ImPlotFlags_NoLegend | ImPlotFlags_NoMenus | ImPlotFlags_NoMouseText |
                                  ImPlotFlags_NoBoxSelect | ImPlotFlags_NoTitle;
    const auto count = static_cast<double>(classes_.size());
    const float room = ImGui::GetContentRegionAvail().y;
    const bool has_names = shown_ > 0 && static_cast<float>(shown_) * ImGui::GetTextLineHeight() < room * 0.9F;
    if (!ImPlot::BeginPlot("##confusion", {-1, -1}, flags)) return;
    constexpr ImPlotAxisFlags axis = ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_NoTickMarks;
    ImPlot::SetupAxes("answered", "label", axis | ImPlotAxisFlags_NoTickLabels,
                      axis | ImPlotAxisFlags_Invert | (has_names ? 0 : ImPlotAxisFlags_NoTickLabels));
    ImPlot::SetupAxisLimits(ImAxis_X1, 0, count, fits_ ? ImPlotCond_Always : ImPlotCond_Once);
    ImPlot::SetupAxisLimits(ImAxis_Y1, 0, count, fits_ ? ImPlotCond_Always : ImPlotCond_Once);
    ImPlot::SetupAxisLimitsConstraints(ImAxis_X1, 0, count);
    ImPlot::SetupAxisLimitsConstraints(ImAxis_Y1, 0, count);
    if (has_names) ImPlot::SetupAxisTicks(ImAxis_Y1, places_.data(), static_cast<int>(places_.size()), names_.data());
    fits_ = false;
    draw_cells(mistakes, chosen);
    shown_ = ImPlot::GetPlotLimits().Y.Size();
    if (const std::optional<Cell> cell = hovered_cell()) {
        const auto& [label, answered] = *cell;
        const std::size_t times = mistakes.count(label, answered);
        if (label == answered)
            ImGui::SetTooltip("%s\nright %zu times of %zu", mistakes.classes[label].c_str(), times,
                              mistakes.rows[label].support);
        else
            ImGui::SetTooltip("%s\ntaken for %s\n%zu times of %zu", mistakes.classes[label].c_str(),
                              mistakes.classes[answered].c_str(), times, mistakes.rows[label].support);
        const bool dragged = ImGui::GetIO().MouseDragMaxDistanceSqr[ImGuiMouseButton_Left] > 36;
        if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && !dragged) chosen = cell;
        if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) fits_ = true;
    }
    ImPlot::EndPlot();
}

}  // namespace ouaf::dashboard
