// From-scratch networks by configuration, one function a family. Each gives a layout (layout.hpp): from images
// [batch, channels, height, width] float32 to logits [batch, classes]; no softmax. Where every layer allows it,
// height and width stay open and `input` only says for which size shapes are checked.
//
//     Graph graph = make_graph(mobilenet_v2({.classes = 120}), seed);
//
// Weights start as the paper or its authors' code says; biases at 0. Weights are called as in torchvision where
// torchvision has the network. Stochastic depth has no ONNX operator and is not part of the graphs.
#pragma once

#include "native/graph/builders/layers.hpp"

namespace ouaf::graph::builders {

// Dense layers with ReLU over flat pixels. The default is MNIST's.
struct Mlp {
    Dims input{1, 28, 28};
    std::vector<std::int64_t> hidden{512, 512};
    float dropout = 0.2f;  // after every hidden layer
    std::int64_t classes = 10;
};
Layout mlp(const Mlp& config);

enum class Pooling { max, average };

// Stages of 3x3 convolutions with ReLU, each closed by a 2x2 pool or not, then dense layers.
struct Cnn {
    struct Stage {
        std::vector<std::int64_t> filters{};
        bool pool = true;
        float dropout = 0;
    };
    Dims input{3, 32, 32};
    std::vector<Stage> stages{};
    Padding padding = Padding::valid;
    Pooling pooling = Pooling::max;
    bool batch_norms = false;
    bool global_pool = false;  // in place of flattening
    std::vector<std::int64_t> hidden{};
    float dropout = 0;  // after every hidden layer
    std::int64_t classes = 10;
};
Layout cnn(const Cnn& config);
Cnn mnist_cnn();          // 28x28 grey: 32-64-pool, dense 128
Cnn cats_and_dogs_cnn();  // 150x150: 32-pool-32-pool-64-pool, dense 64, one logit (its sigmoid is 'dog')
Cnn cifar10_cnn();        // 32x32: 32-32-pool-64-64-pool-128-128-pool, dense 128

// VGG, https://arxiv.org/abs/1409.1556. Starts by Glorot & Bengio, as its section 3.1 recommends for training
// from nothing.
struct Vgg {
    Dims input{3, 224, 224};
    std::vector<std::vector<std::int64_t>> stages{};  // filters of 3x3 convolutions; a 2x2 pool closes each stage
    Pooling pooling = Pooling::max;
    bool batch_norms = false;
    bool global_pool = false;  // in place of flattening: far fewer parameters, any size of input
    std::vector<std::int64_t> hidden{4096, 4096};
    float dropout = 0.5f;  // after every hidden layer
    std::int64_t classes = 1000;
};
Layout vgg(const Vgg& config);
Vgg vgg11();  // with weight layers counted as in the paper's table 1
Vgg vgg13();
Vgg vgg16();
Vgg vgg19();
Vgg vgg_from_scratch();  // narrower, with batch norms, for 120 classes: 62,279,608 with their statistics

// ResNet, https://arxiv.org/abs/1512.03385; ResNeXt, https://arxiv.org/abs/1611.05431; wide ones,
// https://arxiv.org/abs/1605.07146. The layer that gives the logits starts as in
// https://arxiv.org/abs/1706.02677.
struct ResNet {
    Dims input{3, 224, 224};
    std::vector<std::int64_t> depths{3, 4, 6, 3};  // blocks a stage
    bool bottleneck = true;                        // three convolutions a block; else two
    std::int64_t groups = 1;                       // ResNeXt's cardinality
    std::int64_t width_per_group = 64;             // of the first stage's 3x3 convolution
    bool stride_on_3x3 = true;                     // else on the 1x1 before, as the paper has it
    bool zero_last_gamma = false;                  // blocks start as identities, https://arxiv.org/abs/1706.02677
    std::int64_t classes = 1000;
};
Layout resnet(const ResNet& config);
ResNet resnet18();
ResNet resnet34();
ResNet resnet50();
ResNet resnet101();
ResNet resnet152();
ResNet wide_resnet50_2();
ResNet resnext50_32x4d();
ResNet resnext101_32x8d();
ResNet resnext101_32x48d();

// DenseNet-BC, https://arxiv.org/abs/1608.06993
struct DenseNet {
    Dims input{3, 224, 224};
    std::vector<std::int64_t> depths{6, 12, 24, 16};  // layers a dense block
    std::int64_t growth = 32;                         // channels a layer adds
    std::int64_t stem = 64;
    std::int64_t bottleneck = 4;  // the 1x1 convolution has bottleneck * growth filters
    float dropout = 0;            // after every layer; the paper's 0.2 is for data without augmentation
    std::int64_t classes = 1000;
};
Layout densenet(const DenseNet& config);
DenseNet densenet121();
DenseNet densenet161();
DenseNet densenet169();
DenseNet densenet201();

// Inception-v3, https://arxiv.org/abs/1512.00567, with batch norm in the auxiliary head. The smallest input is
// 75x75, or 299x299 with `auxiliary`: then the second output is the auxiliary head's logits, for training.
struct InceptionV3 {
    Dims input{3, 299, 299};
    bool auxiliary = true;
    bool pool_counts_padding = true;  // as PyTorch averages; TensorFlow leaves the padding out
    float dropout = 0.5f;
    std::int64_t classes = 1000;
};
Layout inception_v3(const InceptionV3& config);

// Inception-ResNet-v2, https://arxiv.org/abs/1602.07261, laid out as its authors published it, without the
// auxiliary head. The smallest input is 75x75.
struct InceptionResNetV2 {
    Dims input{3, 299, 299};
    std::vector<std::int64_t> depths{10, 20, 10};           // blocks A, B, C; C counts the last one, without ReLU
    std::vector<float> residual_scales{0.17f, 0.1f, 0.2f};  // of A, B, C; the last C block has 1
    float dropout = 0.2f;                                   // the paper keeps 0.8
    std::int64_t classes = 1000;
};
Layout inception_resnet_v2(const InceptionResNetV2& config);

// Xception, https://arxiv.org/abs/1610.02357. The smallest input is 71x71.
struct Xception {
    Dims input{3, 299, 299};
    std::int64_t middle_blocks = 8;
    std::vector<std::int64_t> hidden{};  // dense layers before the logits; the paper's optional ones are 4096, 4096
    float dropout = 0.5f;                // before the logits
    std::int64_t classes = 1000;
};
Layout xception(const Xception& config);

// MobileNetV2, https://arxiv.org/abs/1801.04381
struct MobileNetV2 {
    Dims input{3, 224, 224};
    double width = 1.0;
    Padding padding = Padding::centred;  // same: TensorFlow's
    float dropout = 0.2f;
    std::int64_t classes = 1000;
};
Layout mobilenet_v2(const MobileNetV2& config);

// EfficientNet, https://arxiv.org/abs/1905.11946, and EfficientNetV2, https://arxiv.org/abs/2104.00298
struct EfficientNet {
    struct Stage {
        bool fused = false;  // one 3x3 convolution in place of 1x1 and depthwise; without squeeze-and-excite
        std::int64_t expand = 6;
        std::int64_t kernel = 3;
        std::int64_t stride = 1;  // of the first block
        std::int64_t filters = 0;
        std::int64_t blocks = 1;
    };
    Dims input{3, 224, 224};
    std::int64_t stem = 32;
    std::vector<Stage> stages{};
    std::int64_t head = 1280;
    double width = 1.0;               // filters times this, to multiples of 8
    double depth = 1.0;               // blocks times this, rounded up
    Padding padding = Padding::same;  // centred: PyTorch's
    BatchNorm norm{1e-3f, 0.99f};
    float dropout = 0.2f;
    std::int64_t classes = 1000;
};
Layout efficientnet(const EfficientNet& config);
EfficientNet efficientnet_b(int number);     // B0 to B7, with the paper's input size
EfficientNet efficientnet_v2_b(int number);  // V2-B0 to V2-B3, of the authors' code
EfficientNet efficientnet_v2_s();
EfficientNet efficientnet_v2_m();
EfficientNet efficientnet_v2_l();

}  // namespace ouaf::graph::builders
