"""Train Keras models from a YAML file, and get a run that can be trusted.

    run = dltrain.fit("configs/cnn_mnist.yaml", overrides={"train.epochs": 1}, smoke=True)
    dltrain.evaluate(run)

Names are loaded on first use, so `import dltrain` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dltrain.data.caching import clear_cache
    from dltrain.engine import Evaluation, Predictions, Summary, describe_data, evaluate, fit, predict, resume
    from dltrain.errors import ConfigError, DltrainError
    from dltrain.runs import Run
    from dltrain.runs import find as load_run

__version__ = "0.1.0"
__all__ = [
    "ConfigError",
    "DltrainError",
    "Evaluation",
    "Predictions",
    "Run",
    "Summary",
    "__version__",
    "clear_cache",
    "describe_data",
    "evaluate",
    "fit",
    "load_run",
    "predict",
    "resume",
]

_HOMES = {
    "fit": ("dltrain.engine", "fit"),
    "resume": ("dltrain.engine", "resume"),
    "evaluate": ("dltrain.engine", "evaluate"),
    "predict": ("dltrain.engine", "predict"),
    "describe_data": ("dltrain.engine", "describe_data"),
    "clear_cache": ("dltrain.data.caching", "clear_cache"),
    "Summary": ("dltrain.engine", "Summary"),
    "Predictions": ("dltrain.engine", "Predictions"),
    "Evaluation": ("dltrain.engine", "Evaluation"),
    "Run": ("dltrain.runs", "Run"),
    "load_run": ("dltrain.runs", "find"),
    "ConfigError": ("dltrain.errors", "ConfigError"),
    "DltrainError": ("dltrain.errors", "DltrainError"),
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'dltrain' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
