"""Predictions of a run's model for new samples."""

from __future__ import annotations

import contextlib
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from dltrain import runs
from dltrain.calls import flag_of, listener_of
from dltrain.config.catalogue.datasets import input_dtype
from dltrain.config.catalogue.entries import trait
from dltrain.data.arrays import Joined, take
from dltrain.data.facts import Facts
from dltrain.data.learnt.scaling import unscaled
from dltrain.data.samples import Ahead, Beginnings, Samples, paths_of, read_samples, unscored
from dltrain.data.samples import Trained as TrainedOn
from dltrain.data.sources import SOURCES
from dltrain.engine.backends.backend import INFERENCE_BATCH
from dltrain.engine.events import Listener, Noted, Phase, Warned, ignore
from dltrain.engine.model.ahead import LIKELIEST, Choice, choice_of, continued, forecast
from dltrain.engine.model.labels import classes_of, encode, probabilities
from dltrain.engine.model.threshold import metrics_at
from dltrain.engine.trained import OpenedRun, Trained, open_run, restored, trained_on
from dltrain.errors import DataError, Problem, UsageError

if TYPE_CHECKING:
    from dltrain.engine.trained import ModelOutput

STANDARD_INPUT = Path("-")
_MAGIC = {b"\x93NUMPY": ".npy", b"PK\x03\x04": ".npz", b"PAR1": ".parquet"}
_CHUNK = 32 * INFERENCE_BATCH  # samples of which predictions are handed on together
_MOST_STEPS = 100_000


@dataclass(frozen=True, slots=True)
class Predictions:
    """The answers of a model, in the order of the samples.

    Args:
        inputs: where each sample comes from: the file, and its row there, counted from 0.
        outputs: what the model says, float32 of shape (samples, *output shape); of logits, the probabilities that
            softmax or sigmoid makes of them.
        classes: the index of the predicted class at each place, or for each label whether it holds; None for numbers.
        names: the names of classes or labels, by index; of numbers, those that have names.
        probabilities: whether outputs are such.
        boundary: value of a single output between the two answers.
        texts: what follows each text, where that is told token by token: then `classes` and `outputs` have the shape
            (texts, steps), the class of each token and what the model gives it.
    """

    inputs: Sequence[str]
    outputs: np.ndarray
    classes: np.ndarray | None
    names: tuple[str, ...]
    probabilities: bool
    boundary: float = 0.5
    texts: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True, slots=True)
