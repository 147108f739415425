"""Plan and splits -> a trained model, its metrics and its files. The only package that imports Keras and its backends.

Importing this package imports neither: they take seconds, and a wrong config should be reported at once.
"""

from dltrain.engine.description import Summary, describe_data
from dltrain.engine.evaluation import Evaluation, evaluate
from dltrain.engine.events import (
    EpochDone,
    Event,
    Finished,
    Left,
    Loaded,
    Phase,
    Prepared,
    Profiled,
    Resuming,
    SkippedCheckpoint,
    StepDone,
    StoppedEarly,
    Stopping,
    Warned,
)
from dltrain.engine.prediction import Predictions, predict
from dltrain.engine.trained import CheckpointChoice, Trained, restored
from dltrain.engine.training.fit import fit
from dltrain.engine.training.resume import resume

__all__ = [
    "CheckpointChoice",
    "EpochDone",
    "Evaluation",
    "Event",
    "Finished",
    "Left",
    "Loaded",
    "Phase",
    "Predictions",
    "Prepared",
    "Profiled",
    "Resuming",
    "SkippedCheckpoint",
    "StepDone",
    "StoppedEarly",
    "Stopping",
    "Summary",
    "Trained",
    "Warned",
    "describe_data",
    "evaluate",
    "fit",
    "predict",
    "restored",
    "resume",
]
