"""Learning-rate schedules of PyTorch, TensorFlow 1, Hugging Face and Ludwig.

Those of PyTorch count epochs, those of Keras optimizer steps; and only those of Keras hold the initial rate.
"""

from __future__ import annotations

import math
from typing import Any

from dltrain.config.catalogue.elsewhere.words import OPEN, Arguments, Around, Table, Word, made, number, plain
from dltrain.config.document.writer import flow

_PYTHON = "it runs Python code: write one of Keras's schedules, such as `CosineDecay`"
_SEVERAL = (
    "Keras has no sequence of schedules: `CosineDecay` has `warmup_steps`, and `PiecewiseConstantDecay` any steps"
)


def _rate(given: Arguments, around: Around, *keys: str) -> float:
    """Return the initial rate: the one written under one of `keys`, else the optimizer's."""
    names = (*keys, "initial_learning_rate", "initial_lr", "learning_rate", "base_lr", "lr")
    written = (number(given.get(key)) for key in names)
    return next((value for value in written if value is not None), around.rate)


def _first(given: Arguments, default: float, *keys: str) -> float:
    return next((value for key in keys if (value := number(given.get(key))) is not None), default)


def _count(given: Arguments, *keys: str) -> float | None:
    return next((value for key in keys if (value := number(given.get(key))) is not None), None)


