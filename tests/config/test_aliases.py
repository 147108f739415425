"""A word that Keras takes for a class means the same as the class, everywhere."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dltrain.config import load
from dltrain.config.catalogue import entries
from dltrain.errors import ConfigError

# Each in a place where all of them may stand: what cannot work there has the same problems under both names.
BASE: dict[str, Any] = {
    "data": {"dataset": {"synthetic": {"shape": [8, 8, 2], "classes": 3}}},
    "train": {"optimizer": "Adam", "loss": "sparse_categorical_crossentropy", "epochs": 1},
}


def config(section: str, name: str) -> dict[str, Any]:
    dense: dict[str, Any] = {"units": 100_000}
    layers: list[Any] = [{"Dense": {"units": 3, "activation": "softmax"}}]
    train = dict(BASE["train"])
    match section:
        case "layer":
            required = [key for key, each in entries.find("layer", name).arguments.items() if each.required]  # type: ignore[union-attr]
            layers = [{name: dict.fromkeys(required, 2)} if required else name, "Flatten", *layers]
        case "optimizer" | "loss":
            train[section] = name
        case "metric":
            train["metrics"] = [name]
        case _:
            dense[f"kernel_{section}"] = name
    hidden: list[Any] = [] if section == "layer" else ["Flatten", {"Dense": dense}]
    return {**BASE, "model": {"layers": [*hidden, *layers]}, "train": train}


def outcome(section: str, name: str, names: tuple[str, str]) -> Any:
    """What the checks say of a config, memory included, and its spec, with one word for both names."""

    def same(text: str) -> str:
        return re.sub(rf"(['`])({'|'.join(names)})\1", "NAME", text)

    try:
        plan = load(config(section, name))
    except ConfigError as error:
        return [(problem.code, problem.severity, same(problem.message)) for problem in error.problems]
    told = [(problem.code, same(problem.message)) for problem in plan.checked.warnings]
    spec = plan.spec.model_dump(mode="json", exclude={"train": {"metrics"}} if section == "metric" else set())
    return told, same(str(spec))


@pytest.mark.parametrize("section", [section for section in entries.sections() if entries.aliases(section)])
def test_aliases_mean_the_same_as_their_class(section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dltrain.config.checks.sense.sizes.machine_bytes", lambda: 60_000_000)  # so that memory counts
    differing = {}
    for alias, own in entries.aliases(section).items():
        if own is None:
            continue
        found, expected = (outcome(section, name, (alias, own)) for name in (alias, own))
        if found != expected:
            differing[alias] = (found, expected)
    assert differing == {}
