"""Traits of Keras classes that the checks and the engine need, judged by source and documentation.

Every layer, optimizer, schedule, loss, metric, initializer, regularizer and activation is listed, also those without a
trait, so that the generator stops at one that is not. `Trait` in config/catalogue/entries.py documents the traits.
Tests compare `mixes_batch`, `masks`, `slots`, `undirected`, `rank` and the traits of activations with Keras.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Traits: TypeAlias = dict[str, Any]


def judged(*rows: tuple[str, Traits]) -> dict[str, Traits]:
    """Return the traits by class from rows of (class names, traits)."""
    made: dict[str, Traits] = {}
    for names, traits in rows:
        for name in names.split():
            if name in made:
                raise SystemExit(f"{name} is judged twice in scripts/catalogue_traits.py")
            made[name] = traits
    return made


LAYERS = judged(
    # Recurrent
    ("LSTM GRU SimpleRNN RNN Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D", {"recurrent": True}),
    ("LSTMCell GRUCell SimpleRNNCell", {"cell": True}),
    # Shapes
    ("Flatten", {"flattens": True, "keeps_values": True}),
    ("GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D", {"flattens": True}),
    ("GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D", {"flattens": True}),
    ("Permute RepeatVector Reshape", {"keeps_values": True}),
    # Treat every position along the axes of a sample alike
    ("ActivityRegularization Identity", {"keeps_values": True, "positionwise": True}),
    ("AlphaDropout Dropout GaussianDropout", {"drops": True, "positionwise": True}),
    ("SpatialDropout1D SpatialDropout2D SpatialDropout3D", {"drops": True, "positionwise": True}),
    ("GaussianNoise", {"adds_noise": True, "positionwise": True}),
    ("Softmax", {"applies": "softmax", "positionwise": True}),
    ("ReLU", {"applies": "relu", "positionwise": True}),
    ("LeakyReLU PReLU", {"applies": "leaky_relu", "positionwise": True}),
    ("ELU", {"applies": "elu", "positionwise": True}),
    ("BatchNormalization", {"mixes_batch": "training", "positionwise": True, "rescales": True}),
    (
        "GroupNormalization LayerNormalization RMSNormalization UnitNormalization",
        {"positionwise": True, "rescales": True},
    ),
    ("Activation Dense Masking", {"positionwise": True}),
    # Keras equalizes histograms over a whole batch, only in training (3.15.1).
    ("AugMix", {"mixes_batch": "training"}),  # augments too, but draws layers without a seed (3.15.1)
    ("RandAugment", {"augments": "places", "mixes_batch": "training"}),
    # `top_db` counts from the loudest point of the whole batch (3.15.1).
    ("MelSpectrogram", {"mixes_batch": "always"}),
    # Convolutions and poolings
    ("Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose", {}),
    ("DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D", {}),
    ("AveragePooling1D AveragePooling2D AveragePooling3D MaxPooling1D MaxPooling2D MaxPooling3D", {}),
    ("AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D", {}),
    ("AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D", {}),
    ("Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D", {}),
    ("ZeroPadding1D ZeroPadding2D ZeroPadding3D", {}),
    # Images
    ("AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization Resizing", {}),
    ("RandomCrop RandomElasticTransform RandomFlip RandomPerspective RandomRotation", {"augments": "places"}),
    ("RandomShear RandomTranslation RandomZoom", {"augments": "places"}),
    ("RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast", {"augments": "values"}),
    ("RandomErasing RandomGaussianBlur RandomGrayscale RandomHue RandomInvert", {"augments": "values"}),
    ("RandomPosterization RandomSaturation RandomSharpness Solarization", {"augments": "values"}),
    # Others
    ("CategoryEncoding Embedding Hashing ReversibleEmbedding", {"takes_whole": True}),
    ("Discretization EinsumDense", {}),
    ("Normalization Rescaling", {"rescales": True}),
    ("STFTSpectrogram TimeDistributed", {}),
    ("SpectralNormalization", {"updates": True}),
)
# `supports_masking` of Keras's layers
_MASKS = (
    "Activation ActivityRegularization AlphaDropout BatchNormalization Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D",
    "Dense Dropout ELU GRU GaussianDropout GaussianNoise GroupNormalization Identity LSTM LayerNormalization LeakyReLU",
    "Masking Normalization PReLU RNN ReLU Rescaling SimpleRNN Softmax SpatialDropout1D SpatialDropout2D",
    "SpatialDropout3D TimeDistributed UnitNormalization",
)
LAYERS |= {name: LAYERS[name] | {"masks": True} for row in _MASKS for name in row.split()}
LAYERS["GlobalAveragePooling1D"] = LAYERS["GlobalAveragePooling1D"] | {"ends_mask": True}
# On a model with 32 hidden units, SGD no longer learned from 10 on, Adafactor without relative steps from 0.5 on. The
# first steps of Adagrad and Ftrl move each weight by up to the rate, those of Adadelta by 3e-4 times the rate.
_SMALL_STEPS = {"rates": [0.001, 0.5]}
OPTIMIZERS = judged(
    ("Adam AdamW Adamax Lamb Nadam ScheduleFreeAdamW", {"adaptive": True, "slots": 2} | _SMALL_STEPS),
    ("Lion RMSprop", {"adaptive": True, "slots": 1} | _SMALL_STEPS),
    ("Adadelta", {"slots": 2, "rates": [1.0, 100]}),
    ("Ftrl", {"slots": 2, "rates": [0.01, 10]}),
    ("Adagrad", {"slots": 1, "rates": [0.01, 10]}),
    ("Adafactor", {"slots": 1} | _SMALL_STEPS),
    ("Muon", {"slots": 1} | _SMALL_STEPS),  # two for the weights that its inner AdamW trains
    ("SGD", {"slots": 0, "rates": [0.01, 30]}),  # one with momentum
    ("LossScaleOptimizer", {"slots": 0}),  # in addition to those of its inner optimizer
)
SCHEDULES = judged(
    ("CosineDecay PolynomialDecay", {"ends": True}),
    ("CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay", {}),
)
_ONE_OF_CLASSES = {"for_classes": True, "categorical": True}
_YES_OR_NO = {"for_classes": True, "binary": True, "probabilities": True}
LOSSES = judged(
    ("BinaryCrossentropy", _YES_OR_NO | {"crossentropy": True}),
    ("BinaryFocalCrossentropy", _YES_OR_NO),
    ("CategoricalCrossentropy", _ONE_OF_CLASSES | {"probabilities": True, "crossentropy": True}),
    ("CategoricalFocalCrossentropy", _ONE_OF_CLASSES | {"probabilities": True}),
    (
        "SparseCategoricalCrossentropy",
        _ONE_OF_CLASSES | {"probabilities": True, "crossentropy": True, "integer_labels": True},
    ),
    ("CategoricalGeneralizedCrossEntropy", _ONE_OF_CLASSES | {"probabilities": True, "integer_labels": True}),
    ("CategoricalHinge", _ONE_OF_CLASSES),
    ("Hinge SquaredHinge", {"for_classes": True, "signed": True}),
    ("Circle", {"for_classes": True, "integer_labels": True, "mixes_batch": "always"}),
    # With `axis: null`, their default.
    ("Dice Tversky", {"for_classes": True, "mixes_batch": "always", "outputs": [0, 1], "targets": [0, 1]}),
    ("CTC", {"for_sequences": True}),
    ("KLDivergence", {"categorical": True, "probabilities": True, "targets": [0, 1]}),
    ("MeanSquaredLogarithmicError Poisson", {"outputs": [0, None], "targets": [0, None]}),
    ("MeanAbsolutePercentageError", {"divides": True}),
    ("CosineSimilarity", {"turns": True}),
    ("Huber LogCosh MeanAbsoluteError MeanSquaredError", {}),
)
_COUNTS = {"labels": "per_output", "probabilities": True}
METRICS = judged(
    ("SparseCategoricalAccuracy SparseTopKCategoricalAccuracy", {"labels": "integer", "share": True}),
    ("SparseCategoricalCrossentropy", {"labels": "integer", "probabilities": True}),
    ("CategoricalAccuracy TopKCategoricalAccuracy OneHotIoU OneHotMeanIoU", {"labels": "one_hot", "share": True}),
    ("CategoricalCrossentropy", {"labels": "one_hot", "probabilities": True}),
    ("CategoricalHinge", {"labels": "one_hot"}),
    ("BinaryAccuracy BinaryIoU", {"labels": "binary", "share": True}),
    ("BinaryCrossentropy", {"labels": "binary", "probabilities": True}),
    ("Hinge SquaredHinge", {"labels": "binary"}),
    ("AUC PrecisionAtRecall RecallAtPrecision", _COUNTS | {"share": True}),
    ("F1Score FBetaScore", _COUNTS | {"share": True, "vector": "average"}),
    ("Precision Recall", _COUNTS | {"share": True, "vector": "thresholds"}),
    ("SensitivityAtSpecificity SpecificityAtSensitivity", _COUNTS | {"share": True}),
    (
        "FalseNegatives FalsePositives TrueNegatives TruePositives",
        _COUNTS | {"undirected": True, "vector": "thresholds"},
    ),
    ("IoU MeanIoU", {"labels": "predicted", "share": True}),
    ("MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError", {"labels": "number"}),
    ("MeanSquaredLogarithmicError RootMeanSquaredError LogCoshError", {"labels": "number"}),
    ("ConcordanceCorrelation CosineSimilarity KLDivergence PearsonCorrelation Poisson", {"labels": "number"}),
    ("R2Score", {"labels": "number", "vector": "class_aggregation"}),
)
ACTIVATIONS = judged(
    ("softmax sparsemax", {"range": [0, 1], "sums_to_one": True, "alone": 1}),
    ("hard_sigmoid sigmoid sparse_sigmoid", {"range": [0, 1]}),
    ("hard_tanh softsign tanh", {"range": [-1, 1]}),
    ("relu6", {"range": [0, 6], "flat_at_zero": True}),
    ("relu", {"range": [0, None], "flat_at_zero": True}),
    ("exponential softplus sparse_plus squareplus", {"range": [0, None]}),
    ("celu elu", {"range": [-1, None]}),
    ("log_sigmoid", {"range": [None, 0]}),
    ("log_softmax", {"range": [None, 0], "alone": 0}),
    ("glu", {"halves": True}),
    ("hard_shrink soft_shrink tanh_shrink", {"flat_at_zero": True}),
    ("gelu hard_silu hard_swish leaky_relu linear mish selu silu swish", {}),
)
# Measured on weights of 1 to 5 axes (3.15.1).
INITIALIZERS = judged(
    ("Identity", {"rank": [2, 2]}),
    ("Orthogonal", {"rank": [2, None]}),
    ("STFT", {"rank": [3, 3]}),
    ("Constant Ones Zeros RandomNormal RandomUniform TruncatedNormal VarianceScaling", {}),
    ("GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform", {}),
)
REGULARIZERS = judged(
    ("OrthogonalRegularizer", {"rank": [2, 2]}),
    ("L1 L1L2 L2", {}),
)

TRAITS: dict[str, dict[str, Traits]] = {
    "layer": LAYERS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "loss": LOSSES,
    "metric": METRICS,
    "initializer": INITIALIZERS,
    "regularizer": REGULARIZERS,
    "activation": ACTIVATIONS,
}
