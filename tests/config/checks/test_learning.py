"""Settings without effect and models that cannot learn: each rule with configs it reports and one it accepts."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from dltrain.config.plan import check
from dltrain.errors import ConfigError, Problem

CONFIG = """\
data: {{dataset: {data}, validation: 0.1}}
model: {{layers: [{layers}]}}
train:
  optimizer: {optimizer}
  loss: {loss}
  metrics: [{metrics}]
  batch_size: {batch_size}
  epochs: {epochs}
  callbacks: [{callbacks}]
"""
IMAGES = "{synthetic: {shape: [8, 8, 1], classes: 10, samples: 1000}}"  # 900 for training, 29 steps an epoch
VECTORS = "{synthetic: {features: 4, classes: 3, samples: 1000}}"
TWO = "{synthetic: {features: 4, classes: 2, samples: 1000}}"
OUTPUT = "{Dense: {units: 10, activation: softmax}}"


def problems_of(**parts: object) -> list[Problem]:
    given = {
        "data": IMAGES,
        "layers": f"Flatten, {OUTPUT}",
        "optimizer": "Adam",
        "loss": "sparse_categorical_crossentropy",
        "metrics": "accuracy",
        "batch_size": 32,
        "epochs": 10,
        "callbacks": "",
    }
    text = CONFIG.format(**(given | parts))
    try:
        return list(check("config.yaml", text.encode(), ()).warnings)
    except ConfigError as error:
        return list(error.problems)


def told(parts: dict[str, object]) -> list[tuple[str, str]]:
    """Return (code, severity) of all problems; each has a place and a hint."""
    found = problems_of(**parts)
    assert all(problem.where is not None and problem.hint for problem in found)
    return [(problem.code, problem.severity) for problem in found]


ALIKE = "kernel_initializer: ones, recurrent_initializer: zeros"


def both_ways(forward: str, backward: str) -> str:
    halves = f"layer: {{GRU: {{{forward}}}}}, backward_layer: {{GRU: {{{backward}}}}}"
    return f"{{Reshape: {{target_shape: [8, 8]}}}}, {{Bidirectional: {{{halves}}}}}, {OUTPUT}"


def hidden(arguments: str, between: str = "") -> str:
    return f"Flatten, {{Dense: {{units: 8, {arguments}}}}}, {between}{OUTPUT}"


@pytest.mark.parametrize(
    "layers",
    [
        hidden("activation: relu, kernel_initializer: zeros"),
        hidden("activation: relu, kernel_initializer: zeros, use_bias: false"),
        hidden("activation: relu6, kernel_initializer: {Constant: {value: 0}}"),
        hidden("activation: relu, kernel_initializer: {RandomNormal: {stddev: 0}}"),
        hidden("kernel_initializer: zeros", "{Activation: {activation: relu}}, "),
        hidden("kernel_initializer: zeros", "BatchNormalization, ReLU, "),
        hidden("activation: linear", "{BatchNormalization: {gamma_initializer: zeros}}, ReLU, "),
        f"{{Conv2D: {{filters: 4, kernel_size: 3, activation: relu, kernel_initializer: zeros}}}}, Flatten, {OUTPUT}",
        f"{{DepthwiseConv2D: {{kernel_size: 3, activation: relu, depthwise_initializer: zeros}}}}, Flatten, {OUTPUT}",
        "{Reshape: {target_shape: [8, 8]}}, "
        f"{{TimeDistributed: {{layer: {{Dense: {{units: 4, activation: relu, kernel_initializer: zeros}}}}}}}}, "
        f"Flatten, {OUTPUT}",
        # Units that start alike
        hidden("activation: relu, kernel_initializer: ones"),
        hidden("activation: tanh, kernel_initializer: zeros"),
        hidden("activation: relu, kernel_initializer: {Constant: {value: 0.1}}"),
        hidden("activation: relu, kernel_initializer: {RandomUniform: {minval: 0.1, maxval: 0.1}}"),
        hidden("activation: relu, kernel_initializer: zeros, bias_initializer: ones"),
        f"{{Conv2D: {{filters: 4, kernel_size: 3, kernel_initializer: ones}}}}, Flatten, {OUTPUT}",
        f"{{SeparableConv2D: {{filters: 4, kernel_size: 3, pointwise_initializer: ones}}}}, Flatten, {OUTPUT}",
        "{Reshape: {target_shape: [8, 8]}}, "
        f"{{LSTM: {{units: 4, kernel_initializer: ones, recurrent_initializer: zeros}}}}, {OUTPUT}",
        both_ways(f"units: 4, {ALIKE}", "units: 4, go_backwards: true"),
        both_ways("units: 4", f"units: 4, go_backwards: true, {ALIKE}"),
    ],
)
def test_weights_report_layers_that_start_alike(layers: str) -> None:
    assert told({"layers": layers}) == [("initializer", "warning")]


@pytest.mark.parametrize(
    "layers",
    [
        hidden("activation: relu, kernel_initializer: he_normal"),
        hidden("activation: relu, kernel_initializer: {RandomNormal: {stddev: 0.01}}"),
        hidden("activation: relu, bias_initializer: zeros"),
        hidden("activation: relu, bias_initializer: ones"),
        "Flatten, {Dense: {units: 10, activation: softmax, kernel_initializer: zeros}}",
        f"Flatten, {{Dense: {{units: 1, kernel_initializer: ones}}}}, {OUTPUT}",
        hidden("activation: linear", "{BatchNormalization: {gamma_initializer: zeros}}, "),
        hidden("activation: linear", "{BatchNormalization: {beta_initializer: zeros}}, ReLU, "),
        f"{{DepthwiseConv2D: {{kernel_size: 3, activation: relu, depthwise_initializer: ones}}}}, Flatten, {OUTPUT}",
        f"{{Reshape: {{target_shape: [8, 8]}}}}, {{LSTM: {{units: 4, recurrent_initializer: zeros}}}}, {OUTPUT}",
        f"{{Reshape: {{target_shape: [8, 8]}}}}, {{LSTM: {{units: 4, kernel_initializer: zeros}}}}, {OUTPUT}",
        f"Flatten, {{Dense: {{units: 4, kernel_initializer: ones, trainable: false}}}}, {OUTPUT}",
        both_ways("units: 4", "units: 4, go_backwards: true"),
    ],
)
def test_weights_accept_layers_that_can_learn(layers: str) -> None:
    assert told({"layers": layers}) == []


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"layers": hidden("activation: relu", "BatchNormalization, "), "batch_size": 1}, "normalization"),
        (
            {
                "layers": f"{{Conv2D: {{filters: 4, kernel_size: 3}}}}, BatchNormalization, Flatten, {OUTPUT}",
                "batch_size": 1,
            },
            "normalization",
        ),
        ({"layers": hidden("activation: relu", "{BatchNormalization: {momentum: 1.0}}, ")}, "normalization"),
        (
            {"layers": hidden("activation: relu", "{BatchNormalization: {momentum: 0.9999}}, "), "epochs": 1},
            "normalization",
        ),
        ({"layers": f"Flatten, {{Dense: {{units: 1}}}}, LayerNormalization, {OUTPUT}"}, "normalization"),
        ({"layers": f"Flatten, {{Dense: {{units: 1}}}}, RMSNormalization, {OUTPUT}"}, "normalization"),
        ({"layers": f"Flatten, {{Dense: {{units: 1}}}}, UnitNormalization, {OUTPUT}"}, "normalization"),
        ({"layers": f"UnitNormalization, Flatten, {OUTPUT}"}, "normalization"),
        ({"layers": hidden("activation: relu", "{GroupNormalization: {groups: 8}}, ")}, "normalization"),
        ({"layers": f"{{Normalization: {{mean: 0.5, variance: 0}}}}, Flatten, {OUTPUT}"}, "layer-setting"),
        ({"layers": f"{{Normalization: {{mean: [0.5], variance: [0.0]}}}}, Flatten, {OUTPUT}"}, "layer-setting"),
        ({"layers": f"{{Rescaling: {{scale: 0}}}}, Flatten, {OUTPUT}"}, "layer-setting"),
        ({"layers": hidden("activation: linear", "{ReLU: {max_value: 0}}, ")}, "layer-setting"),
        (
            {"layers": f"{{Reshape: {{target_shape: [8, 8]}}}}, {{LSTM: {{units: 4, dropout: 1.0}}}}, {OUTPUT}"},
            "layer-setting",
        ),
        (
            {
                "layers": "{Reshape: {target_shape: [8, 8]}}, "
                f"{{Bidirectional: {{layer: {{GRU: {{units: 4, recurrent_dropout: 1}}}}}}}}, {OUTPUT}"
            },
            "layer-setting",
        ),
        ({"layers": hidden("activation: relu", "{Dropout: {rate: 0.95}}, ")}, "layer-setting"),
        ({"layers": hidden("activation: relu", "{GaussianDropout: {rate: 0.99}}, ")}, "layer-setting"),
        (
            {"layers": f"{{Reshape: {{target_shape: [8, 8]}}}}, {{GRU: {{units: 4, dropout: 0.98}}}}, {OUTPUT}"},
            "layer-setting",
        ),
        ({"layers": hidden("kernel_initializer: {RandomNormal: {stddev: 10}}")}, "initializer"),
        ({"layers": hidden("kernel_initializer: {TruncatedNormal: {mean: 1, stddev: 100}}")}, "initializer"),
        ({"layers": hidden("activation: relu, bias_initializer: {Constant: {value: -10}}")}, "initializer"),
        ({"layers": hidden("bias_initializer: {Constant: {value: -50}}", "ReLU, ")}, "initializer"),
        ({"layers": hidden("kernel_constraint: {MaxNorm: {max_value: 0}}")}, "constraint"),
        ({"layers": hidden("kernel_constraint: {MinMaxNorm: {min_value: 2, max_value: 1}}")}, "constraint"),
        ({"layers": hidden("kernel_constraint: {MinMaxNorm: {rate: 0}}")}, "constraint"),
        ({"layers": hidden("kernel_regularizer: {L2: {l2: 1}}")}, "regularizer"),
        ({"layers": hidden("kernel_regularizer: {L1L2: {l1: 10, l2: 0.01}}")}, "regularizer"),
        ({"layers": hidden("activation: linear", "{LeakyReLU: {negative_slope: 1}}, ")}, "layer-setting"),
    ],
)
def test_weights_report_what_passes_nothing_on(parts: dict[str, object], code: str) -> None:
    assert told(parts) == [(code, "warning")]


@pytest.mark.parametrize(
    "parts",
    [
        {"layers": hidden("activation: relu", "BatchNormalization, "), "batch_size": 2},
        {"layers": hidden("activation: relu", "{BatchNormalization: {trainable: false}}, "), "batch_size": 1},
        {"layers": hidden("activation: relu", "{Dropout: {rate: 0.9}}, ")},
        {"layers": hidden("kernel_initializer: {RandomNormal: {stddev: 1}}")},
        {"layers": hidden("bias_initializer: {RandomNormal: {stddev: 10}}")},
        {"layers": hidden("activation: relu, bias_initializer: {Constant: {value: -1}}")},
        {"layers": hidden("activation: sigmoid, bias_initializer: {Constant: {value: -10}}")},
        {"layers": hidden("bias_initializer: {Constant: {value: -10}}", "BatchNormalization, ReLU, ")},
        {"layers": hidden("activation: relu", "LayerNormalization, "), "batch_size": 1},
        {"layers": hidden("activation: relu", "{BatchNormalization: {momentum: 0.99}}, "), "epochs": 1},
        {"layers": hidden("activation: relu", "{BatchNormalization: {momentum: 0.995}}, ")},
        {"layers": hidden("activation: relu", "{GroupNormalization: {groups: 4}}, ")},
        {"layers": hidden("activation: relu", "RMSNormalization, UnitNormalization, ")},
        {"layers": f"{{UnitNormalization: {{axis: [1, 2]}}}}, Flatten, {OUTPUT}"},
        {
            "layers": "{Conv2D: {filters: 4, kernel_size: 3}}, {GroupNormalization: {groups: -1}}, "
            f"Flatten, {OUTPUT}"
        },
        {"layers": f"{{Normalization: {{mean: 0.5, variance: 0.08}}}}, Flatten, {OUTPUT}"},
        {"layers": f"{{Rescaling: {{scale: 2, offset: -1}}}}, Flatten, {OUTPUT}"},
        {"layers": hidden("activation: linear", "{ReLU: {max_value: 6}}, {Dropout: {rate: 0}}, ")},
        {"layers": f"{{Reshape: {{target_shape: [8, 8]}}}}, {{LSTM: {{units: 4, dropout: 0.5}}}}, {OUTPUT}"},
        {"layers": hidden("kernel_constraint: {MaxNorm: {max_value: 1}}, kernel_regularizer: {L2: {l2: 0}}")},
        {"layers": hidden("kernel_constraint: {MinMaxNorm: {min_value: 0, max_value: 1}}")},
        {"layers": hidden("kernel_regularizer: {L2: {l2: 0.1}}, activity_regularizer: {L2: {l2: 1}}")},
        {"layers": hidden("bias_regularizer: l2, kernel_regularizer: {OrthogonalRegularizer: {factor: 0.01}}")},
        {"layers": hidden("activation: linear", "{LeakyReLU: {negative_slope: 0.3}}, ")},
    ],
)
def test_weights_accept_what_passes_something_on(parts: dict[str, object]) -> None:
    assert told(parts) == []


@pytest.mark.parametrize(
    ("optimizer", "code", "severity"),
    [
        ("{Adam: {clipvalue: 0}}", "optimizer-setting", "warning"),
        ("{Adam: {clipnorm: 0.0}}", "optimizer-setting", "warning"),
        ("{SGD: {global_clipnorm: 0}}", "optimizer-setting", "warning"),
        ("{LossScaleOptimizer: {inner_optimizer: {Adam: {clipnorm: 0}}}}", "optimizer-setting", "warning"),
        ("{SGD: {nesterov: true}}", "optimizer-setting", "warning"),
        ("{SGD: {momentum: 1.0}}", "optimizer-setting", "warning"),
        ("{RMSprop: {rho: 1}}", "optimizer-setting", "warning"),
        ("{Adam: {use_ema: true, ema_momentum: 1}}", "optimizer-setting", "warning"),
        ("{Adam: {ema_momentum: 0.9}}", "optimizer-setting", "warning"),
        ("{Adam: {ema_overwrite_frequency: 10}}", "optimizer-setting", "warning"),
        ("{Adam: {epsilon: 0}}", "epsilon", "warning"),
        ("{SGD: {learning_rate: 0.5, weight_decay: 2}}", "optimizer-setting", "warning"),
        ("{Adam: {gradient_accumulation_steps: 291}}", "optimizer-setting", "warning"),
        ("{Adam: {clipnorm: 1e-8}}", "optimizer-setting", "warning"),
        ("{SGD: {global_clipnorm: 1e-9}}", "optimizer-setting", "warning"),
        ("{RMSprop: {clipvalue: 1e-7}}", "optimizer-setting", "warning"),
        ("{AdamW: {weight_decay: 1}}", "optimizer-setting", "warning"),
        ("{SGD: {weight_decay: 5}}", "optimizer-setting", "warning"),
        ("{Adam: {epsilon: 10}}", "optimizer-setting", "warning"),
        ("{LossScaleOptimizer: {inner_optimizer: {RMSprop: {epsilon: 2}}}}", "optimizer-setting", "warning"),
        ("{Adam: {beta_1: 0.999, beta_2: 0.9}}", "optimizer-setting", "warning"),
        ("{Nadam: {beta_2: 0.5}}", "optimizer-setting", "warning"),
        ("{ScheduleFreeAdamW: {warmup_steps: 500}}", "optimizer-setting", "warning"),
        ("{Adam: {learning_rate: 1e-12}}", "learning-rate", "warning"),
        ("{LossScaleOptimizer: {inner_optimizer: {SGD: {learning_rate: 0}}}}", "learning-rate", "error"),
    ],
)
def test_optimizers_report_settings_without_effect(optimizer: str, code: str, severity: str) -> None:
    assert told({"optimizer": optimizer}) == [(code, severity)]


@pytest.mark.parametrize(
    "optimizer",
    [
        "{Adam: {clipvalue: 0.5}}",
        "{Adam: {clipnorm: 1}}",
        "{SGD: {nesterov: true, momentum: 0.9}}",
        "{SGD: {momentum: 0.99}}",
        "{RMSprop: {momentum: 0, rho: 0.99}}",
        "{Adam: {use_ema: true, ema_momentum: 0.9, ema_overwrite_frequency: 10}}",
        "{Adam: {use_ema: false, ema_momentum: 0.99}}",
        "{Adam: {epsilon: 1}}",
        "{Adagrad: {epsilon: 2}}",
        "{Adam: {beta_1: 0.5, beta_2: 0.9}}",
        "{Adam: {beta_1: 0.99, beta_2: 0.99}}",
        "{Lion: {learning_rate: 1e-4, weight_decay: 3, beta_1: 0.95, beta_2: 0.9}}",
        "{SGD: {clipnorm: 1e-3}}",
        "{AdamW: {weight_decay: 0.5}}",
        "{Adagrad: {epsilon: 0}}",
        "{AdamW: {weight_decay: 0.1}}",
        "{Adam: {gradient_accumulation_steps: 4}}",
        "{ScheduleFreeAdamW: {warmup_steps: 30}}",
        "{SGD: {learning_rate: 1e-9}}",
        "{LossScaleOptimizer: {inner_optimizer: Adam}}",
        "Muon",
    ],
)
def test_optimizers_accept_settings_that_act(optimizer: str) -> None:
    assert told({"optimizer": optimizer}) == []


# The run has 290 steps.
@pytest.mark.parametrize(
    ("schedule", "code", "severity"),
    [
        ("ExponentialDecay: {initial_learning_rate: 1e-3, decay_steps: 100, decay_rate: 4}", "schedule", "warning"),
        ("ExponentialDecay: {initial_learning_rate: 1e-3, decay_steps: 900000, decay_rate: 4}", "schedule", "warning"),
        (
            "ExponentialDecay: {initial_learning_rate: 1e-3, decay_steps: 100, decay_rate: 1}",
            "schedule-idle",
            "warning",
        ),
        (
            "ExponentialDecay: {initial_learning_rate: 1e-3, decay_steps: 400, decay_rate: 0.5, staircase: true}",
            "schedule-idle",
            "warning",
        ),
        ("ExponentialDecay: {initial_learning_rate: 1e-3, decay_steps: 100, decay_rate: -1}", "learning-rate", "error"),
        (
            "ExponentialDecay: {initial_learning_rate: 1e-3, decay_steps: 100, decay_rate: 0}",
            "schedule-steps",
            "warning",
        ),
        (
            "ExponentialDecay: {initial_learning_rate: 1e-3, decay_steps: 1, decay_rate: 0.98}",
            "schedule-steps",
            "warning",
        ),
        (
            "InverseTimeDecay: {initial_learning_rate: 1e-3, decay_steps: 100, decay_rate: 0}",
            "schedule-idle",
            "warning",
        ),
        ("InverseTimeDecay: {initial_learning_rate: 1e-3, decay_steps: 1000, decay_rate: -1}", "schedule", "warning"),
        (
            "InverseTimeDecay: {initial_learning_rate: 1e-3, decay_steps: 100, decay_rate: -1.5}",
            "learning-rate",
            "warning",
        ),
        ("PolynomialDecay: {initial_learning_rate: 1e-5, decay_steps: 290}", "schedule", "warning"),
        ("PolynomialDecay: {initial_learning_rate: 1e-3, decay_steps: 290, power: 0}", "schedule-idle", "warning"),
        ("CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 290, alpha: 1}", "schedule-idle", "warning"),
        ("CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 290, alpha: 10}", "schedule", "warning"),
        ("CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 290, alpha: -1}", "learning-rate", "warning"),
        ("CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 290, warmup_steps: 29}", "schedule-idle", "warning"),
        ("CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 200}", "schedule-steps", "warning"),
        ("CosineDecay: {initial_learning_rate: 0, decay_steps: 290}", "learning-rate", "error"),
        (
            "CosineDecay: {initial_learning_rate: 0, warmup_target: 3, warmup_steps: 20, decay_steps: 270}",
            "learning-rate",
            "warning",
        ),
        ("CosineDecayRestarts: {initial_learning_rate: 1e-3, first_decay_steps: 5}", "schedule-steps", "warning"),
        ("CosineDecayRestarts: {initial_learning_rate: 1e-3, first_decay_steps: 50, m_mul: 2}", "schedule", "warning"),
        (
            "CosineDecayRestarts: {initial_learning_rate: 1e-3, first_decay_steps: 100, t_mul: 0.5}",
            "learning-rate",
            "error",
        ),
        ("PiecewiseConstantDecay: {boundaries: [5, 8], values: [1e-3, 1e-4, 1e-5]}", "schedule-steps", "warning"),
        ("PiecewiseConstantDecay: {boundaries: [10], values: [1e-3, 1e-4]}", "schedule-steps", "warning"),
        ("PiecewiseConstantDecay: {boundaries: [100], values: [1e-3, 1e-3]}", "schedule-idle", "warning"),
        ("PiecewiseConstantDecay: {boundaries: [100], values: [1e-3, 0]}", "schedule-steps", "warning"),
        ("PiecewiseConstantDecay: {boundaries: [100, 200], values: [1e-3, 0, 1e-4]}", "schedule-steps", "warning"),
        ("PiecewiseConstantDecay: {boundaries: [100], values: [0, 0]}", "learning-rate", "error"),
        ("PiecewiseConstantDecay: {boundaries: [100, 200], values: [1e-5, 1e-4, 1e-3]}", "schedule", "warning"),
        (
            "PolynomialDecay: {initial_learning_rate: 1e-4, end_learning_rate: 1e-3, decay_steps: 290}",
            "schedule",
            "warning",
        ),
        (
            "CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 261, warmup_target: 1e-4, warmup_steps: 29}",
            "schedule",
            "warning",
        ),
        ("CosineDecay: {initial_learning_rate: 0, decay_steps: 290, warmup_target: 1e-3}", "schedule-idle", "warning"),
        (
            "CosineDecayRestarts: {initial_learning_rate: 1e-3, first_decay_steps: 50, m_mul: 0}",
            "schedule-steps",
            "warning",
        ),
    ],
)
def test_schedules_report_rates_that_cannot_be_meant(schedule: str, code: str, severity: str) -> None:
    assert told({"optimizer": f"{{Adam: {{learning_rate: {{{schedule}}}}}}}"}) == [(code, severity)]


@pytest.mark.parametrize(
    ("schedule", "batch_size"),
    [
        ("ExponentialDecay: {initial_learning_rate: 1e-3, decay_steps: 100, decay_rate: 0.4}", 32),
        ("ExponentialDecay: {initial_learning_rate: 1e-3, decay_steps: 29, decay_rate: 0.96, staircase: true}", 32),
        ("ExponentialDecay: {initial_learning_rate: 1e-3, decay_steps: 1, decay_rate: 0.99}", 32),
        ("InverseTimeDecay: {initial_learning_rate: 1e-3, decay_steps: 1, decay_rate: 0.01}", 32),
        ("PolynomialDecay: {initial_learning_rate: 1e-5, end_learning_rate: 1e-6, decay_steps: 290}", 32),
        ("PolynomialDecay: {initial_learning_rate: 0, end_learning_rate: 1e-3, decay_steps: 290}", 32),
        ("CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 290, alpha: 0.1}", 32),
        ("CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 270}", 32),
        ("CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 200, alpha: 0.1}", 32),
        (
            "CosineDecay: {initial_learning_rate: 0, decay_steps: 261, warmup_target: 1e-3, warmup_steps: 29}",
            32,
        ),
        ("CosineDecayRestarts: {initial_learning_rate: 1e-3, first_decay_steps: 50, m_mul: 0.9}", 32),
        ("PiecewiseConstantDecay: {boundaries: [145, 232], values: [1e-3, 1e-4, 1e-5]}", 32),
        ("PiecewiseConstantDecay: {boundaries: [20], values: [1e-4, 1e-3]}", 32),
        ("PiecewiseConstantDecay: {boundaries: [29, 200], values: [1e-4, 1e-3, 1e-4]}", 32),
        ("PolynomialDecay: {initial_learning_rate: 1e-6, end_learning_rate: 1e-3, decay_steps: 290}", 32),
        ("PiecewiseConstantDecay: {boundaries: [5, 8], values: [1e-3, 1e-4, 1e-5]}", "full"),
    ],
)
def test_schedules_accept_rates_that_fall(schedule: str, batch_size: object) -> None:
    optimizer = f"{{Adam: {{learning_rate: {{{schedule}}}}}}}"
    assert told({"optimizer": optimizer, "batch_size": batch_size}) == []


def test_schedules_say_which_steps_were_meant_as_epochs() -> None:
    schedule = "{PiecewiseConstantDecay: {boundaries: [5, 8], values: [1e-3, 1e-4, 1e-5]}}"
    (problem,) = problems_of(optimizer=f"{{SGD: {{learning_rate: {schedule}}}}}")
    assert problem.hint == "write `boundaries: [145, 232]`"
    assert "(29 an epoch)" in problem.message


# 9 steps an epoch, or 29.
@pytest.mark.parametrize(
    ("schedule", "epochs", "batch_size", "hint"),
    [
        ("ExponentialDecay: {decay_steps: 270, decay_rate: 0.1, staircase: true}", 5, 100, "`decay_steps: 18`"),
        ("ExponentialDecay: {decay_steps: 4, decay_rate: 0.1, staircase: true}", 5, 100, "`decay_steps: 36`"),
        ("ExponentialDecay: {decay_steps: 5, decay_rate: 0.9}", 50, 100, "`decay_steps: 45`"),
        ("ExponentialDecay: {decay_steps: 5, decay_rate: 0.5}", 10, 32, "`decay_steps: 145`"),
        ("ExponentialDecay: {decay_steps: 1, decay_rate: 0.1}", 100, 100, "`decay_steps: 450`"),
        ("ExponentialDecay: {decay_steps: 10000, decay_rate: 0.9}", 10, 100, "`decay_steps: 9`"),
        ("ExponentialDecay: {decay_steps: 9, decay_rate: 0.9999}", 10, 100, "`decay_rate: 0.96`"),
        ("InverseTimeDecay: {decay_steps: 90000, decay_rate: 0.5}", 10, 100, "`decay_steps: 9`"),
        ("CosineDecayRestarts: {first_decay_steps: 90000}", 10, 100, "`first_decay_steps: 90`"),
        ("CosineDecay: {decay_steps: 90, alpha: 0.999}", 10, 100, "another `alpha`"),
        ("PiecewiseConstantDecay: {boundaries: [10, 20], values: [0.1, 0.01, 0.001]}", 30, 100, "[90, 180]`"),
        ("PiecewiseConstantDecay: {boundaries: [5, 10], values: [0.1, 0.01, 0.001]}", 10, 32, "[145, 218]`"),
        ("PiecewiseConstantDecay: {boundaries: [10000, 20000], values: [0.1, 0.01, 0.001]}", 10, 100, "[30, 60]`"),
        ("PiecewiseConstantDecay: {boundaries: [30, 20000], values: [0.1, 0.01, 0.001]}", 10, 100, "[30, 60]`"),
        ("CosineDecayRestarts: {first_decay_steps: 30, m_mul: 0}", 10, 100, "`m_mul: 1.0`"),
        ("PiecewiseConstantDecay: {boundaries: [60], values: [0.01, 0.1]}", 10, 100, "`values: [0.1, 0.01]`"),
        (
            "PolynomialDecay: {decay_steps: 90, end_learning_rate: 0.1}",
            *(10, 100, "`initial_learning_rate: 0.1, end_learning_rate: 0.01`"),
        ),
    ],
)
def test_schedules_say_what_to_write(schedule: str, epochs: int, batch_size: int, hint: str) -> None:
    (problem,) = _of_schedule(schedule, epochs, batch_size)
    assert problem.hint.endswith(hint)


def _of_schedule(schedule: str, epochs: int, batch_size: int) -> list[Problem]:
    if "Piecewise" not in schedule:
        schedule = schedule.replace("{", "{initial_learning_rate: 0.01, ", 1)
    return problems_of(optimizer=f"{{SGD: {{learning_rate: {{{schedule}}}}}}}", epochs=epochs, batch_size=batch_size)


@pytest.mark.parametrize("batch_size", [900, 300, 32])
@pytest.mark.parametrize("epochs", [2, 5, 40])
def test_schedules_are_silent_after_their_mend(epochs: int, batch_size: int) -> None:
    """Each hint is written into the config, beside what it does not name."""
    decays: list[tuple[str, dict[str, object]]] = [
        (name, {"decay_steps": steps, "decay_rate": rate, "staircase": staircase})
        for name in ("ExponentialDecay", "InverseTimeDecay")
        for steps in (1, 4, 30, 270, 10_000)
        for rate in (0.0001, 0.1, 0.5, 0.96, 0.9999)
        for staircase in ("true", "false")
    ]
    pieces: list[tuple[str, dict[str, object]]] = [
        ("PiecewiseConstantDecay", {"boundaries": bounds, "values": [0.1, 0.01, 0.001]})
        for bounds in ([1, 2], [10, 20], [3, 40], [30, 20_000], [10_000, 20_000], [20, 40])
    ]
    restarts: list[tuple[str, dict[str, object]]] = [
        ("CosineDecayRestarts", {"first_decay_steps": steps}) for steps in (1, 5, 40, 10_000)
    ]
    cosines: list[tuple[str, dict[str, object]]] = [
        ("CosineDecay", {"warmup_target": 0.1, "warmup_steps": warmup, "decay_steps": steps})
        for warmup in (0, 9, 5000)
        for steps in (1, 40, 10_000)
    ]
    for name, given in [*decays, *pieces, *restarts, *cosines]:
        found = _of_schedule(_flow(name, given), epochs, batch_size)
        mends = [match for problem in found if (match := re.fullmatch(r"write `(.*)`", problem.hint))]
        if not mends or "learning_rate" in mends[0][1]:
            continue
        mended: dict[str, object] = dict(given)
        mended.update((match[1], match[2]) for match in re.finditer(r"(\w+): (\[.*?\]|[^,]+)", mends[0][1]))
        left = _of_schedule(_flow(name, mended), epochs, batch_size)
        assert left == [], (name, given, found, mended)


def _flow(name: str, given: Mapping[str, object]) -> str:
    return f"{name}: {{{', '.join(f'{key}: {value}' for key, value in given.items())}}}"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"callbacks": "EarlyStopping: {monitor: val_accuracy, min_delta: 1}"}, "callback-monitor"),
        ({"callbacks": "EarlyStopping: {monitor: accuracy, min_delta: 0.5, patience: 2}"}, "callback-monitor"),
        ({"callbacks": "ReduceLROnPlateau: {monitor: val_accuracy, min_delta: 1, patience: 2}"}, "callback-monitor"),
        ({"callbacks": "EarlyStopping: {monitor: val_accuracy, baseline: 90, patience: 2}"}, "callback-monitor"),
        ({"callbacks": "EarlyStopping: {monitor: val_loss, min_delta: 5, patience: 2}"}, "callback-monitor"),
        ({"callbacks": "EarlyStopping: {monitor: val_loss, min_delta: 1, patience: 0}"}, "callback-monitor"),
        ({"callbacks": "EarlyStopping: {monitor: val_loss, min_delta: 1.2, patience: 3}"}, "callback-monitor"),
        ({"callbacks": "EarlyStopping: {monitor: val_loss, baseline: 0, patience: 2}"}, "callback-monitor"),
        ({"callbacks": "ReduceLROnPlateau: {min_lr: 0.01, patience: 2}"}, "callback-idle"),
        ({"callbacks": "ReduceLROnPlateau: {min_lr: 0.001, patience: 2}"}, "callback-idle"),
        ({"callbacks": "ReduceLROnPlateau: {factor: 0, patience: 2}"}, "callback-idle"),
        (
            {
                "metrics": "SparseTopKCategoricalAccuracy",
                "data": VECTORS,
                "layers": "{Dense: {units: 3, activation: softmax}}",
            },
            "metric-setting",
        ),
        ({"metrics": "SparseTopKCategoricalAccuracy: {k: 10}"}, "metric-setting"),
        ({"loss": "categorical_crossentropy", "metrics": "TopKCategoricalAccuracy: {k: 12}"}, "metric-setting"),
        ({"loss": "categorical_crossentropy", "metrics": "Recall: {top_k: 10}"}, "metric-setting"),
        (
            {
                "data": TWO,
                "layers": "{Dense: {units: 1, activation: sigmoid}}",
                "loss": "binary_crossentropy",
                "metrics": "BinaryAccuracy: {threshold: 0}",
            },
            "metric-setting",
        ),
        (
            {
                "data": TWO,
                "layers": "{Dense: {units: 1, activation: sigmoid}}",
                "loss": "binary_crossentropy",
                "metrics": "Precision: {thresholds: 1}",
            },
            "metric-setting",
        ),
        ({"loss": "{CategoricalCrossentropy: {label_smoothing: 1.0}}"}, "label-smoothing"),
        ({"loss": "{CategoricalCrossentropy: {label_smoothing: 0.9}}"}, "label-smoothing"),
        ({"loss": "{Tversky: {alpha: 0, beta: 0}}", "metrics": ""}, "loss-setting"),
        ({"loss": "{CategoricalFocalCrossentropy: {alpha: 0}}"}, "loss-setting"),
    ],
)
def test_training_reports_settings_without_effect(parts: dict[str, object], code: str) -> None:
    assert told(parts) == [(code, "warning")]


@pytest.mark.parametrize(
    "parts",
    [
        {"callbacks": "EarlyStopping: {monitor: val_accuracy, min_delta: 0.01, patience: 2}"},
        {"callbacks": "EarlyStopping: {monitor: val_mse, min_delta: 1, patience: 2}", "loss": "mse", "metrics": "mse"},
        {"callbacks": "EarlyStopping: {monitor: val_loss, min_delta: 0.1, patience: 0}"},
        {"callbacks": "EarlyStopping: {monitor: val_loss, min_delta: 1, patience: 2}"},
        {"callbacks": "EarlyStopping: {monitor: val_accuracy, baseline: 0.9, patience: 2}"},
        {"callbacks": "EarlyStopping: {monitor: val_loss, baseline: 0.3, patience: 2}"},
        {"callbacks": "ReduceLROnPlateau: {min_lr: 1e-5, patience: 2}"},
        {"callbacks": "ReduceLROnPlateau: {factor: 0, min_lr: 1e-5, patience: 2}"},
        {"metrics": "SparseTopKCategoricalAccuracy: {k: 9}"},
        {"loss": "categorical_crossentropy", "metrics": "Recall: {top_k: 3}"},
        {
            "data": TWO,
            "layers": "{Dense: {units: 1, activation: sigmoid}}",
            "loss": "binary_crossentropy",
            "metrics": "BinaryAccuracy: {threshold: 0.9}, Precision: {thresholds: 0.1}",
        },
        {
            "data": TWO,
            "layers": "{Dense: {units: 1}}",
            "loss": "{BinaryCrossentropy: {from_logits: true}}",
            "metrics": "BinaryAccuracy: {threshold: 0}",
        },
        {"loss": "{CategoricalCrossentropy: {label_smoothing: 0.1}}"},
        {"loss": "{Tversky: {alpha: 0, beta: 0.5}}", "metrics": ""},
    ],
)
def test_training_accepts_settings_that_act(parts: dict[str, object]) -> None:
    assert told(parts) == []


@pytest.mark.parametrize(
    ("optimizer", "rate", "high"),
    [
        ("SGD", 1000, True),
        ("SGD: {clipnorm: 0.01}", 1000, False),
        ("SGD", 3, False),
        ("Adam", 10, True),
        ("Adadelta", 1000, True),
        ("Adadelta", 1.0, False),
        ("Adafactor", 1.0, False),
        ("Adafactor: {relative_step: false}", 1.0, True),
        ("Lion", 1.0, True),
        ("Lion", 0.01, False),
        ("Ftrl", 100, True),
        ("Ftrl", 1.0, False),
        ("Adagrad", 1.0, False),
        ("Muon", 0.1, False),
    ],
)
def test_optimizers_report_rates_beyond_what_trains(optimizer: str, rate: float, high: bool) -> None:
    name, _, given = optimizer.partition(": ")
    rest = f", {given[1:-1]}" if given else ""
    found = told({"optimizer": f"{{{name}: {{learning_rate: {rate}{rest}}}}}"})
    assert found == ([("learning-rate", "warning")] if high else [])


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"loss": "{SparseCategoricalCrossentropy: {ignore_class: 10}}"}, "class-id"),
        ({"loss": "{SparseCategoricalCrossentropy: {ignore_class: -1}}"}, "class-id"),
        ({"loss": "{SparseCategoricalCrossentropy: {ignore_class: 9}}"}, None),
        ({"metrics": "{OneHotMeanIoU: {num_classes: 10, ignore_class: 255}}"}, "class-id"),
        ({"metrics": "{OneHotMeanIoU: {num_classes: 10, ignore_class: 0}}"}, None),
        ({"metrics": "{Recall: {class_id: 1, thresholds: [0.0, 0.5]}}"}, "metric-setting"),
        ({"metrics": "{Precision: {class_id: 1, thresholds: [1.0]}}"}, "metric-setting"),
        ({"metrics": "{Recall: {class_id: 1, thresholds: [0.2, 0.8]}}"}, None),
        ({"metrics": "{AUC: {thresholds: [0.0, 1.0]}}"}, "metric-setting"),
        ({"metrics": "{AUC: {thresholds: [0.0, 0.5, 1.0]}}"}, None),
        ({"layers": f"Flatten, {{Dense: {{units: 1}}}}, Softmax, {OUTPUT}"}, "softmax"),
        ({"layers": f"{{Activation: {{activation: log_softmax}}}}, Flatten, {OUTPUT}"}, "softmax"),
        ({"layers": f"Flatten, {{Dense: {{units: 2, activation: log_softmax}}}}, {OUTPUT}"}, None),
    ],
)
def test_arguments_that_never_act_are_told(parts: dict[str, object], code: str | None) -> None:
    if "metrics" in parts:
        parts = {"loss": "categorical_crossentropy", **parts}
    assert told(parts) == ([(code, "warning")] if code else [])


def test_metrics_refuse_more_top_outputs_than_there_are() -> None:
    parts: dict[str, object] = {"loss": "categorical_crossentropy", "metrics": "Precision: {top_k: 11}"}
    assert told(parts) == [("metric-setting", "error")]


ONE = "{Dense: {units: 1, activation: %s}}"
LOGITS: dict[str, object] = {"data": TWO, "loss": "{BinaryCrossentropy: {from_logits: true}}", "metrics": ""}


@pytest.mark.parametrize("activation", ["relu", "softplus", "relu6", "log_sigmoid", "tanh"])
def test_output_reports_logits_of_one_sign_or_with_bounds(activation: str) -> None:
    assert told(LOGITS | {"layers": ONE % activation}) == [("output-activation", "warning")]


@pytest.mark.parametrize(
    "parts",
    [
        {**LOGITS, "layers": ONE % "linear"},
        {**LOGITS, "layers": "{Dense: {units: 4, activation: relu}}, {Dense: {units: 1}}"},
        {
            "loss": "{SparseCategoricalCrossentropy: {from_logits: true}}",
            "layers": "Flatten, {Dense: {units: 10, activation: log_softmax}}",
        },
    ],
)
def test_output_accepts_logits_without_bounds(parts: dict[str, object]) -> None:
    assert told(parts) == []


def test_losses_write_the_article_of_an_argument() -> None:
    (problem,) = problems_of(loss="{CategoricalFocalCrossentropy: {alpha: 0}}")
    assert problem.hint == "write an `alpha` above 0"
