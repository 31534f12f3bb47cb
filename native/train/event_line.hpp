// One line of metrics.jsonl taken apart.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

namespace ouaf {

// The names and values of one event, as views of the line or of `whole`.
struct EventLine {
    std::vector<std::pair<std::string_view, double>> numbers;  // NaN for null
    std::vector<std::pair<std::string_view, std::string_view>> texts;
    nlohmann::ordered_json whole;  // of a line that is more than flat

    std::string_view kind() const;  // the text "event"; empty where there is none
};

// False for what is no JSON object. `line` is used again from line to line, for its memory.
bool parse_event_line(std::string_view text, EventLine& line);

}  // namespace ouaf