class Predictor:
    """A run's model that is ready to predict, and the samples that it was opened for."""

    trained: Trained
    samples: tuple[Samples, ...]
    like: TrainedOn
    threshold: float | None
    ahead: tuple[Ahead | Beginnings, ...] = ()
    steps: int | None = None
    choice: Choice = LIKELIEST

    @property
    def facts(self) -> Facts:
        """Of the data set that the model was trained on."""
        return self.like.facts

    @property
    def output(self) -> ModelOutput:
        """The meaning of the model's output."""
        return self.trained.output

    def __iter__(self) -> Iterator[Predictions]:
        """Yield predictions, some thousand samples at a time, in bounded memory."""
        if self.steps is not None:
            for ahead in self.ahead:
                if isinstance(ahead, Ahead):
                    yield from self._forecasts(ahead, self.steps)
                else:
                    yield from self._texts(ahead, self.steps)
            return
        x = Joined([given.split.x for given in self.samples])
        for start in range(0, len(x), _CHUNK):
            yield self._of(x, range(start, min(start + _CHUNK, len(x))))

    def _names(self, rows: range) -> list[str]:
        """Return where some of all samples come from."""
        found: list[str] = []
        start = 0
        for given in self.samples:
            inside = range(max(rows.start - start, 0), min(rows.stop - start, len(given)))
            found += given.named(inside) if inside else []
            start += len(given)
        return found

    def _of(self, samples: Joined, rows: range) -> Predictions:
        model, dtype = self.trained.built.model, self.trained.input.dtype
        outputs = []
        for start in range(rows.start, rows.stop, INFERENCE_BATCH):
            x = np.asarray(samples[start : min(start + INFERENCE_BATCH, rows.stop)]).astype(dtype)
            x = x if self.like.scale == 1.0 else x * np.float32(self.like.scale)
            outputs.append(np.asarray(model.predict_on_batch(x), np.float32))
        found = np.concatenate(outputs)
        if self.output.from_logits and self.facts.targets != "numbers":
            found = probabilities(found, sigmoid=self.facts.targets == "flags" or found.shape[-1] == 1)
        found = unscaled(found, self.facts.target_scales)
        inputs = self._names(rows)
        return Predictions(
            inputs,
            found,
            self._classes(found),
            self.facts.labels or self.facts.target_names,
            self._are_probabilities(),
            self.output.boundary,
        )

    def _forecasts(self, ahead: Ahead, steps: int) -> Iterator[Predictions]:
        """Yield forecasts of shape (series, steps, columns); those so far are the end of the window of the next."""
        scales = self.facts.target_scales[: len(ahead.order)]
        columns = tuple(map(str, (self.like.learnt or {}).get("series", {}).get("target", ())))
        for start in range(0, len(ahead.ends), INFERENCE_BATCH):
            rows = slice(start, start + INFERENCE_BATCH)
            outputs = unscaled(forecast(self._told, ahead.ends[rows], ahead.rate, ahead.order, steps), scales)
            yield Predictions(ahead.names[rows], outputs, None, columns, False)

    def _texts(self, ahead: Beginnings, steps: int) -> Iterator[Predictions]:
        """Yield what follows texts: each token that is told is the last one of the next window."""
        for start in range(0, len(ahead.windows), INFERENCE_BATCH):
            rows, allowed = slice(start, start + INFERENCE_BATCH), list(ahead.tokens)
            tokens, outputs = continued(self._next, ahead.windows[rows], allowed, steps, self.choice, start)
            texts = [ahead.between.join(ahead.tokens[token] for token in row) for row in tokens.tolist()]
            told = (self.facts.labels, self._are_probabilities(), self.output.boundary, texts)
            yield Predictions(ahead.names[rows], outputs, tokens, *told)

    def _told(self, windows: np.ndarray) -> np.ndarray:
        x = windows.astype(self.trained.input.dtype)
        return np.asarray(self.trained.built.model.predict_on_batch(x), np.float32)

    def _next(self, windows: np.ndarray) -> np.ndarray:
        """Return what the model gives each class behind windows, of shape (windows, classes)."""
        found = self._told(windows).reshape(len(windows), -1, self.output.shape[-1])[:, -1]
        return probabilities(found, sigmoid=False) if self.output.from_logits else found

    def _classes(self, outputs: np.ndarray) -> np.ndarray | None:
        if self.facts.targets == "numbers":
            return None
        least = self.threshold
        if least is None:
            least = 0.5 if self.output.from_logits else self.output.boundary
        return outputs > least if self.facts.targets == "flags" else classes_of(outputs, least)

    def _are_probabilities(self) -> bool:
        if self.facts.targets == "numbers":
            return False
        loss = self.trained.opened.plan.spec.train.loss.name
        return bool(trait("loss", loss, "probabilities"))

    def score(self) -> dict[str, float] | None:
        """Return loss and metrics over all samples that have targets; None if a file has none, and of forecasts.

        Metrics that divide answers into yes and no do so at the threshold, unless they have one of their own.
        """
        if self.steps is not None or not all(given.labelled for given in self.samples):
            return None
        x = Joined([g.split.x if g.scored is None else take(g.split.x, g.scored) for g in self.samples])
        y = None
        if self.facts.task != "reconstruction":
            y = Joined([given.split.y for given in self.samples])
        built, backend, like = self.trained.built, self.trained.session.backend, self.like
        targets = encode(y, built.encoding, self.facts.classes)
        dtype = input_dtype(self.facts, self.trained.opened.plan.spec.model.layers)
        pipeline = backend.input_pipeline(x, targets, like.scale, "stream", dtype, like.target_scale)
        return dict(backend.measure(built.model, pipeline.in_order()))


