// Bounding boxes from annotations in PASCAL VOC's XML.
#include "native/data/boxes.hpp"

#include <catch2/catch.hpp>

#include "folder.hpp"

using namespace ouaf;

namespace {

std::string object(const std::string& edges) {
    return "<object><name>pug</name><bndbox>" + edges + "</bndbox></object>";
}

std::string box(int left, int top, int right, int bottom) {
    return object("\n<xmin> " + std::to_string(left) + "</xmin><ymin>" + std::to_string(top) + "</ymin>\r\n<xmax>" +
                  std::to_string(right) + "\n</xmax><ymax>" + std::to_string(bottom) + "</ymax>");
}

std::string annotation(const std::string& objects, const std::string& size = "<width>200</width><height>400</height>") {
    return "<annotation>\n\t<folder>1</folder><size>" + size + "<depth>3</depth></size>" + objects + "</annotation>\n";
}

}  // namespace

TEST_CASE("the largest box of a photo, in shares of the annotated size", "[data]") {
    const Folder folder;
    folder.write_photos("Images/pug", 5);
    folder.write("Annotation/pug/0", annotation(box(50, 100, 150, 200)));
    folder.write("Annotation/pug/1", annotation(box(0, 0, 20, 20) + box(20, 40, 120, 400) + box(0, 0, 99, 300)));
    folder.write("Annotation/pug/2", annotation(box(-10, 300, 250, 500)));  // cut off at the photo's edges
    folder.write("Annotation/pug/3", annotation(""));
    std::vector<std::filesystem::path> broken;
    const auto boxes = read_boxes(open_dataset(folder.root / "Images").all, &broken);
    REQUIRE(boxes.size() == 5);
    const auto is = [&](std::size_t i, float left, float top, float width, float height) {
        REQUIRE(boxes[i]);  // a share is one float division and a difference: to 1e-6
        CHECK(boxes[i]->left == Approx(left).margin(1e-6));
        CHECK(boxes[i]->top == Approx(top).margin(1e-6));
        CHECK(boxes[i]->width == Approx(width).margin(1e-6));
        CHECK(boxes[i]->height == Approx(height).margin(1e-6));
    };
    is(0, 0.25F, 0.25F, 0.5F, 0.25F);
    is(1, 0.1F, 0.1F, 0.5F, 0.9F);
    is(2, 0, 0.75F, 1, 0.25F);
    CHECK_FALSE(boxes[3]);
    CHECK_FALSE(boxes[4]);  // no file
    CHECK(broken.empty());
}

TEST_CASE("annotations that make no sense give no box and are named", "[data]") {
    const std::string good = annotation(box(50, 100, 150, 200));
    const std::string bad =
        GENERATE_COPY(std::string(), std::string("\xFF\xD8\xFF"), good.substr(0, good.size() / 2),
                      annotation(box(50, 100, 150, 200), "<width>0</width><height>400</height>"),
                      annotation(box(50, 100, 150, 200), "<height>400</height>"), annotation(box(150, 100, 50, 200)),
                      annotation(box(300, 100, 400, 200)), annotation(object("<xmin>1</xmin>")),
                      annotation(object("<xmin>a</xmin><ymin>1</ymin><xmax>2</xmax><ymax>3</ymax>")),
                      annotation(object("<xmin>1 2</xmin><ymin>1</ymin><xmax>20</xmax><ymax>30</ymax>")),
                      annotation(object("<xmin>nan</xmin><ymin>1</ymin><xmax>20</xmax><ymax>30</ymax>")),
                      annotation("<object></object>"));
    const Folder folder;
    folder.write_photos("Images/pug", 2);
    folder.write("Annotation/pug/0", bad);
    folder.write("Annotation/pug/1", good);
    std::vector<std::filesystem::path> broken;
    const Dataset data = open_dataset(folder.root / "Images").all;
    const auto boxes = read_boxes(data, &broken);
    CHECK_FALSE(boxes[0]);
    CHECK(boxes[1]);
    CHECK(broken == std::vector{folder.root / "Annotation/pug/0"});
    CHECK(read_boxes(data).size() == 2);
}

TEST_CASE("photos elsewhere have no boxes", "[data]") {
    const Folder folder;
    folder.write_photos("photos/pug", 1);
    folder.write("Annotation/pug/0", annotation(box(50, 100, 150, 200)));
    CHECK_FALSE(read_boxes(open_dataset(folder.root / "photos").all).at(0));
}
