"""Networks for export_keras.py: plain models as Keras users write them, one theme each, and keras.applications.

Every function takes the keras module (Keras 3, or Keras 2 as tf_keras) and returns a model that ends in ten logits."""
import inspect

# Trained applications and the side of their input: the smallest that all layers allow, or 64.
APPLICATIONS = {
    "VGG16": 32, "ResNet50": 64, "ResNet50V2": 64, "InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71,
    "MobileNet": 64, "MobileNetV2": 64, "MobileNetV3Small": 64, "DenseNet121": 64, "NASNetMobile": 64,
    "EfficientNetB0": 64, "EfficientNetV2B0": 64, "ConvNeXtTiny": 64,
}


def application(keras, name, activation=None):
    side = APPLICATIONS[name]
    build = getattr(keras.applications, name)
    options = {"weights": None, "classes": 10, "input_shape": (side, side, 3)}
    if "classifier_activation" in inspect.signature(build).parameters:
        options["classifier_activation"] = activation
    return build(**options)


def mlp(keras):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((12, 12, 1)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(24, activation="relu"),
        layers.Dropout(0.3), layers.Dense(16, activation="tanh", use_bias=False), layers.BatchNormalization(),
        layers.Dense(10)])


def cnn(keras):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((31, 31, 3)), layers.Rescaling(1 / 127.5, offset=-1),
        layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[0.5, 0.6, 0.7]),
        layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.2),
        layers.Conv2D(12, 3, strides=2, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(6.0),
        layers.SpatialDropout2D(0.2), layers.SeparableConv2D(16, 3, padding="same", activation="relu"),
        layers.AveragePooling2D(3, strides=2, padding="same"), layers.Flatten(), layers.Dense(20, activation="relu"),
        layers.GaussianNoise(0.1), layers.Dense(10)])


def cnn_softmax(keras):
    model = cnn(keras)
    return keras.Model(model.inputs, keras.layers.Softmax()(model.outputs[0]))


def augmented(keras):
    """With augmentation as its first layers: inactive where the exporter traces inference."""
    layers = keras.layers
    return keras.Sequential([keras.Input((31, 31, 3)), layers.RandomFlip("horizontal"), layers.RandomRotation(0.1),
                             layers.RandomZoom(0.1), cnn(keras)])


def activations(keras):
    layers = keras.layers
    names = ["relu", "relu6", "elu", "selu", "gelu", "swish", "hard_sigmoid", "softplus", "softsign", "tanh",
             "sigmoid", "exponential", "softmax", "mish", "silu", "hard_silu", "log_softmax", "leaky_relu", "celu",
             "glu", "tanh_shrink", "hard_tanh", "log_sigmoid", "squareplus", "soft_shrink", "hard_shrink",
             "sparse_plus", "threshold"]
    known = [name for name in names if hasattr(keras.activations, name)]
    x = inputs = keras.Input((9, 9, 3))
    branches = [layers.Activation(name)(layers.Conv2D(4, 1)(x)) for name in known if name not in ("glu", "threshold")]
    layer_branches = [layers.LeakyReLU(), layers.PReLU(), layers.PReLU(shared_axes=[1, 2]), layers.ELU(0.7),
                      layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2), layers.Softmax()]
    branches += [layer(layers.Conv2D(4, 1)(x)) for layer in layer_branches]
    branches.append(layers.Activation(lambda v: keras.activations.gelu(v, approximate=True))(layers.Conv2D(4, 1)(x)))
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(layers.Concatenate()(branches))))


def spatial(keras):
    layers = keras.layers
    x = inputs = keras.Input((23, 20, 3))
    x = layers.ZeroPadding2D(((1, 2), (0, 3)))(x)
    x = layers.Conv2D(6, 5, strides=(2, 3), padding="same", activation="relu")(x)
    x = layers.Cropping2D(((1, 0), (0, 1)))(x)
    x = layers.Conv2D(6, 3, dilation_rate=2, padding="same", activation="relu")(x)
    x = layers.UpSampling2D(2)(x)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, activation="relu")(x)
    x = layers.UpSampling2D((2, 3), interpolation="bilinear")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(5, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(5, 4, strides=3, padding="valid")(x)
    x = layers.AveragePooling2D((2, 3), padding="same")(x)
    x = layers.Resizing(11, 13)(x)
    x = layers.Permute((2, 1, 3))(x)
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalMaxPooling2D()(x)))


def normalisations(keras):
    layers = keras.layers
    x = inputs = keras.Input((14, 14, 3))
    x = layers.Conv2D(8, 3)(x)
    x = layers.LayerNormalization()(x)
    x = layers.Conv2D(8, 3, activation="relu")(x)
    x = layers.GroupNormalization(4)(x)
    x = layers.Conv2D(8, 3, activation="relu")(x)
    x = layers.BatchNormalization(center=False)(x)
    x = layers.Conv2D(8, 3, activation="relu")(x)
    x = layers.LayerNormalization(axis=[1, 2, 3], center=False)(x)
    x = layers.UnitNormalization()(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(10)(x))


def blocks(keras):
    """The ways in which users join branches: sums, products, maxima, squeeze-and-excitation, channel pooling."""
    layers = keras.layers
    x = inputs = keras.Input((20, 20, 3))
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    a = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    b = layers.SeparableConv2D(8, 5, padding="same", activation="swish")(x)
    x = layers.Average()([layers.Add()([x, a]), layers.Maximum()([a, b]), layers.Subtract()([b, x])])
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(2, 1, activation="relu")(gate))
    x = layers.Multiply()([x, gate])
    pooled = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    pooled = layers.Reshape((4, 4))(pooled)
    pooled = layers.Dot(axes=2)([pooled, pooled])
    return keras.Model(inputs, layers.Dense(10)(layers.Flatten()(pooled)))


def vision_transformer(keras):
    layers = keras.layers
    width, patches = 24, 16

    class Positions(layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(1, patches, width), initializer="random_normal", name="positions")

        def call(self, x):
            return x + self.table

    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(width, 8, strides=8)(layers.Rescaling(1 / 255)(inputs))
    x = Positions()(layers.Reshape((patches, width))(x))
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([x, layers.MultiHeadAttention(3, width // 3, dropout=0.1)(y, y)])
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.Dense(width, activation="gelu")(layers.Dropout(0.1)(y))
        x = layers.Add()([x, layers.Dense(width)(y)])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=1e-6)(x))
    return keras.Model(inputs, layers.Dense(10)(x))


def two_inputs(keras):
    layers = keras.layers
    picture, facts = keras.Input((16, 16, 3)), keras.Input((5,))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, activation="relu")(picture))
    return keras.Model([picture, facts], layers.Dense(10)(layers.Concatenate()([x, layers.Dense(4)(facts)])))


PLAIN = {each.__name__: each for each in (mlp, cnn, augmented, activations, spatial, normalisations, blocks,
                                          vision_transformer, two_inputs)}
SOFTMAX = {"MobileNetV2_softmax": lambda keras: application(keras, "MobileNetV2", "softmax"), "cnn_softmax": cnn_softmax}


def build(keras, name):
    if name in APPLICATIONS:
        return application(keras, name)
    return (PLAIN | SOFTMAX)[name](keras)


def names():
    return [*APPLICATIONS, *PLAIN, *SOFTMAX]
