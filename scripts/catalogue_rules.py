"""Argument rules that the signatures of Keras lack: kinds, bounds and allowed strings, as reviewed in its source.

A rule is looked up under `Class.argument`, then under the argument's name in its section, then in any section.
Names that end in `_initializer` and the like, and arguments with a boolean default, need no rule. An argument
without a rule stops the generator, so that additions of a new Keras are reviewed before they ship.

If Keras accepts a value that makes no sense (a negative weight decay), the rule has the sensible bound.
Placeholders in a rule, replaced by values of the class:

- length "rank": the digit in its name, 2 for Conv2D;
- min, max "factor": its _FACTOR_BOUNDS;
- choices "_SOMETHING": its attribute of that name.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Rule: TypeAlias = dict[str, Any]


def whole(**bounds: Any) -> Rule:
    return {"kinds": ["int"], **bounds}


def number(**bounds: Any) -> Rule:
    return {"kinds": ["float"], **bounds}


def wholes(**bounds: Any) -> Rule:
    return {"kinds": ["ints"], **bounds}


def numbers(**bounds: Any) -> Rule:
    return {"kinds": ["floats"], **bounds}


def whole_or_list(**bounds: Any) -> Rule:
    return {"kinds": ["int", "ints"], **bounds}


def number_or_list(**bounds: Any) -> Rule:
    return {"kinds": ["float", "floats"], **bounds}


def words(*choices: str, **rest: Any) -> Rule:
    return {"kinds": ["words"], "choices": list(choices), **rest}


def named(attribute: str) -> Rule:
    return {"kinds": ["words"], "choices": attribute}


def thing(*kinds: str, **rest: Any) -> Rule:
    return {"kinds": list(kinds), **rest}


SHARE = number(min=0, max=1)
NOT_NEGATIVE = number(min=0)
COUNT = whole(min=1)
PER_AXIS = whole_or_list(length="rank", min=1)
BORDER = {"kinds": ["int", "ints", "ints_nested"], "length": "rank", "min": 0}
# A number, or the two bounds of the range to draw from.
FACTOR = number_or_list(length=2, min="factor", max="factor")
SIGNED_FACTOR = number_or_list(length=2, min=-1, max=1)
POSITIVE_FACTOR = number_or_list(length=2, min=0, max=1)
# Those of SciPy that need no number, by their plain names.
WINDOWS = (
    *("barthann", "bartlett", "blackman", "blackmanharris", "bohman", "boxcar", "cosine", "exponential", "flattop"),
    *("hamming", "hann", "lanczos", "nuttall", "parzen", "taylor", "triang", "tukey"),
)
RESIZE = words("area", "bicubic", "bilinear", "lanczos3", "lanczos5", "nearest")

SUFFIXES = {
    "_initializer": thing("initializer"),
    "_regularizer": thing("regularizer"),
    "_constraint": thing("constraint"),
}

COMMON: dict[str, Rule] = {
    "axis": whole(),
    "dtype": thing("dtype"),
    "name": thing("scope"),
    # Keras seeds random draws with an unsigned 32-bit number.
    "seed": whole(min=0, max=2**32 - 1),
    "trainable": thing("bool"),
}

SECTIONS: dict[str, dict[str, Rule]] = {
    "layer": {
        "activation": thing("activation", nullable=True),
        "backward_layer": thing("layer"),
        "cell": thing("layer"),
        "clip_limit": number(above=0),
        "cropping": BORDER,
        "data_format": words("channels_last", "channels_first"),
        "depth_multiplier": COUNT,
        "dilation_rate": PER_AXIS,
        "dropout": SHARE,
        "epsilon": NOT_NEGATIVE,
        "factor": FACTOR,
        "fill_mode": named("_SUPPORTED_FILL_MODE"),
        "fill_value": number(),
        "filters": COUNT,
        "groups": COUNT,
        "height": COUNT,
        "height_factor": SIGNED_FACTOR,
        "input_dim": COUNT,
        "interpolation": named("_SUPPORTED_INTERPOLATION"),
        "kernel_size": PER_AXIS,
        "l1": NOT_NEGATIVE,
        "l2": NOT_NEGATIVE,
        "layer": thing("layer"),
        "lora_alpha": number(),
        "lora_rank": COUNT,
        "mean": number_or_list(),
        "momentum": SHARE,
        "negative_slope": NOT_NEGATIVE,
        "noise_shape": thing("mask_shape", min=1),
        "num_bins": COUNT,
        "output_dim": COUNT,
        "output_mode": words("int", "one_hot", "multi_hot", "count"),
        "output_padding": whole_or_list(length="rank", min=0),
        "output_size": PER_AXIS,
        "padding": words("valid", "same"),
        "pool_size": PER_AXIS,
        "rate": SHARE,
        "recurrent_activation": thing("activation", nullable=True),
        "recurrent_dropout": SHARE,
        "renorm_momentum": SHARE,
        "size": PER_AXIS,
        "stddev": SHARE,
        "strides": PER_AXIS,
        "units": COUNT,
        "use_cudnn": thing("bool", "words", choices=["auto"]),
        "value_range": numbers(length=2),
        "variance": number_or_list(min=0),
        "width": COUNT,
        "width_factor": SIGNED_FACTOR,
    },
    "optimizer": {
        "beta": number(),
        "beta_1": number(min=0, below=1),
        "beta_2": number(min=0, below=1),
        "adam_beta_1": number(min=0, below=1),
        "adam_beta_2": number(min=0, below=1),
        "adam_lr_ratio": NOT_NEGATIVE,
        "adam_weight_decay": NOT_NEGATIVE,
        "beta_2_decay": number(),
        "clip_threshold": number(above=0),
        "clipnorm": NOT_NEGATIVE,
        "clipvalue": NOT_NEGATIVE,
        "global_clipnorm": NOT_NEGATIVE,
        "dynamic_growth_steps": COUNT,
        "ema_momentum": SHARE,
        "ema_overwrite_frequency": COUNT,
        "epsilon": NOT_NEGATIVE,
        "epsilon_1": NOT_NEGATIVE,
        "epsilon_2": NOT_NEGATIVE,
        "gradient_accumulation_steps": whole(min=2),
        "initial_accumulator_value": NOT_NEGATIVE,
        "initial_scale": number(above=0),
        "inner_optimizer": thing("optimizer"),
        "l1_regularization_strength": NOT_NEGATIVE,
        "l2_regularization_strength": NOT_NEGATIVE,
        "l2_shrinkage_regularization_strength": NOT_NEGATIVE,
        "learning_rate": thing("float", "schedule", min=0),
        "learning_rate_power": number(max=0),
        "loss_scale_factor": number(above=0),
        "momentum": SHARE,
        "muon_a": number(),
        "muon_b": number(),
        "muon_c": number(),
        "name": thing("root_scope"),
        "ns_steps": COUNT,
        "rho": SHARE,
        "rms_rate": number(),
        "warmup_steps": thing("int", "epochs", min=0),
        "weight_decay": NOT_NEGATIVE,
    },
    "schedule": {
        "alpha": number(),
        "boundaries": thing("floats", "epochs_list", min=0),
        "decay_rate": number(),
        "decay_steps": thing("int", "epochs", min=1),
        "end_learning_rate": NOT_NEGATIVE,
        "first_decay_steps": thing("int", "epochs", min=1),
        "initial_learning_rate": NOT_NEGATIVE,
        "m_mul": NOT_NEGATIVE,
        "power": number(),
        "t_mul": number(above=0),
        "values": numbers(min=0),
        "warmup_steps": thing("int", "epochs", min=0),
        "warmup_target": NOT_NEGATIVE,
    },
    "loss": {
        "alpha": number(),
        "beta": number(),
        "delta": number(above=0),
        "gamma": number(),
        "ignore_class": whole(),
        "label_smoothing": SHARE,
        "margin": number(),
        "name": thing("root_scope", nullable=True),
        "q": number(above=0, below=1),
        "reduction": words("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", nullable=True),
    },
    "metric": {
        "average": words("micro", "macro", "weighted"),
        "beta": number(above=0),
        "class_aggregation": words("uniform_average", "variance_weighted_average", nullable=True),
        "class_id": whole(min=0),
        "ignore_class": whole(),
        "k": COUNT,
        "label_smoothing": SHARE,
        "name": thing("str", nullable=True),
        "num_classes": COUNT,
        "num_regressors": whole(min=0),
        "num_thresholds": COUNT,
        "precision": SHARE,
        "recall": SHARE,
        "sensitivity": SHARE,
        "specificity": SHARE,
        "target_class_ids": wholes(min=0),
        "threshold": number(),
        "thresholds": number_or_list(min=0, max=1),
        "top_k": COUNT,
    },
    "regularizer": {
        "factor": NOT_NEGATIVE,
        "l1": number(min=0, nullable=True),
        "l2": number(min=0, nullable=True),
        "mode": words("rows", "columns"),
    },
    "initializer": {
        "gain": number(),
        "input_axes": wholes(),
        "maxval": number(),
        "mean": number(),
        "minval": number(),
        "output_axes": wholes(),
        "scaling": words("density", "spectrum", nullable=True),
        "stddev": NOT_NEGATIVE,
        "value": number(),
        "window": words(*WINDOWS, nullable=True),
    },
    "constraint": {
        "axis": whole_or_list(),
        "max_value": NOT_NEGATIVE,
        "min_value": NOT_NEGATIVE,
        "rate": SHARE,
    },
    "callback": {
        "baseline": number(),
        "cooldown": whole(min=0),
        "factor": number(min=0, below=1),
        "min_delta": NOT_NEGATIVE,
        "min_lr": NOT_NEGATIVE,
        "mode": words("auto", "min", "max"),
        "monitor": thing("str"),
        "patience": whole(min=0),
        "start_from_epoch": whole(min=0),
    },
}
