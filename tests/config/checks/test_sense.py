"""Checks across several values: which configs they report and which they accept."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from dltrain.config import load
from dltrain.config.catalogue import datasets, entries, examples, objects
from dltrain.config.checks.sense import sizes as sense_sizes
from dltrain.config.document.writer import flow
from dltrain.config.plan import check
from dltrain.engine.model.adapting import from_run
from dltrain.engine.model.build import build_model
from dltrain.engine.session import open_session
from dltrain.errors import ConfigError, Problem

CONFIG = """\
data: {{dataset: {data}}}
model: {{layers: [{layers}]}}
train:
  optimizer: {optimizer}
  loss: {loss}
  metrics: [{metrics}]
  epochs: {epochs}
  callbacks: [{callbacks}]
"""
TWO = "{synthetic: {features: 4, classes: 2}}"
THREE = "{synthetic: {features: 4, classes: 3}}"
NUMBER = "{synthetic: {features: 4, task: regression}}"


def problems_of(layers: str, **parts: object) -> list[Problem]:
    given = {
        "data": "mnist",
        "optimizer": "Adam",
        "loss": "sparse_categorical_crossentropy",
        "metrics": "",
        "epochs": 10,
        "callbacks": "",
    }
    text = CONFIG.format(layers=layers, **(given | parts))
    try:
        return list(check("config.yaml", text.encode(), ()).warnings)
    except ConfigError as error:
        return list(error.problems)


SOFTMAX = "{Dense: {units: 3, activation: softmax}}"
LOGITS = "{Dense: {units: 3}}"


@pytest.mark.parametrize(
    ("data", "layers", "loss", "metrics"),
    [
        (THREE, SOFTMAX, "sparse_categorical_crossentropy", "accuracy, SparseTopKCategoricalAccuracy: {k: 2}"),
        (THREE, SOFTMAX, "categorical_crossentropy", "accuracy, AUC, Precision, Recall, F1Score, mse"),
        (THREE, SOFTMAX, "mean_squared_error", "accuracy"),
        (THREE, SOFTMAX, "KLDivergence", "accuracy"),
        (THREE, LOGITS, "{SparseCategoricalCrossentropy: {from_logits: true}}", "accuracy"),
        (THREE, LOGITS, "{CategoricalCrossentropy: {from_logits: true}}", "accuracy, AUC: {from_logits: true}"),
        (THREE, LOGITS, "categorical_hinge", "accuracy"),
        (THREE, SOFTMAX, "CategoricalGeneralizedCrossEntropy", "accuracy"),
        (THREE, f"{LOGITS}, Softmax", "sparse_categorical_crossentropy", "accuracy"),
        (THREE, f"{LOGITS}, {{Activation: {{activation: softmax}}}}", "sparse_categorical_crossentropy", "accuracy"),
        (TWO, "{Dense: {units: 2, activation: softmax}}", "sparse_categorical_crossentropy", "accuracy"),
        (TWO, "{Dense: {units: 1, activation: sigmoid}}", "binary_crossentropy", "accuracy, AUC, Precision, Recall"),
        (TWO, "{Dense: {units: 1, activation: sigmoid}}", "mean_squared_error", "BinaryAccuracy"),
        (TWO, "{Dense: {units: 1, activation: tanh}}", "hinge", ""),
        (TWO, "{Dense: {units: 1}}", "{BinaryCrossentropy: {from_logits: true}}", "BinaryAccuracy: {threshold: 0}"),
        (NUMBER, "{Dense: {units: 1}}", "mean_squared_error", "mae, RootMeanSquaredError, R2Score"),
        (NUMBER, "{Dense: {units: 1}}", "{Huber: {delta: 2}}", "mae"),
        (NUMBER, "{Dense: {units: 8}}, {LeakyReLU: {}}, {Dense: {units: 1}}", "log_cosh", ""),
        (
            "mnist",
            f"{{Conv2D: {{filters: 3, kernel_size: 3}}}}, GlobalAveragePooling2D, {SOFTMAX.replace('3', '10')}",
            "mse",
            "",
        ),
        ("mnist", "Flatten, {Dense: {units: 10, activation: log_softmax}}", "mse", ""),
        (
            "mnist",
            "{Reshape: {target_shape: [28, 28]}}, {Bidirectional: {layer: {GRU: {units: 5, return_sequences: true}}}}, "
            "{GRU: {units: 10, activation: softmax}}",
            "sparse_categorical_crossentropy",
            "accuracy",
        ),
        (
            "mnist",
            "{RandomRotation: {factor: 0.1}}, {RandomBrightness: {factor: 0.1, value_range: [0, 1]}}, "
            "{Rescaling: {scale: 2, offset: -1}}, Flatten, {Dense: {units: 10, activation: softmax}}",
            "sparse_categorical_crossentropy",
            "accuracy",
        ),
    ],
)
def test_sense_accepts_sound_models(data: str, layers: str, loss: str, metrics: str) -> None:
    assert problems_of(layers, data=data, loss=loss, metrics=metrics) == []


@pytest.mark.parametrize(
    ("callbacks", "optimizer"),
    [
        ("EarlyStopping: {patience: 3}", "Adam"),
        ("EarlyStopping: {monitor: loss, mode: min, patience: 9}", "Adam"),
        ("ReduceLROnPlateau: {patience: 2}, EarlyStopping: {patience: 5}", "{SGD: {learning_rate: 1}}"),
        ("TerminateOnNaN", "{Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 1e-3, decay_steps: 320}}}}"),
        (
            "",
            "{Adam: {learning_rate: {InverseTimeDecay: {initial_learning_rate: 0.1, decay_steps: 9, decay_rate: 1}}}}",
        ),
        ("", "{SGD: {learning_rate: {PiecewiseConstantDecay: {boundaries: [100, 200], values: [0.1, 0.01, 0.001]}}}}"),
        (
            "",
            "{Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 0, warmup_target: 1e-3, warmup_steps: 20, "
            "decay_steps: 300}}}}",
        ),
    ],
)
def test_sense_accepts_sound_training(callbacks: str, optimizer: str) -> None:
    found = problems_of(SOFTMAX, data=THREE, callbacks=callbacks, optimizer=optimizer)
    assert found == []


@pytest.mark.parametrize(
    ("parts", "layers", "code", "severity"),
    [
        ({"data": THREE, "metrics": "accuracy, TopKCategoricalAccuracy"}, SOFTMAX, "metric-labels", "error"),
        (
            {"data": THREE, "loss": "categorical_crossentropy", "metrics": "BinaryAccuracy"},
            SOFTMAX,
            "metric-labels",
            "warning",
        ),
        ({"data": THREE, "loss": "mse", "metrics": "SparseCategoricalAccuracy"}, SOFTMAX, "metric-labels", "error"),
        ({"data": NUMBER, "loss": "mse", "metrics": "AUC"}, "{Dense: {units: 1}}", "metric-labels", "error"),
        ({"data": THREE, "loss": "CTC"}, SOFTMAX, "loss-task", "error"),
        (
            {"data": TWO, "loss": "categorical_crossentropy"},
            "{Dense: {units: 1, activation: sigmoid}}",
            "output-units",
            "error",
        ),
        (
            {"data": THREE, "loss": "{SparseCategoricalCrossentropy: {from_logits: true}}", "metrics": "AUC"},
            SOFTMAX,
            "metric-labels",
            "error",
        ),
        ({"data": NUMBER, "loss": "hinge"}, "{Dense: {units: 1}}", "loss-task", "error"),
        ({"data": THREE, "loss": "mse"}, "{Dense: {units: 4}}", "output-units", "error"),
        (
            {"data": TWO, "loss": "binary_crossentropy"},
            "{Dense: {units: 1, activation: relu}}",
            "output-activation",
            "error",
        ),
        ({"data": THREE, "optimizer": "{Adam: {learning_rate: 0}}"}, SOFTMAX, "learning-rate", "error"),
        ({"data": THREE, "optimizer": "{AdamW: {learning_rate: 3}}"}, SOFTMAX, "learning-rate", "warning"),
        (
            {"data": THREE, "callbacks": "EarlyStopping: {patience: 3, start_from_epoch: 10}"},
            SOFTMAX,
            "callback-idle",
            "warning",
        ),
        (
            {"data": THREE, "callbacks": "EarlyStopping: {patience: 2}, ReduceLROnPlateau: {patience: 2}"},
            SOFTMAX,
            "callback-idle",
            "warning",
        ),
        (
            {
                "data": THREE,
                "optimizer": "{SGD: {learning_rate: {PiecewiseConstantDecay: "
                "{boundaries: [9, 5], values: [1, 1, 1]}}}}",
            },
            SOFTMAX,
            "schedule",
            "error",
        ),
        (
            {
                "data": THREE,
                "optimizer": "{SGD: {learning_rate: {PiecewiseConstantDecay: {boundaries: [9000], values: [1, 0.1]}}}}",
            },
            SOFTMAX,
            "schedule-steps",
            "warning",
        ),
        *(
            (
                {"data": THREE, "metrics": f"sparse_categorical_accuracy: {{name: {name}}}"},
                SOFTMAX,
                "metric-name",
                "error",
            )
            for name in (
                "loss",
                "epoch",
                "seconds",
                "val_loss",
                "test_x",
                "top 2",
                '"a=b"',
                '",x"',
                '"1st"',
                "a/b",
                '""',
            )
        ),
    ],
)
def test_sense_reports_incompatible_values(parts: dict[str, object], layers: str, code: str, severity: str) -> None:
    found = {problem.code: problem for problem in problems_of(layers, **parts)}
    assert code in found
    assert found[code].severity == severity
    assert found[code].where is not None
    assert found[code].hint


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        ("[null, 1, 28, 1]", None),
        ("[null, 28, 1, 1]", None),
        ("[null, null, null, 1]", None),
        ("null", None),
        ("[1, 1, 28, 1]", ("dropout", "warning", "write `noise_shape: [null, 1, 28, 1]`")),
        ("[1, 28, 1]", ("shape", "error", "write `noise_shape: [null, 1, 28, 1]`")),
        ("[28, 1]", ("shape", "error", "write `noise_shape: [null, 1, 28, 1]`")),
        ("[32, 1, 28, 1]", ("shape", "error", "write `noise_shape: [null, 1, 28, 1]`")),
        (
            "[null, 2, 28, 1]",
            ("shape", "error", "write `noise_shape: [null, 28, 28, 1]`: each size is 1 or the sample's"),
        ),
    ],
)
@pytest.mark.parametrize("layer", ["Dropout", "AlphaDropout"])
def test_sense_a_dropout_mask_fits_its_samples(layer: str, mask: str, told: tuple[str, str, str] | None) -> None:
    found = problems_of(
        f"{layer}: {{rate: 0.2, noise_shape: {mask}}}, Flatten, Dense: {{units: 10, activation: softmax}}"
    )
    assert [(problem.code, problem.severity, problem.hint) for problem in found] == ([told] if told else [])


@pytest.mark.parametrize(
    ("layers", "codes"),
    [
        ("Conv2D: {filters: 4, kernel_size: 3, data_format: channels_first}", ["shape"]),
        ("MaxPooling2D: {data_format: channels_first}", ["shape"]),
        ("Conv2D: {filters: 4, kernel_size: 1, data_format: channels_first}", ["data-format"]),
        ("SpatialDropout2D: {rate: 0.2, data_format: channels_first}", ["data-format"]),
        ("Permute: {dims: [3, 1, 2]}, Conv2D: {filters: 4, kernel_size: 3, data_format: channels_first}", []),
        ("Reshape: {target_shape: [1, 28, 28]}, Conv2D: {filters: 4, kernel_size: 3, data_format: channels_first}", []),
        ("Conv2D: {filters: 4, kernel_size: 3, data_format: channels_last}", []),
    ],
)
def test_sense_channels_are_last_until_a_layer_moves_them(layers: str, codes: list[str]) -> None:
    found = problems_of(f"{layers}, Flatten, Dense: {{units: 10, activation: softmax}}")
    assert [problem.code for problem in found] == codes
    assert all(problem.path[-1] == "data_format" and "`data_format`" in problem.hint for problem in found)


def test_sense_samples_of_synthetic_data_may_have_their_channels_first() -> None:
    layers = "Conv2D: {filters: 4, kernel_size: 3, data_format: channels_first}, Flatten, " + SOFTMAX
    assert problems_of(layers, data="{synthetic: {shape: [1, 9, 9], classes: 3}}") == []


def test_sense_names_the_data_set_that_has_what_an_embedding_takes() -> None:
    (problem,) = problems_of(
        "Embedding: {input_dim: 9, output_dim: 4}, Flatten, Dense: {units: 10, activation: softmax}"
    )
    assert "the data set `arrays` takes whole numbers" in problem.hint


@pytest.mark.parametrize(
    ("metrics", "column", "known"),
    [
        ("F1Score", "val_f1_score", True),
        ("F1Score", "val_f1_score_2", True),
        ("{F1Score: {name: f}}", "val_f_0", True),
        ("F1Score", "val_f1_score_3", False),
        ("{F1Score: {average: macro}}", "val_f1_score_2", False),
        ("{Precision: {thresholds: [0.2, 0.5]}}", "val_precision_0.2", True),
        ("{Precision: {thresholds: [0.2, 0.5]}}", "val_precision_0", False),
    ],
)
def test_sense_knows_the_columns_of_a_vector(metrics: str, column: str, known: bool) -> None:
    given = {"data": THREE, "loss": "categorical_crossentropy", "metrics": metrics}
    stopping = f"{{EarlyStopping: {{monitor: {column}, patience: 2}}}}"
    codes = [problem.code for problem in problems_of(SOFTMAX, **given, callbacks=stopping)]
    assert codes == ([] if known else ["unknown-metric"])


ONE = "{Dense: {units: 1, activation: sigmoid}}"
BOTH = "{Dense: {units: 2, activation: softmax}}"
BCE, CCE = "binary_crossentropy", "categorical_crossentropy"


@pytest.mark.parametrize(
    ("data", "layers", "loss", "metric", "cure"),
    [
        # Averages over the outputs of one-hot rows
        *((TWO, BOTH, CCE, metric, "class_id: 1") for metric in ("Precision", "recall", "Recall: {thresholds: 0.3}")),
        (TWO, BOTH, CCE, "SensitivityAtSpecificity: {specificity: 0.5}", "class_id: 1"),
        (TWO, BOTH, "mse", "FalsePositives", "binary_crossentropy"),
        (TWO, BOTH, CCE, "F1Score: {average: micro}", "average: macro"),
        (THREE, SOFTMAX, CCE, "FBetaScore: {average: micro}", "average: macro"),
        (THREE, SOFTMAX, CCE, "Precision: {top_k: 1}", "class_id: 1"),
        *((TWO, BOTH, CCE, metric, None) for metric in ("Precision: {class_id: 0}", "F1Score", "AUC", "accuracy")),
        (TWO, BOTH, CCE, "F1Score: {average: macro}", None),
        (THREE, SOFTMAX, CCE, "Precision", None),
        (THREE, SOFTMAX, CCE, "Recall: {class_id: 2, top_k: 1}", None),
        (THREE, SOFTMAX, CCE, "F1Score: {average: micro, threshold: 0.4}", None),
        (TWO, ONE, BCE, "Precision", None),
        # The largest of a single output
        (TWO, ONE, BCE, "F1Score", "threshold: 0.5"),
        (TWO, ONE, BCE, "FBetaScore: {beta: 2, average: macro}", "threshold: 0.5"),
        (TWO, ONE, BCE, "F1Score: {threshold: 0.4}", None),
        # Outputs that are no probabilities
        (TWO, "{Dense: {units: 1, activation: tanh}}", "hinge", "accuracy", None),
        (TWO, "{Dense: {units: 1, activation: tanh}}", "hinge", "BinaryAccuracy", "threshold: 0"),
        (TWO, "{Dense: {units: 1}}", "squared_hinge", "BinaryIoU: {target_class_ids: [1]}", "threshold: 0"),
        (TWO, "{Dense: {units: 1, activation: tanh}}", "hinge", "Precision", "thresholds: 0"),
        (TWO, "{Dense: {units: 1, activation: tanh}}", "hinge", "Precision: {thresholds: 0}", None),
        (TWO, "{Dense: {units: 1, activation: tanh}}", "hinge", "AUC", "sigmoid"),
        (TWO, "{Dense: {units: 1, activation: tanh}}", "mse", "accuracy", None),
        (THREE, "{Dense: {units: 3, activation: tanh}}", "categorical_hinge", "Recall", "softmax"),
        (THREE, LOGITS, "categorical_hinge", "F1Score", None),
        (THREE, LOGITS, "categorical_hinge", "Recall: {top_k: 2}", None),
    ],
)
def test_sense_knows_what_a_metric_can_tell(data: str, layers: str, loss: str, metric: str, cure: str | None) -> None:
    found = problems_of(layers, data=data, loss=loss, metrics=metric)
    assert [problem.severity for problem in found] == ([] if cure is None else ["warning"])
    if cure is not None:
        assert found[0].code in ("metric-average", "metric-logits")
        assert cure in found[0].hint
        assert found[0].path == ("train", "metrics", 0)


def dense(activation: str, units: int = 3) -> str:
    return f"{{Dense: {{units: {units}, activation: {activation}}}}}"


def behind(activation: str, scale: float, offset: float) -> str:
    return f"{dense(activation, 1)}, {{Rescaling: {{scale: {scale}, offset: {offset}}}}}"


@pytest.mark.parametrize(
    ("data", "layers", "loss", "code", "severity"),
    [
        *(
            (THREE, dense("linear"), loss, "output-activation", "error")
            for loss in ("kl_divergence", "kld", "KLD", "KLDivergence", "poisson", "Poisson", "msle", "MSLE", "Dice")
        ),
        (THREE, dense("linear"), "CategoricalGeneralizedCrossEntropy", "output-activation", "error"),
        (THREE, dense("tanh"), "poisson", "output-activation", "error"),
        (THREE, dense("gelu"), "mean_squared_logarithmic_error", "output-activation", "error"),
        (THREE, dense("relu"), "kl_divergence", "output-activation", "error"),
        (THREE, dense("relu"), "Tversky", "output-activation", "error"),
        (THREE, dense("sigmoid"), "kl_divergence", "output-activation", "warning"),
        (TWO, dense("sigmoid", 1), "kl_divergence", "output-units", "error"),
        (TWO, dense("sigmoid", 1), "hinge", "output-activation", "warning"),
        (TWO, dense("relu", 1), "squared_hinge", "output-activation", "warning"),
        (THREE, dense("softmax"), "mape", "loss-domain", "warning"),
        # Outputs that never come near the labels
        (TWO, dense("log_sigmoid", 1), "hinge", "output-activation", "warning"),
        (TWO, dense("log_softmax", 1), "hinge", "output-activation", "error"),
        (THREE, dense("log_softmax"), "categorical_hinge", "output-activation", "warning"),
        (THREE, dense("log_softmax"), "mean_squared_error", None, None),
        # Ranges behind a Rescaling
        (TWO, behind("sigmoid", 2, -1), "binary_crossentropy", "output-activation", "error"),
        (TWO, behind("sigmoid", 0.5, 0.5), "hinge", "output-activation", "warning"),
        (TWO, behind("sigmoid", 0.5, 0), "binary_crossentropy", "output-activation", "warning"),
        (TWO, behind("sigmoid", 2, -1), "hinge", None, None),
        (TWO, behind("tanh", 0.5, 0.5), "binary_crossentropy", None, None),
        (TWO, behind("log_sigmoid", -1, 0), "poisson", None, None),
        *(
            (NUMBER, dense(activation, 1), loss, "loss-domain", "error")
            for loss, activation in (("msle", "linear"), ("Poisson", "softplus"), ("kl_divergence", "sigmoid"))
        ),
        (NUMBER, dense("linear", 1), "mape", "loss-domain", "warning"),
        (NUMBER, dense("linear", 1), "cosine_similarity", "loss-domain", "error"),
        # Close, and sound
        (THREE, dense("softmax"), "kl_divergence", None, None),
        (THREE, dense("softplus"), "poisson", None, None),
        (THREE, dense("relu"), "msle", None, None),
        (THREE, dense("softmax"), "Dice", None, None),
        (THREE, dense("linear"), "categorical_hinge", None, None),
        (THREE, dense("softmax"), "categorical_hinge", None, None),
        (THREE, dense("linear"), "cosine_similarity", None, None),
        (TWO, dense("linear", 1), "hinge", None, None),
        (TWO, dense("sigmoid", 1), "poisson", None, None),
        (NUMBER, dense("linear", 1), "huber", None, None),
    ],
)
def test_sense_knows_the_domain_of_a_loss(
    data: str, layers: str, loss: str, code: str | None, severity: str | None
) -> None:
    found = [(problem.code, problem.severity) for problem in problems_of(layers, data=data, loss=loss)]
    assert (code, severity) in found if code is not None else found == []


@pytest.mark.parametrize("metric", ["Precision", "Recall: {thresholds: 0.4}", "FalsePositives", "F1Score"])
def test_sense_mends_a_metric_of_integer_labels_without_leading_to_an_average(metric: str) -> None:
    (found,) = problems_of(BOTH, data=TWO, metrics=metric)
    assert found.code == "metric-labels"
    one = ("sigmoid" in found.hint) or ("class_id: 1" in found.hint) or metric == "F1Score"
    assert one, found.hint


def test_sense_reports_a_metric_that_is_named_like_a_number_of_another() -> None:
    metrics = "F1Score, {Precision: {name: f1_score_2}}"
    (found,) = problems_of(SOFTMAX, data=THREE, loss="categorical_crossentropy", metrics=metrics)
    assert (found.code, found.path) == ("duplicate-name", ("train", "metrics", 1))


@pytest.mark.parametrize("split", ["", "val_"])
def test_sense_lets_callbacks_and_checkpoint_monitor_every_metric(split: str) -> None:
    for name in entries.names("metric"):
        given = examples.arguments(objects.find("metric", name) or pytest.fail(name))
        found = problems_of(
            "{Dense: {units: 1, activation: sigmoid}}",
            data=TWO,
            loss="binary_crossentropy",
            metrics=flow({name: {**given, "name": "it"}}),
            callbacks=f"EarlyStopping: {{monitor: {split}it, patience: 2}}, ReduceLROnPlateau: {{monitor: {split}it}}",
        )
        assert not [p for p in found if p.path[:2] == ("train", "callbacks") and p.severity == "error"], name


def test_sense_checks_run_despite_other_errors() -> None:
    codes = {p.code for p in problems_of("{LSTM: {units: 3}}", data=THREE, epochs="many", optimizer="Adamm")}
    assert codes == {"wrong-type", "unknown-name", "shape"}


def test_sense_skips_layers_after_an_invalid_one() -> None:
    assert {p.code for p in problems_of("{Dense: {unit: 3}}, {LSTM: {units: 3}}", data=THREE)} == {"unknown-argument"}


@pytest.mark.parametrize(("share", "severity"), [(0.5, None), (2, "warning"), (8, "error")])
def test_sense_compares_sizes_with_the_memory_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, share: float, severity: str | None
) -> None:
    weights = 4 * 1000 + 1000 + 1000 * 3 + 3
    need = 4 * (weights * 4 + 32 * 1003)  # 4 bytes: weights, gradients, two slots of Adam; outputs of a batch
    monkeypatch.setattr(sense_sizes, "machine_bytes", lambda: int(need / share))
    layers = "{Dense: {units: 1000, activation: relu}}, {Dense: {units: 3, activation: softmax}}"
    found = [p for p in problems_of(layers, data=THREE) if p.code == "memory"]
    assert [p.severity for p in found] == ([severity] if severity else [])


@pytest.mark.parametrize("optimizer", [name for name in entries.names("optimizer") if name != "LossScaleOptimizer"])
def test_sense_counts_parameters_and_slots_like_keras(tmp_path: Path, optimizer: str) -> None:
    path = tmp_path / "config.yaml"
    layers = "{Dense: {units: 7, activation: relu}}, BatchNormalization, {Dense: {units: 3, activation: softmax}}"
    rest = {"metrics": "", "callbacks": "", "epochs": 1, "loss": "sparse_categorical_crossentropy"}
    path.write_text(CONFIG.format(data=THREE, layers=layers, optimizer=optimizer, **rest))
    plan = load(path)
    facts = datasets.facts(plan.spec.data.dataset.name, plan.spec.data.dataset.arguments)
    assert facts is not None
    with open_session(plan.spec) as session:
        model = build_model(plan, facts, session, from_run({}, "")).model
    kept = sum(math.prod(v.shape) for v in model.optimizer.variables if len(v.shape) > 0)
    trainable = sum(row.after.trainable for row in plan.checked.outline.rows)
    assert sense_sizes.parameters(plan.checked.outline) == model.count_params()
    assert kept >= entries.trait("optimizer", optimizer, "slots") * trainable


@pytest.mark.parametrize(
    ("count", "text"), [(12, "12 bytes"), (2048, "2.0 KiB"), (25 * 2**30, "25.0 GiB"), (200 * 2**40, "200 TiB")]
)
def test_sense_formats_sizes_for_humans(count: int, text: str) -> None:
    assert sense_sizes.size(count) == text


@pytest.mark.parametrize("layer", ["BatchNormalization", "LayerNormalization", "{Rescaling: {scale: -5}}"])
@pytest.mark.parametrize(
    ("layers", "loss", "codes"),
    [
        ("{Dense: {units: 3, activation: softmax}}, LAYER", "sparse_categorical_crossentropy", ["output-activation"]),
        ("{Dense: {units: 3, activation: relu}}, LAYER", "categorical_crossentropy", ["output-activation"]),
        ("{Dense: {units: 3}}, Softmax, LAYER", "kl_divergence", ["output-activation"]),
        ("{Dense: {units: 3, activation: softplus}}, LAYER", "poisson", ["output-activation"]),
        ("{Dense: {units: 3}}, LAYER, Softmax", "sparse_categorical_crossentropy", []),
        ("{Dense: {units: 3}}, LAYER, {Activation: {activation: softmax}}", "categorical_crossentropy", []),
        ("{Dense: {units: 3}}, LAYER", "{SparseCategoricalCrossentropy: {from_logits: true}}", []),
        ("LAYER, {Dense: {units: 3, activation: softmax}}", "sparse_categorical_crossentropy", []),
    ],
)
def test_sense_a_layer_behind_the_activation_may_not_leave_the_domain(
    layer: str, layers: str, loss: str, codes: list[str]
) -> None:
    found = problems_of(layers.replace("LAYER", layer), data=THREE, loss=loss)
    assert [problem.code for problem in found] == codes
    if codes:
        assert "before the last `Dense`" in found[0].hint