@contextmanager
def predictor(
    run: runs.Run | Path | str,
    inputs: Sequence[Path | str],
    *,
    threshold: float | None = None,
    steps: int | None = None,
    temperature: float | None = None,
    seed: int | None = None,
    runs_dir: Path | str = "runs",
    owns_process: bool = False,
    on_event: Listener = ignore,
) -> Iterator[Predictor]:
    """Open a run's best weights and the samples of files, for use inside the block.

    Args:
        run: the run, its directory, or a reference to it.
        inputs: files with samples as those of the training: a table, texts, images or folders of them, or arrays in
            npz and npy files, where `x` has the samples; patterns such as `photos/*.jpg`; `-`, standard input. Where
            there are targets, they can be scored.
        threshold: probability above which a yes-or-no answer, or a label of several, is a yes; metrics take it too.
        steps: how far to go on beyond the end of the inputs, each step from those before it: steps of a series, or
            tokens of a text.
        temperature: of such texts, how freely tokens are drawn: 1, as the model says; without it, the likeliest follow.
        seed: of what is drawn.
        runs_dir: directory in which runs are looked up.
        owns_process: whether the process exits afterwards, as a command does.
        on_event: called with each event of `engine.events`.

    Raises:
        UsageError: no such run, or a threshold for a model that has none.
        DataError: a file is missing or damaged, or its samples are not like those of the run.
        RunError: the run has no checkpoint, is damaged, or does not say what its samples are like.
    """
    listener_of(on_event)
    flag_of(owns_process, "`owns_process`")
    opened = open_run(run, runs_dir=runs_dir)
    like = trained_on(opened)
    with ExitStack() as kept:
        on_event(Phase("reading samples"))
        given = tuple(_samples_of(path, opened, like, kept) for path in paths_of(inputs))
        notes = [note for samples in given for note in samples.notes]
        notes += unscored(given) if steps is None else []
        if notes:
            on_event(Warned(tuple(Problem("files", note, severity="warning") for note in notes)))
        ahead = _ahead_of(given, steps)
        if threshold is not None:
            opened, unmoved = _scored_at(threshold, opened, like.facts)
            if unmoved and all(samples.labelled for samples in given):
                on_event(Warned((Problem("threshold", unmoved, severity="warning"),)))
        choice = choice_of(temperature, seed, texts=any(isinstance(each, Beginnings) for each in ahead))
        with restored(opened, owns_process=owns_process, on_event=on_event) as trained:
            _check_threshold(threshold, like.facts, trained)
            if threshold is not None and like.facts.targets == "classes":
                on_event(Noted(f"above {threshold:g}, the answer is `{like.facts.labels[1]}`"))
            on_event(Phase("predicting"))
            yield Predictor(trained, given, like, threshold, ahead, steps, choice)


def _ahead_of(given: Sequence[Samples], steps: int | None) -> tuple[Ahead | Beginnings, ...]:
    """Return what predictions continue. Raises UsageError or DataError where they cannot."""
    if steps is None:
        return ()
    if type(steps) is not int or not 1 <= steps <= _MOST_STEPS:
        raise UsageError(f"{steps!r} steps cannot be told", f"a number from 1 to {_MOST_STEPS:,}")
    found = [samples.ahead for samples in given if samples.ahead is not None]
    if len(found) < len(given):
        message = "steps are for forecasts of a series, or of what follows in a long text"
        raise UsageError(message, "the run was trained on another kind of data")
    return tuple(ahead() for ahead in found)


def _samples_of(path: Path, opened: OpenedRun, like: TrainedOn, kept: ExitStack) -> Samples:
    """Read samples in the way of the run's data set; those of standard input, `-`, by way of a file that is kept."""
    if path != STANDARD_INPUT:
        _check_plain(path)
        return _samples_in(path, opened, like)
    folder = kept.enter_context(tempfile.TemporaryDirectory(prefix="dltrain-"))
    file = _kept(sys.stdin.buffer, Path(folder))
    try:
        found = _samples_in(file, opened, like)
        if (ahead := found.ahead) is not None:
            found = replace(found, ahead=lambda: _renamed(ahead(), str(file)))
    except DataError as error:
        raise DataError(str(error).replace(str(file), "standard input"), error.hint) from None
    names = [name.replace(str(file), "-") for name in found.names] if found.names is not None else None
    notes = tuple(note.replace(str(file), "standard input") for note in found.notes)
    return replace(found, file="-", names=names, notes=notes)


