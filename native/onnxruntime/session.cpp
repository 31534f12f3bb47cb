// See session.hpp.
#include "native/onnxruntime/session.hpp"

#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace ouaf::onnxruntime {

struct Session::State {
    Ort::Session session{nullptr};
};

namespace {

Ort::Session make_session(const std::string& bytes) {
    static const Ort::Env environment(ORT_LOGGING_LEVEL_FATAL, "ouaf");  // what is wrong is thrown, not printed
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(2);
    options.AddConfigEntry("session.disable_quant_qdq", "1");
    return {environment, bytes.data(), bytes.size(), options};
}

std::vector<const char*> pointers(const std::vector<std::string>& names) {
    std::vector<const char*> result;
    for (const std::string& name : names) result.push_back(name.c_str());
    return result;
}

}  // namespace

Session::Session(const std::string& bytes) try : state_(new State{make_session(bytes)}) {
} catch (const Ort::Exception& error) {
    throw std::runtime_error(std::string("ONNX Runtime: ") + error.what());
}
Session::Session(Session&&) noexcept = default;
Session::~Session() = default;

std::vector<Output> Session::run(const std::vector<std::string>& input_names,
                                 const std::vector<const graph::Tensor*>& inputs,
                                 const std::vector<std::string>& output_names) try {
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    std::vector<Ort::Value> given;
    for (const graph::Tensor* tensor :
         inputs)  // ONNX Runtime reads inputs and never writes them; DType's values are ONNX's
        given.push_back(Ort::Value::CreateTensor(memory, const_cast<std::byte*>(tensor->bytes.data()),
                                                 tensor->bytes.size(), tensor->dims.data(), tensor->dims.size(),
                                                 static_cast<ONNXTensorElementDataType>(tensor->dtype)));
    const auto in = pointers(input_names);
    const auto out = pointers(output_names);
    const auto made =
        state_->session.Run(Ort::RunOptions{nullptr}, in.data(), given.data(), given.size(), out.data(), out.size());
    std::vector<Output> outputs;
    for (std::size_t i = 0; i < made.size(); ++i) {
        const auto info = made[i].GetTensorTypeAndShapeInfo();
        if (info.GetElementType() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
            throw std::runtime_error("ONNX Runtime: output '" + output_names[i] + "' is not float32");
        const float* first = made[i].GetTensorData<float>();
        outputs.push_back({info.GetShape(), {first, first + info.GetElementCount()}});
    }
    return outputs;
} catch (const Ort::Exception& error) {
    throw std::runtime_error(std::string("ONNX Runtime: ") + error.what());
}

double relative_difference(std::span<const float> a, std::span<const float> b) {
    if (a.size() != b.size()) return INFINITY;
    double difference = 0;
    double scale = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::isfinite(a[i]) != std::isfinite(b[i]) || std::isnan(a[i]) != std::isnan(b[i])) return INFINITY;
        if (!std::isfinite(b[i])) continue;
        difference = std::max(difference, std::abs(static_cast<double>(a[i]) - b[i]));
        scale = std::max(scale, std::abs(static_cast<double>(b[i])));
    }
    return difference == 0 ? 0 : difference / scale;
}

}  // namespace ouaf::onnxruntime
