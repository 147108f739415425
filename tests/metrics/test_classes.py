"""The sheets of classes and labels: scikit-learn's figures to 1e-9, intervals that hold, thresholds that do as told."""

from __future__ import annotations

import warnings
from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from dltrain.metrics.classes import class_sheet
from dltrain.metrics.flags import flag_sheet
from dltrain.metrics.intervals import bootstrap, wilson
from dltrain.metrics.ranking import Ranking, best_threshold, threshold_for

EXACT: Any = {"rel": 1e-9, "abs": 1e-9}


def drawn(samples: int, classes: int, seed: int, *, skill: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Return labels, some classes rarer than others, and probabilities that know something of them."""
    draws = np.random.default_rng(seed)
    labels = draws.choice(classes, samples, p=draws.dirichlet(np.full(classes, 2.0)))
    logits = draws.normal(size=(samples, classes)) + skill * (np.arange(classes) == labels[:, None])
    powers = np.exp(np.round(logits, 1))  # rounded, so that scores are equal here and there
    return labels, powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("classes", [2, 3, 12])
def test_classes_have_the_figures_of_the_reference(classes: int, seed: int) -> None:
    labels, given = drawn(300, classes, seed)
    guess = given.argmax(axis=1)
    names = [f"class {index}" for index in range(classes)]
    sheet = class_sheet(labels, guess, given, names, probabilities=True)
    found = {name: estimate.value for name, estimate in sheet.scores.items()}
    hot = np.eye(classes)[labels]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class that is never predicted
        expected = {
            "accuracy": reference.accuracy_score(labels, guess),
            "balanced_accuracy": reference.balanced_accuracy_score(labels, guess),
            "macro_f1": reference.f1_score(labels, guess, average="macro", zero_division=0),
            "weighted_f1": reference.f1_score(labels, guess, average="weighted", zero_division=0),
            "matthews_correlation": reference.matthews_corrcoef(labels, guess),
            "log_loss": reference.log_loss(labels, given, labels=range(classes)),
            "brier": np.mean(np.sum((given - hot) ** 2, axis=1)) / (2 if classes == 2 else 1),
        }
        if classes == 2:
            expected["brier"] = reference.brier_score_loss(labels, given[:, 1])
        if classes > 10:
            order = np.argsort(-given, axis=1, kind="stable")[:, :5]
            expected["top_5_accuracy"] = np.mean(np.any(order == labels[:, None], axis=1))
        there = [index for index in range(classes) if 0 < hot[:, index].sum() < len(labels)]
        areas = {index: reference.roc_auc_score(hot[:, index], given[:, index]) for index in there}
        averages = {index: reference.average_precision_score(hot[:, index], given[:, index]) for index in there}
        expected["roc_auc"] = np.mean(list(areas.values()))
        expected["average_precision"] = np.mean(list(averages.values()))
        assert {name: found[name] for name in expected} == pytest.approx(expected, **EXACT)
        by_class = reference.precision_recall_fscore_support(labels, guess, labels=range(classes), zero_division=0)
    for figures in sheet.classes:
        index = names.index(figures.name)
        precision, recall, f1, support = (float(each[index]) for each in by_class)
        assert figures.support == support
        assert (figures.precision.value or 0.0, figures.recall.value or 0.0, figures.f1) == pytest.approx(
            (precision, recall, f1), **EXACT
        )
        if index in areas:
            assert figures.roc_auc == pytest.approx(areas[index], **EXACT)
            assert figures.average_precision == pytest.approx(averages[index], **EXACT)
    matrix = reference.confusion_matrix(labels, guess, labels=range(classes))
    np.fill_diagonal(matrix, 0)
    assert sum(each.count for each in sheet.confusions) == matrix.sum() or len(sheet.confusions) == 20
    first = sheet.confusions[0]
    assert first.count == matrix.max() == matrix[names.index(first.true), names.index(first.predicted)]
    for estimate in sheet.scores.values():
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.value is not None
        assert estimate.method in ("wilson", "bootstrap")
        if estimate.method == "wilson":
            assert estimate.low <= estimate.value <= estimate.high


@pytest.mark.parametrize(("hits", "total"), [(0, 10), (10, 10), (81, 263), (1, 1), (9_914, 10_000)])
def test_classes_have_wilson_intervals_that_contain_what_the_normal_test_accepts(hits: int, total: int) -> None:
    found = wilson(hits, total)
    assert found.low is not None
    assert found.high is not None
    for end in (found.low, found.high):
        if 1e-9 < end < 1 - 1e-9:  # the deviation of the share is the 97.5 % quantile of the normal distribution
            deviation = abs(hits / total - end) / np.sqrt(end * (1 - end) / total)
            assert deviation == pytest.approx(1.959963984540054, rel=1e-9)
    assert 0 <= found.low <= hits / total <= found.high <= 1


def test_classes_have_bootstrap_intervals_that_hold_for_most_samples() -> None:
    """Of a mean, they have to contain the true one about 95 times of 100."""
    draws = np.random.default_rng(5)
    held = 0
    for seed in range(100):
        values = draws.normal(3.0, 2.0, 80)

        def mean(weights: np.ndarray, values: np.ndarray = values) -> dict[str, float]:
            return {"mean": float(np.average(values, weights=weights))}

        found = bootstrap(mean, 80, seed, 80)["mean"]
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 3.0 <= found.high
    assert 88 <= held <= 100
    again = [bootstrap(lambda w: {"n": float(w[0])}, 50, seed, 50)["n"] for seed in (1, 1, 2)]
    assert again[0] == again[1]


@pytest.mark.parametrize("seed", range(3))
def test_classes_thresholds_do_what_they_say(seed: int) -> None:
    labels, given = drawn(200, 2, seed)
    given = given.astype(np.float32)
    ranking = Ranking(labels == 1, given[:, 1])
    best, sure = best_threshold(ranking), threshold_for(ranking, 0.8)
    assert best is not None
    assert sure is not None
    every = [float(reference.f1_score(labels, given[:, 1] >= score)) for score in np.unique(given[:, 1])]
    assert best.f1 == pytest.approx(max(every), **EXACT)
    for found in (best, sure):
        yes = given[:, 1] > found.threshold
        assert (found.precision, found.recall) == pytest.approx(
            (reference.precision_score(labels, yes), reference.recall_score(labels, yes)), **EXACT
        )
    assert sure.precision >= 0.8
    enough = [
        reference.recall_score(labels, given[:, 1] >= score)
        for score in np.unique(given[:, 1])
        if reference.precision_score(labels, given[:, 1] >= score) >= 0.8
    ]
    assert sure.recall == pytest.approx(max(enough), **EXACT)
    assert threshold_for(Ranking(labels == 7, given[:, 1]), 0.8) is None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("near", [0.0, 0.5, 1.0])
def test_classes_thresholds_are_between_scores_that_hardly_differ(near: float, seed: int) -> None:
    """Outputs are float32, and so is what they are compared with; what is printed has to give the same."""
    draws = np.random.default_rng(seed)
    scores = np.clip(np.float32(near) + draws.integers(-9, 9, 100).astype(np.float32) * np.float32(6e-8), 0, 1)
    positive = draws.random(100) < 0.4
    for found in (best_threshold(Ranking(positive, scores)), threshold_for(Ranking(positive, scores), 0.45)):
        if found is None:
            continue
        assert 0 < found.threshold < 1
        yes = scores > np.float32(float(f"{found.threshold:.9g}"))
        assert found.precision == pytest.approx(reference.precision_score(positive, yes), **EXACT)
        assert found.recall == pytest.approx(reference.recall_score(positive, yes), **EXACT)


def test_classes_that_get_the_same_scores_are_guessed_in_their_order() -> None:
    labels = np.arange(24) % 12
    sheet = class_sheet(
        labels, np.zeros(24, np.int64), np.full((24, 12), 1 / 12), list("abcdefghijkl"), probabilities=True
    )
    assert sheet.scores["accuracy"].value == pytest.approx(1 / 12)
    assert sheet.scores["top_5_accuracy"].value == pytest.approx(5 / 12)


@pytest.mark.parametrize("seed", range(3))
def test_classes_calibration_is_that_of_its_definition(seed: int) -> None:
    labels, given = drawn(400, 4, seed)
    sheet = class_sheet(labels, given.argmax(axis=1), given, list("abcd"), probabilities=True)
    confidence, right = given.max(axis=1), given.argmax(axis=1) == labels
    expected = 0.0
    for index, each in enumerate(sheet.calibration):
        inside = (confidence > index / 15) & (confidence <= (index + 1) / 15)
        assert each.count == inside.sum()
        if inside.any():
            assert each.confidence == pytest.approx(confidence[inside].mean(), **EXACT)
            assert each.accuracy == pytest.approx(right[inside].mean(), **EXACT)
            expected += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    assert sheet.scores["calibration_error"].value == pytest.approx(expected, **EXACT)


def test_classes_of_steps_are_drawn_by_the_sample() -> None:
    """Steps of a sample are alike: as many samples with a step of their own say more, so their interval is narrower."""
    labels, given = drawn(60, 3, 1)
    together = class_sheet(
        np.repeat(labels[:, None], 20, axis=1),
        np.repeat(given.argmax(axis=1)[:, None], 20, axis=1),
        np.repeat(given[:, None], 20, axis=1),
        list("abc"),
        probabilities=True,
    )
    alone = class_sheet(labels, given.argmax(axis=1), given, list("abc"), probabilities=True)
    assert together.scores["macro_f1"].value == pytest.approx(alone.scores["macro_f1"].value, **EXACT)
    assert astuple(together.scores["macro_f1"])[1:3] == pytest.approx(astuple(alone.scores["macro_f1"])[1:3], abs=0.02)
    assert together.scores["accuracy"].method == "bootstrap"
    assert together.classes[0].precision.low is None
    assert len(together.by_step) == 20


def test_classes_that_are_never_there_or_never_predicted_leave_figures_out() -> None:
    labels = np.array([0, 0, 1, 1])
    given = np.array([[0.8, 0.1, 0.1, 0.0]] * 4)
    sheet = class_sheet(labels, given.argmax(axis=1), given, ["a", "b", "c"], probabilities=True)
    assert [each.name for each in sheet.classes] == ["a", "b"]
    assert sheet.classes[1].precision.value is None
    assert sheet.scores["matthews_correlation"].value == 0.0
    logits = class_sheet(labels, given.argmax(axis=1), given * 9, ["a", "b", "c"], probabilities=False)
    assert "brier" not in logits.scores
    assert not logits.calibration
    one = class_sheet(labels[:1], labels[:1], given[:1], ["a", "b", "c"], probabilities=True)
    assert one.scores["accuracy"].value == 1.0
    assert one.scores["roc_auc"].value is None


@pytest.mark.parametrize("seed", range(3))
def test_classes_of_several_labels_have_the_figures_of_the_reference(seed: int) -> None:
    draws = np.random.default_rng(seed)
    flags = draws.random((250, 5)) < draws.random(5) * 0.6
    given = np.round(np.clip(draws.random((250, 5)) * 0.7 + flags * 0.3, 0, 1), 2)
    guess = given > 0.5
    sheet = flag_sheet(flags, guess, given, list("abcde"), probabilities=True)
    found = {name: estimate.value for name, estimate in sheet.scores.items()}
    assert found == pytest.approx(
        {
            "all_right": reference.accuracy_score(flags, guess),
            "hamming_loss": reference.hamming_loss(flags, guess),
            "micro_f1": reference.f1_score(flags, guess, average="micro"),
            "macro_f1": reference.f1_score(flags, guess, average="macro"),
            "roc_auc": reference.roc_auc_score(flags, given),
            "average_precision": reference.average_precision_score(flags, given),
            "brier": np.mean((given - flags) ** 2),
        },
        **EXACT,
    )
    assert [each.name for each in sheet.thresholds] == list("abcde")
    for index, each in enumerate(sheet.classes):
        assert each.recall.value == pytest.approx(reference.recall_score(flags[:, index], guess[:, index]), **EXACT)
