// ONNX files: what is written is read back, and damaged or hostile files give one clear error.
#include <onnx/onnx_pb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

#include "native/graph/onnx_io.hpp"
#include "tests/unit/graph_support.hpp"

using namespace ouaf::graph;
using namespace ouaf::graph::test;
using Catch::Contains;

namespace {

struct Folder {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("ouaf_graph_onnx_io." + std::to_string(::getpid()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string write(const std::string& name, const std::string& bytes) const {
        std::ofstream(path / name, std::ios::binary) << bytes;
        return (path / name).string();
    }
};

Graph gemm_graph() {
    Graph graph = make_graph({1, 2}, {{"Gemm", "", "head", {"x", "w", "b"}, {"y"}, {{"transB", std::int64_t{1}}}}},
                             {{"w", floats({3, 2}, {1, 2, 3, 4, 5, 6})}, {"b", floats({3}, {0, 1, 2})}});
    graph.outputs[0] = {"y", DType::float32, true, {std::string("batch"), std::int64_t{3}}};
    graph.metadata["licence"] = "Apache-2.0";
    return graph;
}

Graph parse(const std::string& bytes) { return parse_onnx(std::as_bytes(std::span(bytes)), "model.onnx"); }

// The error for the graph above after its protobuf was changed.
std::string error_after(const std::function<void(onnx::ModelProto&)>& change) {
    onnx::ModelProto proto;
    REQUIRE(proto.ParseFromString(serialise_onnx(gemm_graph())));
    change(proto);
    return error_of([&] { parse(proto.SerializeAsString()); });
}

onnx::TensorProto& weight(onnx::ModelProto& proto) {
    for (auto& tensor : *proto.mutable_graph()->mutable_initializer())
        if (tensor.name() == "w") return tensor;
    throw std::logic_error("no w");
}

}  // namespace

TEST_CASE("a graph comes back from its file as it was", "[graph]") {
    const Folder folder;
    const std::string path = (folder.path / "model.onnx").string();
    const Graph graph = gemm_graph();
    save_onnx(graph, path);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);  // nothing half-written beside it
    const Graph again = load_onnx(path);
    CHECK(again.source == path);
    CHECK(again.opsets == graph.opsets);
    CHECK(again.metadata == graph.metadata);
    REQUIRE(again.nodes.size() == 1);
    CHECK(again.nodes[0].name == "head");
    CHECK(again.nodes[0].inputs == graph.nodes[0].inputs);
    CHECK(attribute_or<std::int64_t>(again.nodes[0], "transB", 0) == 1);
    CHECK(again.initializers.at("w").dims == Dims{3, 2});
    CHECK(again.initializers.at("w").bytes == graph.initializers.at("w").bytes);
    CHECK(std::get<std::string>(again.outputs.at(0).dims.at(0)) == "batch");
    CHECK(std::get<std::int64_t>(again.inputs.at(0).dims.at(1)) == 2);
    CHECK(serialise_onnx(again) == serialise_onnx(graph));
    CHECK_THAT(error_of([&] { save_onnx(graph, (folder.path / "absent" / "model.onnx").string()); }),
               Contains("cannot be written; check that the folder exists and has room"));
}

TEST_CASE("every kind of attribute and typed tensor field is kept", "[graph]") {
    Graph graph = make_graph({2}, {{"Foo", "com.example", "", {"x"}, {"y"}, {}}}, {});
    graph.opsets["com.example"] = 1;
    graph.outputs[0] = {"y", DType::float32, true, {std::int64_t{2}}};
    auto& attributes = graph.nodes[0].attributes;
    attributes["i"] = std::int64_t{-5};
    attributes["f"] = 0.25f;
    attributes["s"] = std::string("text");
    attributes["is"] = std::vector<std::int64_t>{1, -2};
    attributes["fs"] = std::vector<float>{1.5f};
    attributes["ss"] = std::vector<std::string>{"a", "b"};
    attributes["t"] = integers({7, 8});
    const Graph again = parse(serialise_onnx(graph));
    const Node& node = again.nodes.at(0);
    CHECK(attribute_or<std::int64_t>(node, "i", 0) == -5);
    CHECK(attribute_or<float>(node, "f", 0) == 0.25f);
    CHECK(attribute_or<std::string>(node, "s", "") == "text");
    CHECK(attribute_or<std::vector<std::int64_t>>(node, "is", {}) == std::vector<std::int64_t>{1, -2});
    CHECK(attribute_or<std::vector<float>>(node, "fs", {}) == std::vector<float>{1.5f});
    CHECK(attribute_or<std::vector<std::string>>(node, "ss", {}) == std::vector<std::string>{"a", "b"});
    CHECK(to_int64s(std::get<Tensor>(node.attributes.at("t"))) == std::vector<std::int64_t>{7, 8});

    onnx::ModelProto proto;
    REQUIRE(proto.ParseFromString(serialise_onnx(gemm_graph())));
    const auto typed = [&](onnx::TensorProto::DataType type, const std::function<void(onnx::TensorProto&)>& fill) {
        onnx::ModelProto changed = proto;
        auto* tensor = changed.mutable_graph()->add_initializer();
        tensor->set_name("extra");
        tensor->set_data_type(type);
        tensor->add_dims(2);
        fill(*tensor);
        return to_floats(parse(changed.SerializeAsString()).initializers.at("extra"));
    };
    const auto add_int32 = [](int a, int b) {
        return [a, b](onnx::TensorProto& tensor) {
            tensor.add_int32_data(a);
            tensor.add_int32_data(b);
        };
    };
    CHECK(typed(onnx::TensorProto::INT8, add_int32(-128, 127)) == std::vector<float>{-128, 127});
    CHECK(typed(onnx::TensorProto::UINT8, add_int32(255, 1)) == std::vector<float>{255, 1});
    CHECK(typed(onnx::TensorProto::INT32, add_int32(-70000, 1)) == std::vector<float>{-70000, 1});
    CHECK(typed(onnx::TensorProto::FLOAT16, add_int32(0x3c00, 0x8001)) ==
          std::vector<float>{1, -5.9604644775390625e-8f});
    CHECK(typed(onnx::TensorProto::BFLOAT16, add_int32(0x3f80, 0xc000)) == std::vector<float>{1, -2});
    CHECK(typed(onnx::TensorProto::DOUBLE, [](onnx::TensorProto& tensor) {
              tensor.add_double_data(0.5);
              tensor.add_double_data(-3);
          }) == std::vector<float>{0.5f, -3});
}

TEST_CASE("files that are no ONNX model are named with what to do", "[graph]") {
    const Folder folder;
    CHECK(error_of([] { load_onnx("/nowhere/model.onnx"); }) ==
          "/nowhere/model.onnx: no such file; give the path of an ONNX model");
    CHECK(error_of([&] { load_onnx(folder.path.string()); }) ==
          folder.path.string() + ": not a file; give the path of an ONNX model");
    const std::string empty = folder.write("empty.onnx", "");
    CHECK(error_of([&] { load_onnx(empty); }) == empty + ": the file is empty; download or export it again");
    const std::string text = folder.write("text.onnx", "This is a letter, not a model.\n");
    CHECK(error_of([&] { load_onnx(text); }) ==
          text + ": not an ONNX model, or cut short; download or export it again");
    // Cut anywhere, with or without enough left to parse: an error, never a crash.
    Graph graph = gemm_graph();
    graph.metadata.clear();  // it stands last, and a file may well have none
    const std::string whole = serialise_onnx(graph);
    for (std::size_t length = 0; length < whole.size(); ++length)
        CHECK_THAT(error_of([&] { parse(whole.substr(0, length)); }), Catch::StartsWith("model.onnx: "));
    // Any byte changed: an error or a graph, never a crash.
    for (std::size_t position = 0; position < whole.size(); ++position) {
        std::string damaged = whole;
        damaged[position] = static_cast<char>(damaged[position] ^ 0x55);
        const std::string error = error_of([&] { parse(damaged); });
        CHECK((error.empty() || error.starts_with("model.onnx: ")));
    }
}

TEST_CASE("tensors whose sizes lie are refused", "[graph]") {
    CHECK(error_after([](auto& proto) { weight(proto).set_dims(0, 4); }) ==
          "model.onnx: 'w' holds 24 bytes where its size says 32; the file is damaged, download or export it "
          "again");
    for (const std::int64_t dim : {std::int64_t{1} << 40, std::int64_t{1} << 62, std::int64_t{-3}})
        CHECK(error_after([&](auto& proto) { weight(proto).set_dims(0, dim); }) ==
              "model.onnx: 'w' declares an impossible size; the file is damaged, download or export it again");
    CHECK(error_after([](auto& proto) {
              weight(proto).clear_dims();
              for (int i = 0; i < 17; ++i) weight(proto).add_dims(1);
          }) == "model.onnx: 'w' has 17 dimensions");
    CHECK(error_after([](auto& proto) { weight(proto).set_data_type(onnx::TensorProto::STRING); }) ==
          "model.onnx: 'w' has the element type STRING, which is not supported; export the model as float32");
    CHECK(error_after([](auto& proto) { weight(proto).set_data_type(77); }) ==
          "model.onnx: 'w' has the element type 77, which is not supported; export the model as float32");
}

TEST_CASE("what one file cannot hold or this engine does not run is refused", "[graph]") {
    CHECK(error_after([](auto& proto) {
              weight(proto).clear_raw_data();
              weight(proto).set_data_location(onnx::TensorProto::EXTERNAL);
              auto* entry = weight(proto).add_external_data();
              entry->set_key("location");
              entry->set_value("/etc/passwd");
          }) ==
          "model.onnx: the data of 'w' is in another file; save the model as one file (onnx.save without "
          "external data)");
    CHECK(error_after([](auto& proto) {
              auto* node = proto.mutable_graph()->mutable_node(0);
              node->set_op_type("If");
              auto* attribute = node->add_attribute();
              attribute->set_name("then_branch");
              attribute->set_type(onnx::AttributeProto::GRAPH);
          }) ==
          "model.onnx: If 'head' holds a sub-graph (then_branch), which is not supported; export the model "
          "without control flow");
    CHECK_THAT(error_after([](auto& proto) { proto.add_functions()->set_name("f"); }),
               Contains("functions of its own"));
    CHECK_THAT(error_after([](auto& proto) { proto.mutable_graph()->add_sparse_initializer(); }),
               Contains("sparse weights are not supported"));
    CHECK_THAT(error_after([](auto& proto) { proto.mutable_graph()->clear_output(); }), Contains("has no output"));
    // What only ONNX's checker knows.
    CHECK_THAT(error_after([](auto& proto) {
                   proto.mutable_graph()->mutable_node(0)->mutable_attribute(0)->set_name("transQ");
               }),
               Contains("model.onnx: not valid ONNX: ") && Contains("transQ") && Contains("; export the model again"));
}

TEST_CASE("cycles, missing values and doubled values are found", "[graph]") {
    CHECK(error_after([](auto& proto) { proto.mutable_graph()->mutable_node(0)->set_input(0, "y"); }) ==
          "model.onnx: the graph has a cycle through Gemm 'head'; a feed-forward network has none");
    CHECK(error_after([](auto& proto) { proto.mutable_graph()->mutable_node(0)->set_input(0, "z"); }) ==
          "model.onnx: Gemm 'head' reads 'z', which nothing produces; the file is incomplete, export it again");
    CHECK(error_after([](auto& proto) { proto.mutable_graph()->mutable_output(0)->set_name("z"); }) ==
          "model.onnx: output 'z' is produced by nothing; the file is incomplete, export it again");
    CHECK(error_after([](auto& proto) { *proto.mutable_graph()->add_node() = proto.graph().node(0); }) ==
          "model.onnx: value 'y' is made twice; each value needs a name of its own");
    CHECK(error_after([](auto& proto) { *proto.mutable_graph()->add_initializer() = weight(proto); }) ==
          "model.onnx: initializer 'w' is stored twice");
}

TEST_CASE("nodes out of order are put in order; unknown operators are left for Network to name", "[graph]") {
    Graph graph =
        make_graph({2}, {{"Foo", "", "second", {"a"}, {"y"}, {}}, {"Relu", "", "first", {"x"}, {"a"}, {}}}, {});
    sort_topologically(graph);
    CHECK(graph.nodes[0].name == "first");
    onnx::ModelProto proto;
    REQUIRE(proto.ParseFromString(serialise_onnx(gemm_graph())));
    proto.mutable_graph()->mutable_node(0)->set_op_type("Foo");
    CHECK(parse(proto.SerializeAsString()).nodes.at(0).op == "Foo");
}

TEST_CASE("external data is read from the model's folder and from nowhere else", "[graph]") {
    const Folder folder;
    onnx::ModelProto proto;
    REQUIRE(proto.ParseFromString(serialise_onnx(gemm_graph())));
    const std::string values = weight(proto).raw_data();
    weight(proto).clear_raw_data();
    weight(proto).set_data_location(onnx::TensorProto::EXTERNAL);
    const auto load = [&](const std::string& location, const std::string& offset, const std::string& length = "") {
        onnx::ModelProto changed = proto;
        const auto add = [&](const std::string& key, const std::string& value) {
            if (value.empty()) return;
            auto* entry = weight(changed).add_external_data();
            entry->set_key(key);
            entry->set_value(value);
        };
        add("location", location);
        add("offset", offset);
        add("length", length);
        return load_onnx(folder.write("model.onnx", changed.SerializeAsString()));
    };
    folder.write("weights.bin", std::string(8, 'x') + values);
    CHECK(to_floats(load("weights.bin", "8", "24").initializers.at("w")) == std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK_THAT(error_of([&] { load("weights.bin", "9"); }),
               Contains("the data of 'w' does not fit into 'weights.bin'"));
    CHECK_THAT(error_of([&] { load("weights.bin", "-1"); }), Contains("does not fit"));
    CHECK_THAT(error_of([&] { load("weights.bin", "18446744073709551615"); }), Contains("does not fit"));
    CHECK_THAT(error_of([&] { load("weights.bin", "8", "20"); }), Contains("does not fit"));
    CHECK_THAT(error_of([&] { load("absent.bin", "0"); }), Contains("'absent.bin', which is not there"));
    CHECK_THAT(error_of([&] { load("../weights.bin", "0"); }), Contains("outside the model's folder"));
    CHECK_THAT(error_of([&] { load("/etc/hostname", "0"); }), Contains("outside the model's folder"));
    CHECK_THAT(error_of([&] { load(std::string("weights.bin\0x", 13), "0"); }), Contains("lies at 'weights.bin"));
    CHECK_THAT(error_of([&] { load(".", "0"); }), Contains("which is not there"));
    REQUIRE(::mkfifo((folder.path / "pipe.bin").c_str(), 0600) == 0);  // opening it would wait for ever
    CHECK_THAT(error_of([&] { load("pipe.bin", "0"); }), Contains("which is not there"));
    std::filesystem::create_symlink("/etc/hostname", folder.path / "link.bin");
    CHECK_THAT(error_of([&] { load("link.bin", "0"); }), Contains("outside the model's folder"));
}

TEST_CASE("many tensors over the same external bytes are refused", "[graph]") {
    const Folder folder;
    onnx::ModelProto proto;
    REQUIRE(proto.ParseFromString(serialise_onnx(gemm_graph())));
    const std::string values = weight(proto).raw_data();
    folder.write("weights.bin", values);
    weight(proto).clear_raw_data();
    weight(proto).set_data_location(onnx::TensorProto::EXTERNAL);
    auto* entry = weight(proto).add_external_data();
    entry->set_key("location");
    entry->set_value("weights.bin");
    const auto load = [&] { return load_onnx(folder.write("model.onnx", proto.SerializeAsString())); };
    const auto share = [&] {
        onnx::TensorProto copy = weight(proto);
        copy.set_name("w" + std::to_string(proto.graph().initializer_size()));
        *proto.mutable_graph()->add_initializer() = copy;
    };
    share();  // tied weights are two names for the same bytes
    CHECK(load().initializers.at("w2").bytes == load().initializers.at("w").bytes);
    for (int i = 0; i < 10; ++i) share();
    CHECK_THAT(error_of(load), Contains("take the same parts of 'weights.bin' again and again"));
}

TEST_CASE("a bool is 0 or 1, whatever byte stands in the file", "[graph]") {
    onnx::ModelProto proto;
    REQUIRE(proto.ParseFromString(serialise_onnx(gemm_graph())));
    auto* truth = proto.mutable_graph()->add_initializer();
    truth->set_name("truth");
    truth->set_data_type(onnx::TensorProto::BOOL);
    truth->add_dims(3);
    truth->set_raw_data(std::string("\x00\x01\xff", 3));
    CHECK(to_int64s(parse(proto.SerializeAsString()).initializers.at("truth")) == std::vector<std::int64_t>{0, 1, 1});
}
