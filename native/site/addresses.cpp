#include "native/site/addresses.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <span>

namespace ouaf::site {
namespace {

bool is_quote(char letter) { return letter == '"' || letter == '\'' || letter == '`'; }

// What stands before an address.
struct Marker {
    std::string_view text;
    bool whole = true;
};

constexpr auto in_html = std::to_array<Marker>({{"href="}, {"src="}, {"action="}, {"poster="}});
constexpr auto in_css = std::to_array<Marker>({{"url("}, {"@import"}});
constexpr auto in_manifest = std::to_array<Marker>({{"\"src\":"}, {"\"start_url\":"}, {"\"scope\":"}, {"\"id\":"}});
constexpr auto in_script = std::to_array<Marker>({{"from"},
                                                  {"import"},
                                                  {"import(", false},
                                                  {"importScripts("},
                                                  {"fetch(", false},
                                                  {"new URL(", false},
                                                  {"new Worker(", false}});

std::span<const Marker> markers_for(std::string_view path) {
    if (path.ends_with(".html")) return in_html;
    if (path.ends_with(".css")) return in_css;
    if (path.ends_with(".webmanifest")) return in_manifest;
    if (path.ends_with(".js") || path.ends_with(".mjs")) return in_script;
    return {};
}

bool in_a_word(char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) || letter == '_' || letter == '$' || letter == '-';
}

// Comments by the line, as this project writes them: an example in one asks for nothing.
std::string without_comments(std::string_view script) {
    std::string code;
    while (!script.empty()) {
        const std::size_t end = std::min(script.find('\n'), script.size() - 1) + 1;
        const std::string_view line = script.substr(0, end),
                               text = line.substr(std::min(line.find_first_not_of(" \t"), end));
        if (!text.starts_with("//") && !text.starts_with("*") && !text.starts_with("/*")) code += line;
        script.remove_prefix(end);
    }
    return code;
}

// A sentence in a string, "converts from 'a' to 'b'": an import ends with what it names.
bool goes_on(std::string_view after) {
    return after.size() > 1 && after[0] == ' ' && std::isalpha(static_cast<unsigned char>(after[1]));
}

void add_after_marker(std::string_view content, const Marker& marker, std::vector<Address>& found) {
    for (std::size_t at = content.find(marker.text); at != content.npos; at = content.find(marker.text, at + 1)) {
        if (at > 0 && in_a_word(marker.text.front()) && in_a_word(content[at - 1]))
            continue;  // "data-src=", "copy-from"
        const std::size_t begin = content.find_first_not_of(" \t\r\n", at + marker.text.size());
        if (begin == content.npos) continue;
        const bool quoted = is_quote(content[begin]);
        if (!quoted && marker.text != "url(") continue;
        const std::size_t first = begin + (quoted ? 1 : 0);
        const std::size_t last = quoted ? content.find(content[begin], first) : content.find(')', first);
        if (last == content.npos) continue;
        if (marker.text == "from" && goes_on(content.substr(last + 1))) continue;
        std::string_view text = content.substr(first, last - first);
        const bool filled_in = content[begin] == '`' && text.find("${") != text.npos;
        if (filled_in) text = text.substr(0, text.find("${"));
        const bool is_code = text.find_first_of(" \n{}()<>;") != text.npos;  // between two strings
        if (!is_code) found.push_back({std::string(text), marker.whole && !filled_in});
    }
}

// Hosts named anywhere: a script may keep one in a variable. Names of XML vocabularies are no addresses.
void add_hosts(std::string_view content, std::vector<Address>& found) {
    for (std::size_t at = content.find("://"); at != content.npos; at = content.find("://", at + 1)) {
        std::size_t begin = at;
        while (begin > 0 && std::isalpha(static_cast<unsigned char>(content[begin - 1]))) --begin;
        if (begin == 0 || !is_quote(content[begin - 1])) continue;
        const std::string_view text = content.substr(begin, content.find(content[begin - 1], begin) - begin);
        const bool over_the_network = text.starts_with("http") || text.starts_with("ws");
        if (over_the_network && !text.starts_with("http://www.w3.org/"))
            found.push_back({std::string(text.substr(0, 200)), false});
    }
}

}  // namespace

std::vector<Address> addresses_in(std::string_view path, std::string_view content) {
    std::vector<Address> found;
    const std::span<const Marker> markers = markers_for(path);
    if (markers.empty()) return found;
    const std::string code = markers.data() == in_script.data() ? without_comments(content) : std::string(content);
    add_hosts(code, found);
    for (const Marker& marker : markers) add_after_marker(code, marker, found);
    return found;
}

bool is_absolute(std::string_view address) {
    if (address.starts_with("/") || address.starts_with("\\")) return true;
    const std::size_t scheme = address.find(':');
    return scheme != address.npos && scheme > 0 &&
           std::ranges::all_of(address.substr(0, scheme), [](unsigned char letter) {
               return std::isalnum(letter) || letter == '+' || letter == '-' || letter == '.';
           });
}

std::string resolved(std::string_view path, std::string_view address) {
    const std::string_view bare = address.substr(0, address.find_first_of("?#"));
    return (std::filesystem::path(path).parent_path() / bare).lexically_normal().generic_string();
}

}  // namespace ouaf::site
