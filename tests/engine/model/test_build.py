from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest

from dltrain.config import load
from dltrain.engine.model.build import build_callbacks, build_model
from dltrain.engine.model.construct import Refused, ask
from dltrain.engine.session import open_session
from dltrain.errors import ConfigError


def raise_error(**arguments: Any) -> Any:
    raise ValueError("Exception encountered when calling it.\n\nno such thing\n\nArguments received: …")


def test_build_reports_a_callback_that_keras_rejects_at_its_line(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = load(tiny, ["train.callbacks=[TerminateOnNaN, EarlyStopping: {patience: 1}]"])
    monkeypatch.setattr(keras.callbacks, "EarlyStopping", raise_error)
    with pytest.raises(ConfigError) as caught:
        build_callbacks(plan)
    (problem,) = caught.value.problems
    assert problem.message == "Keras refuses the callback `EarlyStopping`: no such thing"
    assert problem.path == ("train", "callbacks", 1)


def test_build_reports_a_layer_that_keras_rejects_at_its_line(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dltrain.engine.inputs import load_data

    plan = load(tiny)
    monkeypatch.setattr(keras.layers, "Dropout", raise_error)
    with pytest.raises(ConfigError) as caught, open_session(plan.spec) as session:
        build_model(plan, load_data(plan.spec).facts, session)
    (problem,) = caught.value.problems
    assert problem.message == "Keras refuses layer 2, `Dropout`: no such thing"
    assert problem.where is not None
    assert "Dropout" in problem.where.text


def test_build_treats_only_errors_of_keras_as_rejections() -> None:
    def bug() -> None:
        raise AssertionError("a bug")

    assert ask(len, "abc") == 3
    with pytest.raises(Refused, match="division"):
        ask(divmod, 1, 0)
    with pytest.raises(AssertionError):
        ask(bug)
