"""The learning rate over the steps of the run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dltrain.config.catalogue import entries
from dltrain.config.catalogue.kinds import epochs_of
from dltrain.config.catalogue.rates import Rate, rate_of, samples, zero_from
from dltrain.config.checks.draft import Draft, Placed, inner, kind_of, value_of
from dltrain.config.document.source import nearest
from dltrain.errors import KeyPath, Problem, Severity

_TOO_SMALL = 1e-8  # a float32 of 0.1 cannot change by less
# A schedule whose steps are at most the epochs, in a run with this many steps an epoch, counts epochs by mistake.
_MANY_STEPS = 10
_MOST_AT_ZERO = 0.1  # share of the run
_EARLY = 0.2  # share of the run: boundaries that were meant as epochs all lie before it
_DECAYS = ("ExponentialDecay", "InverseTimeDecay")  # they go on without end
# The last rate of a run as a share of its first.
_FAR_BELOW = 1e-4
_LOW = 0.0099  # a little less than 0.1 twice
_NEAR = 0.95
_UNCHANGED = 0.99
_WARM = 0.02  # a rate that starts at so small a share of its peak is meant to rise


def check_schedules(draft: Draft) -> Iterator[Problem]:
    if draft.optimizer is None:
        return
    optimizer = trained_by(draft.optimizer)
    schedule = inner(optimizer, "optimizer", "learning_rate")
    if schedule is None:
        rate = value_of("optimizer", optimizer.object, "learning_rate")
        for epoch, by_epoch in draft.schedule.items():
            yield from _check_peak(draft, optimizer, by_epoch, ("train", "schedule", str(epoch)))
        if isinstance(rate, int | float) and 1 not in draft.schedule:
            path = optimizer.argument_path("learning_rate")
            yield from _check_peak(draft, optimizer, rate, path)
        return
    problem = _check_pieces(draft, schedule)
    if problem is not None:
        yield problem
        return
    rate_at = rate_of(schedule.object.name, schedule.object.arguments)
    if draft.steps is None or draft.epochs is None or rate_at is None:
        return
    run = _Run(draft, schedule, rate_at, draft.steps * draft.epochs)
    found = list(itertools.islice(run.problems(), 1))
    yield from found
    if not any(problem.severity == "error" or problem.code == "schedule" for problem in found):
        yield from _check_peak(draft, optimizer, run.peak, run.peak_path)


def trained_by(optimizer: Placed) -> Placed:
    """Return the optimizer that sets the weights: the inner one, where it is wrapped."""
    within = inner(optimizer, "optimizer", "inner_optimizer")
    return trained_by(within) if within is not None else optimizer


def peak_rate(draft: Draft, optimizer: Placed) -> float | None:
    """Return the highest learning rate of the run; None where it is not known."""
    schedule = inner(optimizer, "optimizer", "learning_rate")
    if schedule is None:
        rate = value_of("optimizer", optimizer.object, "learning_rate")
        first = [float(rate)] if isinstance(rate, int | float) and 1 not in draft.schedule else []
        return max([*first, *draft.schedule.values()], default=None)
    rate_at = rate_of(schedule.object.name, schedule.object.arguments)
    if rate_at is None or draft.steps is None or draft.epochs is None:
        return None
    return max(rate_at(step) for step in samples(draft.steps * draft.epochs))


def _check_peak(draft: Draft, optimizer: Placed, rate: float, path: KeyPath) -> Iterator[Problem]:
    kind = kind_of("optimizer", optimizer)
    adaptive = entries.trait("optimizer", kind, "adaptive")
    usual, too_high = entries.trait("optimizer", kind, "rates") or (0.001, math.inf)
    hint = f"try `{usual:g}`"
    if rate == 0:
        yield draft.tell("learning-rate", "a learning rate of 0 learns nothing", path, hint)
    elif rate * _clip(optimizer) >= too_high and not value_of("optimizer", optimizer.object, "relative_step"):
        why = "each step moves every weight by about as much" if adaptive else "its steps jump over every minimum"
        message = f"a learning rate of {rate:g} is far too high for `{kind}`: {why}"
        yield draft.tell("learning-rate", message, path, hint, "warning")
    elif adaptive and rate < _TOO_SMALL:
        message = f"a learning rate of {rate:g} is lost in rounding: `{kind}` moves a weight by about as much each step"
        yield draft.tell("learning-rate", message, path, hint, "warning")


def _clip(optimizer: Placed) -> float:
    """Return the bound that gradients of SGD are cut to, at most 1; steps of other optimizers do not grow with them."""
    if kind_of("optimizer", optimizer) != "SGD":
        return 1.0
    bounds = (value_of("optimizer", optimizer.object, key) for key in ("clipnorm", "clipvalue", "global_clipnorm"))
    return min((float(bound) for bound in bounds if bound), default=1.0)


def _check_pieces(draft: Draft, schedule: Placed) -> Problem | None:
    if schedule.object.name != "PiecewiseConstantDecay":
        return None
    bounds, values = (value_of("schedule", schedule.object, key) or [] for key in ("boundaries", "values"))
    if len(values) != len(bounds) + 1:
        message = (
            f"{len(bounds)} boundaries cut the run into {len(bounds) + 1} pieces, but there are {len(values)} values"
        )
        path = schedule.argument_path("values")
        return draft.tell("schedule", message, path, f"give {len(bounds) + 1} values")
    counted = [bound if (epochs := epochs_of(bound)) is None else epochs for bound in bounds]
    if any(after <= before for before, after in itertools.pairwise(counted)):
        path = schedule.argument_path("boundaries")
        return draft.tell("schedule", "the boundaries do not rise", path, "sort them")
    return None


class _Run:
    """A schedule over the `total` steps of the run."""

    def __init__(self, draft: Draft, schedule: Placed, rate_at: Rate, total: int) -> None:
        self.draft, self.schedule, self.total, self.rate_at = draft, schedule, total, rate_at
        self.name = schedule.object.name
        self.steps_per_epoch, self.epochs = draft.steps or 1, draft.epochs or 1
        self.rates = {step: rate_at(step) for step in samples(total)}
        self.peak = max(self.rates.values())
        self.given: Mapping[str, Any] = {
            key: value_of("schedule", schedule.object, key)
            for key in (entries.find("schedule", self.name) or entries.Entry("schedule", self.name, {})).arguments
        }
        self.warmup = self.given["warmup_steps"] if self.given.get("warmup_target") is not None else 0
        self.facts = f"the run has {total:,} step{'s' if total != 1 else ''} ({self.steps_per_epoch:,} an epoch)"

    @property
    def peak_path(self) -> KeyPath:
        keys = ("values",) if "values" in self.given else ("initial_learning_rate",)
        if self.warmup:
            keys = ("warmup_target",)
        return self.schedule.argument_path(keys[0])

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong with it, the gravest first."""
        yield from self._without_value()
        yield from self._counts_epochs()
        yield from self._warms_up_too_long()
        yield from self._rises()
        yield from self._never_changes()
        yield from self._too_short_or_long()
        yield from self._hardly_changes()
        yield from self._at_zero()

    def tell(self, code: str, message: str, key: str, hint: str, severity: Severity = "warning") -> Problem:
        return self.draft.tell(code, message, self.schedule.argument_path(key), hint, severity)

    def _without_value(self) -> Iterator[Problem]:
        """A rate that is no number, infinite or negative."""
        key = next(
            (key for key in ("decay_rate", "power", "alpha", "t_mul") if key in self.given), "initial_learning_rate"
        )
        shape = self._usual(key)
        for step, rate in self.rates.items():
            if not math.isfinite(rate):
                message = f"`{self.name}` gives no finite learning rate at step {step:,}: {self.facts}"
                yield self.tell("learning-rate", message, key, shape, "error")
            elif rate < 0:
                message = f"the learning rate is negative at step {step:,}, so training makes the model worse"
                yield self.tell("learning-rate", message, key, shape)

    def _usual(self, key: str) -> str:
        """Return a hint with a usual value of an argument that shapes the decay."""
        if key == "decay_rate" and self.name in _DECAYS:
            return self._usual_decay()
        usual = {"power": "1.0", "alpha": "0.0", "t_mul": "2.0", "m_mul": "1.0"}
        return f"write `{key}: {usual[key]}`" if key in usual else f"write another `{key}`"

    def _usual_decay(self) -> str:
        """Return a hint with a rate of decay, and with steps where those that are written do not go with it."""
        rate = 0.5 if self.name == "InverseTimeDecay" else 0.96
        if self._decays_to(decay_rate=rate):
            return f"write `decay_rate: {rate}`"
        rate = 0.5 if self.name == "InverseTimeDecay" else 0.8
        return f"write `decay_steps: {max(1, self.total // 10)}, decay_rate: {rate}`"

    def _other_steps(self) -> str:
        """Return a hint with `decay_steps` that let the rate fall by a few times its `decay_rate` in the run."""
        for count in (10, 5, 3, 2, 1):
            steps = max(1, self.total // count)
            if self.given["staircase"]:  # in whole epochs, if that leaves more than one stair
                stair = -(-self.total // (count + 1))
                whole = round(stair / self.steps_per_epoch) * self.steps_per_epoch
                steps = whole if 0 < whole < self.total else stair
            if self._decays_to(decay_steps=steps):
                return f"write `decay_steps: {steps}`"
        return self._usual_decay()

    def _decays_to(self, low: float = _LOW, **changes: float) -> bool:
        """Whether the rate ends between `low` and nearly all of its start, if these arguments were written."""
        rate_at = rate_of(self.name, {**self.schedule.object.arguments, **changes})
        start = rate_at(0) if rate_at is not None else 0.0
        return rate_at is not None and start > 0 and low <= rate_at(self.total - 1) / start <= _NEAR

    def _counts_epochs(self) -> Iterator[Problem]:
        """Steps that were meant as epochs."""
        if self.steps_per_epoch == 1:
            return
        bounds = self.given.get("boundaries") if not self._given_in_epochs("boundaries") else None
        if bounds and self._are_epochs(bounds[-1]) and not self._are_epochs(bounds[-1] * self.steps_per_epoch):
            message = (
                f"`boundaries` count steps, not epochs: the last value holds from step {bounds[-1]:g} on: {self.facts}"
            )
            hint = self._boundaries([round(bound * self.steps_per_epoch) for bound in bounds])
            yield self.tell("schedule-steps", message, "boundaries", hint)
        for key in ("decay_steps", "first_decay_steps"):
            steps = self.given.get(key) if not self._given_in_epochs(key) else None
            if steps is None or steps > self.epochs or self.total < _MANY_STEPS * steps or self._is_flat_by_steps():
                continue
            meant, ratio = steps * self.steps_per_epoch, self._last_ratio()
            hint = f"write `{key}: {meant}`"
            if key == "first_decay_steps" and self.steps_per_epoch >= _MANY_STEPS:
                what = "starts anew"
                if meant <= self.epochs:
                    hint = f"write `{key}: {self.total // 4}`"
            elif self.name in _DECAYS and ratio < _LOW:
                what = f"falls to {ratio:.0e} of its start"
                if not self._decays_to(decay_steps=meant, low=_FAR_BELOW if meant > self.epochs else _LOW):
                    hint = self._other_steps()
            else:
                continue
            message = f"`{key}` counts steps, not epochs: the learning rate {what} within the run: {self.facts}"
            yield self.tell("schedule-steps", message, key, hint)

    def _given_in_epochs(self, key: str) -> bool:
        written = nearest(self.draft.tree, self.schedule.argument_path(key)).plain()
        return any(epochs_of(item) is not None for item in (written if isinstance(written, list) else [written]))

    def _are_epochs(self, last: float) -> bool:
        """Whether the last boundary is more likely an epoch than a step."""
        return last <= self.epochs and last <= _EARLY * self.total

    def _boundaries(self, wanted: Sequence[float]) -> str:
        """Return a hint with boundaries that lie within the run: those that do are kept, the others come after them."""
        kept = [bound for bound in wanted if 0 < bound < self.total - 1]
        if any(after <= before for before, after in itertools.pairwise(kept)):
            kept = []
        for start in (kept, []):
            first, more = (start[-1] if start else 0), len(wanted) - len(start)
            gap = (self.total - first) / (more + 1)
            found = [*start, *(round(first + gap * index) for index in range(1, more + 1))]
            if gap > 1 and found[-1] < self.total - 1:
                return f"write `boundaries: [{', '.join(f'{bound:.10g}' for bound in found)}]`"
        return "write fewer boundaries, and a value for each piece"

    def _last_ratio(self) -> float:
        return self.rates[self.total - 1] / self.rates[0] if self.rates[0] else 1.0

    def _is_flat_by_steps(self) -> bool:
        return len(set(self.rates.values())) == 1

    def _warms_up_too_long(self) -> Iterator[Problem]:
        warmup = self.given.get("warmup_steps")
        if warmup == 0 and self.given["warmup_target"] is not None:
            message = "without `warmup_steps`, `warmup_target` replaces `initial_learning_rate` from the start"
            steps = self.total // 10
            hint = f"write `warmup_steps: {steps}, decay_steps: {self.total - steps}`" if steps else "remove it"
            yield self.tell("schedule-idle", message, "warmup_target", hint)
        if warmup and self.given["warmup_target"] is None:
            message = f"`{self.name}` has no warm-up without `warmup_target`: `warmup_steps` has no effect"
            rate = self.given["initial_learning_rate"]
            hint = f"write `initial_learning_rate: 0.0, warmup_target: {rate:g}`"
            yield self.tell("schedule-idle", message, "warmup_steps", hint)
        if self.warmup >= self.total:
            message = f"the learning rate is still warming up when the run ends: {self.facts}"
            warmup = self.total // 10 or 1
            hint = f"write `warmup_steps: {warmup}, decay_steps: {self.total - warmup}`"
            if self.total == 1:
                hint = "remove `warmup_target` and `warmup_steps`"
            yield self.tell("schedule-steps", message, "warmup_steps", hint)

    def _rises(self) -> Iterator[Problem]:
        """A schedule that is to lower the rate, and raises it; one that starts near 0 is a warm-up."""
        start, target = self.rates[0], self.given.get("warmup_target")
        if "values" in self.given:
            yield from self._pieces_rise(start)
            return
        if target is not None and target < self.given["initial_learning_rate"]:
            initial = self.given["initial_learning_rate"]
            message = f"the warm-up lowers the learning rate, from {initial:g} to {target:g}"
            hint = f"write `initial_learning_rate: {target:g}, warmup_target: {initial:g}`"
            yield self.tell("schedule", message, "warmup_target", hint)
        if self.peak <= max(start, target or 0.0) * (1 + 1e-9):
            return
        key = next(
            (key for key in ("decay_rate", "end_learning_rate", "m_mul", "alpha") if key in self.given),
            "initial_learning_rate",
        )
        if key == "m_mul" and self.given["alpha"] > 1:
            key = "alpha"
        argument = (entries.find("schedule", self.name) or entries.Entry("", "", {})).arguments[key]
        written = key == "end_learning_rate" and self.given[key] != argument.default
        if written and start <= _WARM * self.peak:
            return
        message = f"`{self.name}` raises the learning rate, from {start:g} to {self.peak:g}"
        hint = self._usual(key)
        if written:
            hint = f"write `initial_learning_rate: {self.given[key]:g}, end_learning_rate: {start:g}`"
        elif key == "end_learning_rate":
            message += f", because its `end_learning_rate` is {self.given[key]:g} where none is written"
            hint = "write `end_learning_rate: 0.0`"
        yield self.tell("schedule", message, key, hint)

    def _pieces_rise(self, start: float) -> Iterator[Problem]:
        """Pieces that only rise, the last time late in the run: an early rise is the end of a warm-up."""
        bounds, values = self.given["boundaries"], self.given["values"]
        steps = list(zip(bounds, itertools.pairwise(values), strict=True))
        last = max((bound for bound, (before, after) in steps if after > before), default=0)
        if sorted(values) == list(values) and start > 0 and self.total // 2 <= last < self.total:
            message = f"`{self.name}` raises the learning rate, from {start:g} to {values[-1]:g}"
            hint = f"write `values: [{', '.join(f'{value:g}' for value in reversed(values))}]`"
            yield self.tell("schedule", message, "values", hint)

    def _never_changes(self) -> Iterator[Problem]:
        bounds = self.given.get("boundaries")
        late = [bound for bound in bounds or () if bound >= self.total]
        if late:
            message = f"the learning rate never changes at step {late[0]:g}: {self.facts}"
            yield self.tell("schedule-steps", message, "boundaries", self._boundaries(bounds or ()))
        elif self.total > 1 and self._is_flat_by_steps() and self.peak > 0:
            key = next(
                (key for key in ("decay_rate", "alpha", "end_learning_rate", "values") if key in self.given),
                "initial_learning_rate",
            )
            hint = f"write `learning_rate: {self.peak:g}`, or another `{key}`"
            if self.given.get("staircase") and self.given["decay_steps"] >= self.total:
                key, hint = "decay_steps", self._other_steps()
            message = f"the learning rate never changes: it stays at {self.peak:g} to the end of the run"
            yield self.tell("schedule-idle", message, key, hint)

    def _too_short_or_long(self) -> Iterator[Problem]:
        steps, name = self.given.get("decay_steps"), self.name
        if entries.trait("schedule", name, "ends") and steps is not None and not self.given.get("cycle"):
            end = steps + self.warmup
            hint = f"write `decay_steps: {self.total - self.warmup}`"
            if end < self.total * 0.5:
                message = f"the learning rate reaches its end after {end:,} steps and stays there: {self.facts}"
                yield self.tell("schedule-steps", message, "decay_steps", hint)
            elif end > self.total * 2:
                message = f"the run ends long before the schedule, which takes {end:,} steps: {self.facts}"
                yield self.tell("schedule-steps", message, "decay_steps", hint)
        elif name in _DECAYS and self.given["decay_rate"] > 0 and self._last_ratio() < _FAR_BELOW:
            message = f"the learning rate falls to {self._last_ratio():.0e} of its start: {self.facts}"
            yield self.tell("schedule-steps", message, "decay_steps", self._other_steps())

    def _hardly_changes(self) -> Iterator[Problem]:
        low = min(self.rates.values())
        if self.total == 1 or self._is_flat_by_steps() or low < _UNCHANGED * self.peak:
            return
        message = f"the learning rate hardly changes, from {self.peak:g} to {low:g}: {self.facts}"
        keys = ("decay_steps", "first_decay_steps", "values")
        key = next((key for key in keys if key in self.given), "initial_learning_rate")
        if self.name in _DECAYS:
            hint = self._other_steps()
        elif key in ("decay_steps", "first_decay_steps") and self.given[key] > self.total:
            hint = f"write `{key}: {self.total}`"
        else:
            key = next((key for key in ("alpha", "end_learning_rate", "values") if key in self.given), key)
            hint = f"write `learning_rate: {self.peak:g}`, or another `{key}`"
        yield self.tell("schedule-idle", message, key, hint)

    def _at_zero(self) -> Iterator[Problem]:
        """A rate of 0 at the end of the run, or during one of its pieces."""
        first = zero_from(self.rate_at, self.total)
        values, bounds = self.given.get("values") or [], self.given.get("boundaries") or []
        if first > 0 and (self.total - first) >= _MOST_AT_ZERO * self.total:
            message = f"the learning rate is 0 from step {first:,} on, where nothing more is learned: {self.facts}"
            factor = next((key for key in ("decay_rate", "m_mul") if self.given.get(key) == 0), None)
            if factor is not None:
                key, hint = factor, self._usual(factor)
            elif "values" in self.given:
                key, hint = "values", "write a last value above 0"
            else:
                key = "decay_steps" if "decay_steps" in self.given else "first_decay_steps"
                hint = f"write `{key}: {self.total - self.warmup}`"
            yield self.tell("schedule-steps", message, key, hint)
        elif self.peak > 0 and 0 in values[: len(bounds)]:
            index = values.index(0)
            piece = f"up to step {bounds[index]:g}" if index < len(bounds) else "in the last piece"
            message = f"the learning rate is 0 {piece}, where nothing is learned"
            yield self.tell("schedule-steps", message, "values", "write a value above 0")
