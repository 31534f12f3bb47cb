// Annotations have elements without attributes, so that looking for tags by their names reads them.
#include "native/data/boxes.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>

#include "native/files/files.hpp"

namespace ouaf {
namespace {

namespace fs = std::filesystem;

// Takes the text up to the end of the next <tag>…</tag> off `text`, and gives what is inside.
std::optional<std::string_view> next_element(std::string_view& text, const std::string& tag) {
    const std::string open = "<" + tag + ">", close = "</" + tag + ">";
    const std::size_t begin = text.find(open);
    if (begin == std::string_view::npos) return std::nullopt;
    const std::size_t end = text.find(close, begin);
    if (end == std::string_view::npos) throw std::runtime_error("<" + tag + "> is not closed");
    const std::string_view inside = text.substr(begin + open.size(), end - begin - open.size());
    text.remove_prefix(end + close.size());
    return inside;
}

std::string_view element(std::string_view text, const std::string& tag) {
    const auto found = next_element(text, tag);
    if (!found) throw std::runtime_error("<" + tag + "> is missing");
    return *found;
}

double number(std::string_view text, const std::string& tag) {
    std::string_view digits = element(text, tag);
    constexpr std::string_view blanks = " \t\r\n";
    digits.remove_prefix(std::min(digits.find_first_not_of(blanks), digits.size()));
    digits = digits.substr(0, digits.find_last_not_of(blanks) + 1);
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value))
        throw std::runtime_error("<" + tag + "> is no number");
    return value;
}

// Throws std::runtime_error for an annotation that makes no sense.
std::optional<Box> largest_box(std::string_view xml) {
    std::string_view objects = element(xml, "annotation");
    const std::string_view size = element(objects, "size");
    const double width = number(size, "width"), height = number(size, "height");
    if (width < 1 || height < 1) throw std::runtime_error("the photo has no size");
    std::optional<Box> largest;
    while (const auto object = next_element(objects, "object")) {
        const std::string_view edges = element(*object, "bndbox");
        const auto share = [&](const char* tag, double whole) {
            return static_cast<float>(std::clamp(number(edges, tag) / whole, 0.0, 1.0));
        };
        Box box{share("xmin", width), share("ymin", height), share("xmax", width), share("ymax", height)};
        box.width -= box.left;
        box.height -= box.top;
        if (box.width <= 0 || box.height <= 0) throw std::runtime_error("a box holds nothing of the photo");
        if (!largest || box.width * box.height > largest->width * largest->height) largest = box;
    }
    return largest;
}

// Nothing for a photo that doesn't lie as Stanford Dogs' do.
fs::path annotation_of(const fs::path& photo) {
    const fs::path folder = photo.parent_path(), images = folder.parent_path();
    if (images.filename() != "Images") return {};
    return images.parent_path() / "Annotation" / folder.filename() / photo.stem();
}

}  // namespace

std::vector<std::optional<Box>> read_boxes(const Dataset& data, std::vector<fs::path>* broken) {
    std::vector<std::optional<Box>> boxes(data.samples.size());
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        const fs::path path = annotation_of(data.samples[i].path);
        try {
            if (!path.empty() && fs::exists(path)) boxes[i] = largest_box(read_text(path));
        } catch (const std::runtime_error&) {
            if (broken) broken->push_back(path);
        }
    }
    return boxes;
}

}  // namespace ouaf
