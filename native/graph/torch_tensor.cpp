// See torch_tensor.hpp.
#include "native/graph/torch_tensor.hpp"

#include <ATen/ATen.h>

#include <array>
#include <utility>

namespace ouaf::graph {

namespace {

constexpr std::array types{
    std::pair{DType::float32, at::kFloat}, std::pair{DType::float64, at::kDouble},
    std::pair{DType::float16, at::kHalf},  std::pair{DType::bfloat16, at::kBFloat16},
    std::pair{DType::uint8, at::kByte},    std::pair{DType::int8, at::kChar},
    std::pair{DType::int16, at::kShort},   std::pair{DType::int32, at::kInt},
    std::pair{DType::int64, at::kLong},    std::pair{DType::boolean, at::kBool},
    std::pair{DType::uint16, at::kUInt16}, std::pair{DType::uint32, at::kUInt32},
    std::pair{DType::uint64, at::kUInt64},
};

}  // namespace

at::ScalarType scalar_type(DType dtype) {
    for (const auto& [ours, theirs] : types)
        if (ours == dtype) return theirs;
    throw_wrong_dtype(dtype);
}

std::optional<DType> dtype_of(at::ScalarType type) {
    for (const auto& [ours, theirs] : types)
        if (theirs == type) return ours;
    return std::nullopt;
}

std::optional<at::ScalarType> scalar_type(std::int64_t code) {
    for (const auto& [ours, theirs] : types)
        if (static_cast<std::int64_t>(ours) == code) return theirs;
    return std::nullopt;
}

at::Tensor to_torch(const Tensor& tensor) {
    at::Tensor result = at::empty(tensor.dims, scalar_type(tensor.dtype));
    if (!tensor.bytes.empty()) std::memcpy(result.data_ptr(), tensor.bytes.data(), tensor.bytes.size());
    return result;
}

Tensor from_torch(const at::Tensor& tensor) {
    const auto dtype = dtype_of(tensor.scalar_type());
    if (!dtype)
        throw std::runtime_error("tensor: ONNX has no element type for " +
                                 std::string(at::toString(tensor.scalar_type())));
    const at::Tensor dense = tensor.detach().to(at::kCPU).contiguous();
    Tensor result{*dtype, dense.sizes().vec(), std::vector<std::byte>(dense.nbytes())};
    if (!result.bytes.empty()) std::memcpy(result.bytes.data(), dense.const_data_ptr(), result.bytes.size());
    return result;
}

}  // namespace ouaf::graph
