// See photo_view.hpp.
#include "native/dashboard/photo_view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "native/dashboard/style.hpp"

namespace ouaf::dashboard {
namespace {

// From nothing over yellow to red, as strong as the network looked there.
ImU32 heat_tint(float value) {
    const float strength = std::clamp(value, 0.0F, 1.0F);
    return ImGui::ColorConvertFloat4ToU32({1, 0.85F - 0.75F * strength, 0.1F, 0.75F * strength});
}

void draw_heat(ImVec2 corner, float side, const HeatMap& heat) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const auto cells = static_cast<float>(heat.side);
    const float seen = side * heat.seen;
    const float margin = (side - seen) / 2;
    const auto value = [&](int x, int y) {
        const int last = heat.side - 1;
        return heat.values[static_cast<std::size_t>(std::clamp(y, 0, last) * heat.side + std::clamp(x, 0, last))];
    };
    // Between the middles of the cells, so that colours run into each other; half a cell more at the edges.
    const auto place = [&](int cell) {
        return margin + seen * std::clamp((static_cast<float>(cell) + 0.5F) / cells, 0.0F, 1.0F);
    };
    for (int y = -1; y < heat.side; ++y)
        for (int x = -1; x < heat.side; ++x)
            list.AddRectFilledMultiColor({corner.x + place(x), corner.y + place(y)},
                                         {corner.x + place(x + 1), corner.y + place(y + 1)}, heat_tint(value(x, y)),
                                         heat_tint(value(x + 1, y)), heat_tint(value(x + 1, y + 1)),
                                         heat_tint(value(x, y + 1)));
}

}  // namespace

void draw_photo(Photos& photos, const std::filesystem::path& path, float side, const HeatMap* heat) {
    const ImVec2 corner = ImGui::GetCursorScreenPos();
    photo_button(photos, path, side);
    if (heat && heat->side > 0) draw_heat(corner, side, *heat);
}

void draw_bars(const std::vector<Bar>& bars) {
    if (!ImGui::BeginTable("bars", 3)) return;
    ImGui::TableSetupColumn("class", ImGuiTableColumnFlags_WidthStretch, 1.1F);
    ImGui::TableSetupColumn("bar", ImGuiTableColumnFlags_WidthStretch, 1);
    ImGui::TableSetupColumn("share", ImGuiTableColumnFlags_WidthFixed, em(3.6F));
    for (const Bar& bar : bars) {
        ImGui::TableNextRow();
        ImGui::TableNextColumn();
        if (bar.is_label) ImGui::PushStyleColor(ImGuiCol_Text, good_colour());
        ImGui::TextUnformatted(bar.name.c_str());
        if (bar.is_label) ImGui::PopStyleColor();
        if (bar.is_label) ImGui::SetItemTooltip("what it is labelled as");
        ImGui::TableNextColumn();
        const ImVec2 corner = ImGui::GetCursorScreenPos();
        const ImVec2 room{ImGui::GetContentRegionAvail().x, ImGui::GetTextLineHeight()};
        ImDrawList& list = *ImGui::GetWindowDrawList();
        list.AddRectFilled(corner, {corner.x + room.x, corner.y + room.y}, ImGui::GetColorU32(ImGuiCol_FrameBg), 3);
        list.AddRectFilled(corner, {corner.x + room.x * static_cast<float>(bar.share), corner.y + room.y},
                           ImGui::GetColorU32(bar.is_label ? good_colour() : series_colour(0)), 3);
        ImGui::Dummy(room);
        ImGui::TableNextColumn();
        std::array<char, 16> text{};
        std::snprintf(text.data(), text.size(), "%.1f %%", 100 * bar.share);
        ImGui::SetCursorPosX(ImGui::GetCursorPosX() + ImGui::GetContentRegionAvail().x -
                             ImGui::CalcTextSize(text.data()).x);
        ImGui::TextUnformatted(text.data());
    }
    ImGui::EndTable();
}

}  // namespace ouaf::dashboard
