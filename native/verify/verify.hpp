// A network against recorded results in ONNX's test layout: input_0.pb … and output_0.pb … in one folder. For training
// also target_0.pb (int64 classes), loss_0.pb (mean cross-entropy of the first output) and gradient_<k>.pb, each named
// after its initializer; the network runs as in evaluation.
//
// With losses_0.pb the network is then trained: before each step of stochastic gradient descent on input_0.pb and
// target_0.pb the loss in training mode is compared with the next value of losses_0.pb. sgd_0.pb is [learning rate,
// momentum]: velocity = momentum * velocity + gradient, from 0; weight -= learning rate * velocity; all parameters of
// the network, no weight decay. statistics_<k>.pb are the running statistics after the last step, named after their
// initializers, with population variances.
//
//     Verification result = verify("model.onnx", "model/test_data_set_0");
//     std::puts(result.line.c_str());
#pragma once

#include <string>

namespace ouaf::verify {

enum class Verdict { ok, wrong, unsupported };

struct Verification {
    Verdict verdict = Verdict::ok;
    std::string line = "ok";  // or what differs most, or "unsupported: …"
};

// Values agree where |a - b| <= 1e-7 + 1e-3 |b|, the rule of ONNX's own tests (bfloat16: 2^-6 |b|, as theirs; float16:
// 2^-9 |b|, two units in the last place); integers where they are equal. The outputs of a network with weights may
// instead agree as a whole, |a - b| <= 1e-4 |b| by norm: a value near zero carries the rounding of the large ones. The
// loss agrees within 1e-4, each gradient within 1e-3 by norm, or within 1e-6 of the largest gradient's norm; the losses
// of training within 1e-3, its statistics within 1e-3 by norm, as rounding grows from step to step, or within 1e-6 of
// the largest statistic's norm: means behind other batch norms are nothing but rounding.
// Some networks amplify rounding: PyTorch's own logits of timm's convmixer_768_32 with random weights are 2e-4 from
// float64's, and in deep networks a gradient jumps by some hundredths where a ReLU is about to switch. What misses a
// bound is therefore computed again with each weight moved by its last two bits, up to 32 times; twice the largest move
// of the same output, loss or gradient is then allowed, up to a fifth. Never throws for what is wrong with the model or
// its data: that is a wrong verdict whose line is the error.
Verification verify(const std::string& model, const std::string& data);

// Every test_data_set_* in a folder that holds model.onnx; the first that is not ok decides.
Verification verify_folder(const std::string& folder);

}  // namespace ouaf::verify