def _epochs(given: Arguments, around: Around, *keys: str) -> int | str:
    """Return optimizer steps for the epochs written under one of `keys`; without one, for a third of the run."""
    epochs = _count(given, *keys)
    if epochs is None and around.epochs is not None:
        epochs = max(1, around.epochs // 3)
    return around.in_steps(epochs) if epochs is not None else OPEN


def _exponential(rate: float, steps: float | str, factor: float, staircase: bool) -> list[Any]:
    arguments = {"initial_learning_rate": rate, "decay_steps": steps, "decay_rate": plain(factor)}
    return [{"ExponentialDecay": {**arguments, **({"staircase": True} if staircase else {})}}]


def _step(given: Arguments, around: Around) -> list[Any] | str:
    steps = _epochs(given, around, "step_size", "epochs_drop", "step", "every", "period")
    return _exponential(_rate(given, around), steps, _first(given, 0.1, "gamma", "drop", "factor", "decay_rate"), True)


def _exponential_epochs(given: Arguments, around: Around) -> list[Any] | str:
    return _exponential(
        _rate(given, around), around.in_steps(1), _first(given, 0.9, "gamma", "decay_rate", "decay"), True
    )


def _milestones(given: Arguments, around: Around) -> list[Any] | str:
    at = given.get("milestones", given.get("steps"))
    if not isinstance(at, list) or not at or not all(number(item) is not None for item in at):
        at = [around.epochs * 0.5, around.epochs * 0.75] if around.epochs is not None else []
    rate, gamma = _rate(given, around), _first(given, 0.1, "gamma", "factor")
    values = [plain(rate * gamma**times) for times in range(len(at) + 1)] if at else [OPEN]
    return [
        {"PiecewiseConstantDecay": {"boundaries": [around.in_steps(item) for item in at] or [OPEN], "values": values}}
    ]


def _cosine(given: Arguments, around: Around) -> list[Any] | str:
    epochs = _count(given, "T_max", "t_max", "epochs", "max_epochs")
    rate = _rate(given, around)
    low = _first(given, 0, "eta_min", "min_lr", "lr_min")
    steps = around.in_steps(epochs) if epochs is not None else around.whole_run()
    end = {"alpha": plain(low / rate)} if low > 0 and rate > 0 else {}
    return [{"CosineDecay": {"initial_learning_rate": rate, "decay_steps": steps, **end}}]


def _restarts(given: Arguments, around: Around) -> list[Any] | str:
    rate, low = _rate(given, around), _first(given, 0, "eta_min")
    end = {"alpha": plain(low / rate)} if low > 0 and rate > 0 else {}
    arguments = {
        "first_decay_steps": _epochs(given, around, "T_0", "t_0"),
        "t_mul": _first(given, 1, "T_mult", "t_mult"),
    }
    return [{"CosineDecayRestarts": {"initial_learning_rate": rate, **arguments, **end}}]


def _one_cycle(given: Arguments, around: Around) -> list[Any] | str:
    top = _rate(given, around, "max_lr")
    total = _count(given, "total_steps")
    if total is None and (epochs := _count(given, "epochs")) is not None:
        each = _count(given, "steps_per_epoch") or around.steps
        total = epochs * each if each is not None else None
    steps = total if total is not None else around.whole_run()
    divisor, final = _first(given, 25, "div_factor"), _first(given, 1e4, "final_div_factor")
    arguments: dict[str, Any] = {"initial_learning_rate": plain(top / divisor), "warmup_target": top}
    rise: Any = OPEN
    fall: Any = OPEN
    if not isinstance(steps, str):
        rise = max(1, round(steps * _first(given, 0.3, "pct_start")))
        fall = max(1, round(steps - rise))
    arguments |= {"warmup_steps": rise, "decay_steps": fall, "alpha": plain(1 / (divisor * final))}
    return [{"CosineDecay": arguments}]


def _cyclic(given: Arguments, around: Around) -> list[Any] | str:
    top, low = _first(given, around.rate, "max_lr"), _first(given, 0, "base_lr")
    length = round(2 * _first(given, 2000, "step_size_up"))
    end = {"alpha": plain(low / top)} if 0 < low < top else {}
    return [{"CosineDecayRestarts": {"initial_learning_rate": top, "first_decay_steps": length, "t_mul": 1, **end}}]


def _linear(given: Arguments, around: Around) -> list[Any] | str:
    rate = _rate(given, around)
    start, end = _first(given, 1 / 3, "start_factor"), _first(given, 1, "end_factor")
    ends = {"initial_learning_rate": plain(rate * start), "end_learning_rate": plain(rate * end)}
    return [{"PolynomialDecay": {**ends, "decay_steps": around.in_steps(_first(given, 5, "total_iters"))}}]


def _constant(given: Arguments, around: Around) -> list[Any] | str:
    rate = _rate(given, around)
    values = [plain(rate * _first(given, 1 / 3, "factor")), rate]
    boundary = around.in_steps(_first(given, 5, "total_iters"))
    return [{"PiecewiseConstantDecay": {"boundaries": [boundary], "values": values}}]


def _polynomial(given: Arguments, around: Around) -> list[Any] | str:
    epochs = _count(given, "total_iters")
    steps = around.in_steps(epochs) if epochs is not None else around.whole_run()
    power = _first(given, 1, "power")
    arguments = {"initial_learning_rate": _rate(given, around), "decay_steps": steps, "end_learning_rate": 0.0}
    return [{"PolynomialDecay": {**arguments, **({"power": power} if power != 1 else {})}}]


def _falling(given: Arguments, around: Around) -> list[Any] | str:
    """Return a straight line from the rate to 0 at the end of the run."""
    steps = _count(given, "decay_steps", "num_training_steps") or around.whole_run()
    rate = _rate(given, around)
    return [{"PolynomialDecay": {"initial_learning_rate": rate, "decay_steps": steps, "end_learning_rate": 0.0}}]


def _warm(given: Arguments, around: Around) -> list[Any] | str:
    steps = _count(given, "num_training_steps", "total_steps", "t_initial") or around.whole_run()
    warm: Any = _count(given, "num_warmup_steps", "warmup_steps", "warmup_t")
    epochs = _count(given, "warmup_epochs", "num_warmup_epochs", "epochs", "num_epochs", "n_epochs")
    if warm is None and epochs is not None:
        warm = around.in_steps(epochs)
    fall: Any = OPEN
    if not isinstance(steps, str) and not isinstance(warm, str):
        warm = max(1, round(steps * _first(given, 0.1, "warmup_ratio", "warmup_fraction"))) if warm is None else warm
        fall = max(1, round(steps - warm))
    arguments = {"initial_learning_rate": 0.0, "warmup_target": _rate(given, around)}
    return [{"CosineDecay": {**arguments, "warmup_steps": OPEN if warm is None else warm, "decay_steps": fall}}]


def _natural(given: Arguments, around: Around) -> list[Any] | str:
    steps = _count(given, "decay_steps") or around.in_steps(1)
    factor = math.exp(-max(0.0, _first(given, 0.5, "decay_rate")))
    return _exponential(_rate(given, around), steps, factor, given.get("staircase") is True)


def _inverse(given: Arguments, around: Around) -> list[Any] | str:
    return inverse_time(
        _rate(given, around), _first(given, 1e-4, "decay_rate", "decay"), _first(given, 1, "decay_steps")
    )


def inverse_time(rate: float, decay: float, steps: float = 1) -> list[Any]:
    """Return the schedule of Keras 1's and 2's `decay`: rate / (1 + decay * step)."""
    return [{"InverseTimeDecay": {"initial_learning_rate": rate, "decay_steps": steps, "decay_rate": decay}}]


def _plateau(given: Arguments, around: Around) -> list[Any] | str:
    same = {
        key: given[key] for key in ("factor", "patience", "cooldown", "min_lr") if number(given.get(key)) is not None
    }
    callback = {"ReduceLROnPlateau": {"monitor": "val_loss", **same}}
    return f"it is a callback: write `callbacks: {flow([callback])}` in `train`"


def _python(given: Arguments, around: Around) -> list[Any] | str:
    return _exponential(around.rate, around.in_steps(1), 0.9, True)


_STEPS_OF_TENSORFLOW: dict[str, Any] = {"learning_rate": "initial_learning_rate", "global_step": None}
SCHEDULES: Table = {
    # PyTorch
    "steplr": made(_step, "-optimizer", "step_size", "gamma"),
    "multisteplr": made(_milestones, "-optimizer", "milestones", "gamma"),
    "constantlr": made(_constant, "-optimizer", "factor", "total_iters"),
    "linearlr": made(_linear, "-optimizer", "start_factor", "end_factor", "total_iters"),
    "exponentiallr": made(_exponential_epochs, "-optimizer", "gamma"),
    "polynomiallr": made(_polynomial, "-optimizer", "total_iters", "power"),
    "cosineannealinglr": made(_cosine, "-optimizer", "T_max", "eta_min"),
    "cosineannealingwarmrestarts": made(_restarts, "-optimizer", "T_0", "T_mult", "eta_min"),
    "cycliclr": made(_cyclic, "-optimizer", "base_lr", "max_lr", "step_size_up"),
    "onecyclelr": made(_one_cycle, "-optimizer", "max_lr", "total_steps"),
    "reducelronplateau": made(_plateau, "-optimizer", "-mode", "factor", "patience"),
    "lambdalr": _PYTHON,
    "multiplicativelr": _PYTHON,
    "chainedscheduler": _SEVERAL,
    "sequentiallr": _SEVERAL,
    "swalr": "Keras has no averaging by cycles: write `use_ema: true` in the optimizer",
    # TensorFlow 1, which counts steps
    "exponentialdecay": Word("ExponentialDecay", _STEPS_OF_TENSORFLOW),
    "polynomialdecay": Word("PolynomialDecay", _STEPS_OF_TENSORFLOW),
    "cosinedecay": Word("CosineDecay", _STEPS_OF_TENSORFLOW),
    "cosinedecayrestarts": Word("CosineDecayRestarts", _STEPS_OF_TENSORFLOW),
    "inversetimedecay": Word("InverseTimeDecay", _STEPS_OF_TENSORFLOW),
    "naturalexpdecay": made(_natural, "learning_rate", "-global_step", "decay_steps", "decay_rate", "staircase"),
    "piecewiseconstant": Word("PiecewiseConstantDecay", {"x": None, "boundaries": "boundaries", "values": "values"}),
    "linearcosinedecay": made(_falling),
    "noisylinearcosinedecay": made(_falling),
    # words in use elsewhere
    "stepdecay": made(_step, "step_size", "gamma"),
    "step": made(_step, "step_size", "gamma"),
    "multistep": made(_milestones, "milestones", "gamma"),
    "exponential": made(_exponential_epochs, "gamma"),
    "cosine": made(_cosine, "T_max"),
    "cosineannealing": made(_cosine, "T_max", "eta_min"),
    "onecycle": made(_one_cycle, "max_lr", "total_steps"),
    "onecyclepolicy": made(_one_cycle, "max_lr", "total_steps"),
    "cyclic": made(_cyclic, "base_lr", "max_lr", "step_size_up"),
    "linear": made(_falling),
    "lineardecay": made(_falling),
    "poly": made(_polynomial, "total_iters", "power"),
    "polynomial": made(_polynomial, "total_iters", "power"),
    "invscaling": made(_inverse),
    "timebaseddecay": made(_inverse, "decay"),
    "plateau": made(_plateau),
    "warmup": made(_warm, "warmup_steps"),
    **{
        word: made(_warm, "warmup_steps")
        for word in ("warmupcosine", "linearwarmup", "cosinewarmup", "warmuplr", "lrwarmup", "learningratewarmup")
    },
    **{
        word: made(_warm, "-optimizer", "warmup_steps")
        for word in ("warmupscheduler", "linearwarmupscheduler", "gradualwarmupscheduler", "warmuplrscheduler")
    },
    "cosinewithwarmup": made(_warm, "num_warmup_steps", "num_training_steps"),
    "getcosineschedulewithwarmup": made(_warm, "-optimizer", "num_warmup_steps", "num_training_steps"),
    "getlinearschedulewithwarmup": made(_warm, "-optimizer", "num_warmup_steps", "num_training_steps"),
    # callbacks of Keras with a Python function
    "learningratescheduler": made(_python, "schedule"),
    "learningratemonitor": "every epoch's learning rate is in the journal: remove it",
    "constant": "it is a number: `learning_rate: 0.001`",
}
