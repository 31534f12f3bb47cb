// See style.hpp.
#include "native/dashboard/style.hpp"

#include <implot.h>
#include <roboto_regular.h>

#include <algorithm>
#include <array>

namespace ouaf::dashboard {
namespace {

Theme current_theme = Theme::dark;

ImVec4 rgb(unsigned value, float alpha = 1) {
    return {static_cast<float>(value >> 16 & 255) / 255, static_cast<float>(value >> 8 & 255) / 255,
            static_cast<float>(value & 255) / 255, alpha};
}

struct Palette {
    ImVec4 back, panel, raised, field, field_hovered, line, text, faint, accent, good, warning, bad;
};

const Palette& palette() {
    static const Palette dark{rgb(0x14171c), rgb(0x1b1f26), rgb(0x252b35), rgb(0x2a313c), rgb(0x353e4c), rgb(0x323a46),
                              rgb(0xe4e8ee), rgb(0x98a2b1), rgb(0x4c9be8), rgb(0x5cc08a), rgb(0xe8b04b), rgb(0xf0766b)};
    static const Palette light{rgb(0xe9ecf0), rgb(0xfafbfc), rgb(0xffffff), rgb(0xe6eaef),
                               rgb(0xd8dfe8), rgb(0xccd3dc), rgb(0x1d232c), rgb(0x5f6b7a),
                               rgb(0x1f6fc4), rgb(0x1f8a55), rgb(0x9a6400), rgb(0xc0382c)};
    return current_theme == Theme::dark ? dark : light;
}

void apply_colours() {
    const Palette& p = palette();
    ImVec4* const c = ImGui::GetStyle().Colors;
    c[ImGuiCol_Text] = p.text;
    c[ImGuiCol_TextDisabled] = p.faint;
    c[ImGuiCol_WindowBg] = c[ImGuiCol_DockingEmptyBg] = p.panel;
    c[ImGuiCol_ChildBg] = ImVec4(0, 0, 0, 0);
    c[ImGuiCol_PopupBg] = p.raised;
    c[ImGuiCol_Border] = c[ImGuiCol_Separator] = c[ImGuiCol_TableBorderLight] = c[ImGuiCol_TableBorderStrong] = p.line;
    c[ImGuiCol_FrameBg] = p.field;
    c[ImGuiCol_FrameBgHovered] = c[ImGuiCol_FrameBgActive] = p.field_hovered;
    c[ImGuiCol_TitleBg] = c[ImGuiCol_TitleBgActive] = c[ImGuiCol_TitleBgCollapsed] = c[ImGuiCol_MenuBarBg] = p.back;
    c[ImGuiCol_ScrollbarBg] = ImVec4(0, 0, 0, 0);
    c[ImGuiCol_ScrollbarGrab] = p.field_hovered;
    c[ImGuiCol_ScrollbarGrabHovered] = c[ImGuiCol_ScrollbarGrabActive] = p.faint;
    c[ImGuiCol_CheckMark] = c[ImGuiCol_SliderGrab] = c[ImGuiCol_SliderGrabActive] = p.accent;
    c[ImGuiCol_CheckboxSelectedBg] = p.field;
    c[ImGuiCol_Button] = p.field;
    c[ImGuiCol_ButtonHovered] = p.field_hovered;
    c[ImGuiCol_ButtonActive] = with_alpha(p.accent, 0.55F);
    c[ImGuiCol_Header] = with_alpha(p.accent, 0.22F);
    c[ImGuiCol_HeaderHovered] = with_alpha(p.accent, 0.16F);
    c[ImGuiCol_HeaderActive] = with_alpha(p.accent, 0.32F);
    c[ImGuiCol_SeparatorHovered] = c[ImGuiCol_SeparatorActive] = p.accent;
    c[ImGuiCol_ResizeGrip] = ImVec4(0, 0, 0, 0);
    c[ImGuiCol_ResizeGripHovered] = c[ImGuiCol_ResizeGripActive] = p.accent;
    c[ImGuiCol_Tab] = c[ImGuiCol_TabDimmed] = p.back;
    c[ImGuiCol_TabHovered] = p.field_hovered;
    c[ImGuiCol_TabSelected] = c[ImGuiCol_TabDimmedSelected] = p.panel;
    c[ImGuiCol_TabSelectedOverline] = p.accent;
    c[ImGuiCol_TabDimmedSelectedOverline] = ImVec4(0, 0, 0, 0);
    c[ImGuiCol_DockingPreview] = with_alpha(p.accent, 0.4F);
    c[ImGuiCol_TableHeaderBg] = p.raised;
    c[ImGuiCol_TableRowBg] = ImVec4(0, 0, 0, 0);
    c[ImGuiCol_TableRowBgAlt] = with_alpha(p.text, 0.03F);
    c[ImGuiCol_PlotHistogram] = p.accent;
    c[ImGuiCol_TextLink] = c[ImGuiCol_NavCursor] = p.accent;
    c[ImGuiCol_TextSelectedBg] = with_alpha(p.accent, 0.35F);
    c[ImGuiCol_InputTextCursor] = p.text;
    c[ImGuiCol_ModalWindowDimBg] = ImVec4(0, 0, 0, 0.45F);
}

void apply_plot_style(float scale) {
    const Palette& p = palette();
    ImPlotStyle& style = ImPlot::GetStyle();
    style = ImPlotStyle();
    style.PlotBorderSize = 0;
    style.MinorAlpha = 0.15F;
    style.FitPadding = {0, 0.06F};
    style.PlotPadding = {8 * scale, 6 * scale};
    style.LabelPadding = {4 * scale, 4 * scale};
    style.LegendPadding = {8 * scale, 6 * scale};
    style.LegendInnerPadding = {7 * scale, 5 * scale};
    style.LegendSpacing = {6 * scale, 2 * scale};
    style.MousePosPadding = {8 * scale, 6 * scale};
    style.Colors[ImPlotCol_FrameBg] = ImVec4(0, 0, 0, 0);
    style.Colors[ImPlotCol_PlotBg] = with_alpha(p.text, 0.025F);
    style.Colors[ImPlotCol_PlotBorder] = p.line;
    style.Colors[ImPlotCol_LegendBg] = with_alpha(p.raised, 0.85F);
    style.Colors[ImPlotCol_LegendBorder] = with_alpha(p.line, 0.6F);
    style.Colors[ImPlotCol_LegendText] = style.Colors[ImPlotCol_TitleText] = p.text;
    style.Colors[ImPlotCol_AxisText] = p.faint;
    style.Colors[ImPlotCol_AxisGrid] = with_alpha(p.faint, 0.35F);
}

}  // namespace

void add_font() {
    ImFontConfig config;
    ImGui::GetIO().Fonts->AddFontFromMemoryCompressedTTF(roboto_regular_compressed_data, roboto_regular_compressed_size,
                                                         0, &config);
}

Theme applied_theme() { return current_theme; }

void apply_style(Theme theme, float scale) {
    current_theme = theme;
    ImGuiStyle& style = ImGui::GetStyle();
    style = ImGuiStyle();
    style.WindowPadding = {10, 10};
    style.FramePadding = {8, 4};
    style.CellPadding = {6, 3};
    style.ItemSpacing = {8, 6};
    style.ItemInnerSpacing = {6, 4};
    style.ScrollbarSize = 12;
    style.WindowBorderSize = 0;
    style.FrameRounding = style.GrabRounding = style.PopupRounding = 4;
    style.ScrollbarRounding = 6;
    style.TabRounding = 3;
    style.TabBarOverlineSize = 2;
    style.WindowMenuButtonPosition = ImGuiDir_None;
    style.SeparatorTextBorderSize = 1;
    style.ScaleAllSizes(scale);
    style.FontSizeBase = 15;
    style.FontScaleDpi = scale;
    apply_colours();
    apply_plot_style(scale);
}

ImVec4 series_colour(std::size_t place) {
    static constexpr std::array<unsigned, 8> on_dark{0x56b4e9, 0xe69f00, 0x2bbd8e, 0xe583bd,
                                                     0xf0e442, 0xe8703a, 0x8f9bff, 0xb8c0cc};
    static constexpr std::array<unsigned, 8> on_light{0x0072b2, 0xc47f00, 0x008561, 0xb3558f,
                                                      0x8a7d00, 0xc4500a, 0x5560d0, 0x596473};
    return rgb((current_theme == Theme::dark ? on_dark : on_light).at(place % on_dark.size()));
}

std::size_t series_colours() { return 8; }

ImVec4 good_colour() { return palette().good; }
ImVec4 warning_colour() { return palette().warning; }
ImVec4 bad_colour() { return palette().bad; }
ImVec4 faint_colour() { return palette().faint; }

ImVec4 heat_colour(float share) { return with_alpha(series_colour(1), 0.12F + 0.78F * std::clamp(share, 0.0F, 1.0F)); }

ImVec4 with_alpha(ImVec4 colour, float alpha) { return {colour.x, colour.y, colour.z, alpha}; }

float empty_state(const char* title, const char* explanation) {
    const float width = std::min(em(30), ImGui::GetContentRegionAvail().x);
    const float left = ImGui::GetCursorPosX() + (ImGui::GetContentRegionAvail().x - width) / 2;
    ImGui::SetCursorPosY(ImGui::GetCursorPosY() + std::max(em(1), ImGui::GetContentRegionAvail().y * 0.28F));
    ImGui::SetCursorPosX(left);
    ImGui::PushTextWrapPos(left + width);
    ImGui::PushFont(nullptr, ImGui::GetStyle().FontSizeBase * 1.25F);
    ImGui::TextUnformatted(title);
    ImGui::PopFont();
    ImGui::SetCursorPosX(left);
    ImGui::PushStyleColor(ImGuiCol_Text, palette().faint);
    ImGui::TextWrapped("%s", explanation);
    ImGui::PopStyleColor();
    ImGui::PopTextWrapPos();
    return left;
}

void faint_text(const char* text) {
    ImGui::PushStyleColor(ImGuiCol_Text, palette().faint);
    ImGui::TextUnformatted(text);
    ImGui::PopStyleColor();
}

void help_mark(const char* explanation) {
    ImGui::TextDisabled("(?)");
    if (ImGui::BeginItemTooltip()) {
        ImGui::PushTextWrapPos(em(28));
        ImGui::TextUnformatted(explanation);
        ImGui::PopTextWrapPos();
        ImGui::EndTooltip();
    }
}

float em(float times) { return ImGui::GetFontSize() * times; }

}  // namespace ouaf::dashboard
