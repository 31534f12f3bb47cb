// The confusion matrix of a test, to look around in and to click on.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "native/dashboard/class_order.hpp"
#include "native/dashboard/messages.hpp"

namespace ouaf::dashboard {

// A cell: the class of the label, and the one that was answered.
using Cell = std::pair<std::size_t, std::size_t>;

class ConfusionPlot {
 public:
    // With its tools, in what is left of the window. Changes `chosen` when a cell was clicked.
    void draw(const Mistakes& mistakes, std::optional<Cell>& chosen);

 private:
    void arrange(const Mistakes& mistakes);
    void draw_cells(const Mistakes& mistakes, const std::optional<Cell>& chosen) const;
    std::optional<Cell> hovered_cell() const;

    ClassOrder order_ = ClassOrder::cluster;
    std::string filter_;
    const Mistakes* of_ = nullptr;  // what `classes_` was made of
    ClassOrder ordered_ = ClassOrder::cluster;
    std::string filtered_;
    std::vector<std::size_t> classes_;  // row and column by row and column
    std::vector<const char*> names_;    // of them
    std::vector<double> places_;        // of their middles
    std::size_t most_ = 1;              // mistakes in a cell
    double shown_ = 0;                  // rows that were in sight in the last frame
    bool fits_ = true;                  // shows all in the next frame
};

}  // namespace ouaf::dashboard