def _check_plain(path: Path) -> None:
    """Raise UsageError for a pipe or a device, which may never end; what is not there is told by its reader."""
    with contextlib.suppress(OSError, ValueError):
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            hint = "`-` is standard input, as in `… | dltrain predict RUN -`"
            raise UsageError(f"{path} is neither a file nor a folder", hint)


def _renamed(ahead: Ahead | Beginnings, file: str) -> Ahead | Beginnings:
    return replace(ahead, names=[name.replace(file, "-") for name in ahead.names])


def _kept(stream: IO[bytes], folder: Path) -> Path:
    """Write what a stream holds to a file, whose name says what its first bytes do."""
    head = stream.read(16)
    suffix = next((suffix for magic, suffix in _MAGIC.items() if head.startswith(magic)), ".txt")
    path = folder / f"input{suffix}"
    with path.open("wb") as file:
        file.write(head)
        shutil.copyfileobj(stream, file, 2**20)
    return path


def _samples_in(path: Path, opened: OpenedRun, like: TrainedOn) -> Samples:
    chosen = opened.plan.spec.data.dataset
    source = SOURCES.get(chosen.name)
    if source is None or source.samples is None:
        return read_samples(path, like, chosen.arguments)
    return source.samples(path, source.filled(chosen.arguments), like)


def _scored_at(threshold: float, opened: OpenedRun, facts: Facts) -> tuple[OpenedRun, str]:
    """Return the run with metrics that divide answers at a probability, as its predictions, and what cannot be so."""
    if facts.targets == "numbers" or not 0 < threshold < 1:
        return opened, ""  # which is told as soon as the model is there
    train = opened.plan.spec.train
    metrics, kept = metrics_at(threshold, train, single=facts.targets == "classes")
    told = f"{', '.join(kept)} of logits cannot count at {threshold:g}: told as in training" if kept else ""
    spec = opened.plan.spec.model_copy(update={"train": train.model_copy(update={"metrics": metrics})})
    return replace(opened, plan=replace(opened.plan, spec=spec)), told


def _check_threshold(threshold: float | None, facts: Facts, trained: Trained) -> None:
    if threshold is None:
        return
    one = facts.targets == "classes" and trained.output.shape[-1] == 1
    if not (one or facts.targets == "flags"):
        message = "a threshold is for answers of yes or no"
        hint = "this model picks the class with the largest output, or predicts numbers"
        if facts.targets == "classes" and facts.classes == 2:
            hint = "of two outputs the larger counts: end the model in `Dense: {units: 1, activation: sigmoid}`"
        raise UsageError(message, hint)
    if not trait("loss", trained.opened.plan.spec.train.loss.name, "probabilities"):
        raise UsageError("a threshold is a probability", "the loss of this model makes no probabilities of its outputs")
    if not 0 < threshold < 1:
        raise UsageError(f"a threshold of {threshold:g} makes no sense", "a probability between 0 and 1")


def predict(
    run: runs.Run | Path | str,
    inputs: Path | str | Sequence[Path | str],
    *,
    threshold: float | None = None,
    steps: int | None = None,
    temperature: float | None = None,
    seed: int | None = None,
    runs_dir: Path | str = "runs",
    owns_process: bool = False,
    on_event: Listener = ignore,
) -> Predictions:
    """Predict with a run's best weights; arguments and errors are those of `predictor`."""
    paths = [inputs] if isinstance(inputs, Path | str) else list(inputs)
    options: dict[str, Any] = {"threshold": threshold, "steps": steps, "temperature": temperature, "seed": seed}
    options |= {"runs_dir": runs_dir}
    with predictor(run, paths, owns_process=owns_process, on_event=on_event, **options) as opened:
        parts = list(opened)
        del opened  # the session frees what nothing names
    classes = [part.classes for part in parts if part.classes is not None]
    return Predictions(
        [name for part in parts for name in part.inputs],
        np.concatenate([part.outputs for part in parts]),
        np.concatenate(classes) if classes else None,
        parts[0].names,
        parts[0].probabilities,
        parts[0].boundary,
        [text for part in parts for text in part.texts or ()] if parts[0].texts is not None else None,
    )
