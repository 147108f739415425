"""Tokens of texts -> samples, by the vocabulary that is learnt from the training split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dltrain.data import values
from dltrain.data.arrays import Array, Division, Made, Prepared, RawDataset, Split
from dltrain.data.facts import Facts, Scale
from dltrain.data.learnt.scaling import scaled
from dltrain.data.tables.preparing import learn_targets
from dltrain.data.tables.splits import scales_of
from dltrain.data.text.form import Form
from dltrain.data.text.ragged import Ragged
from dltrain.data.text.vocabulary import Vocabulary, learn_vocabulary

_MOST_TOLD = 6


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts of all splits before anything is learnt from them.

    Args:
        facts: of the data set, with the task.
        form: what becomes of a text.
        words: the tokens of all splits by their codes.
        splits: texts as `Ragged`, and targets.
        division: how shares are held out.
        notes: what reading has found.
        target_scale: how the targets of a regression are scaled.
    """

    facts: Facts
    form: Form
    words: Sequence[str]
    splits: Mapping[str, Split]
    division: Division
    notes: tuple[str, ...] = ()
    target_scale: str | None = None

    def raw(self) -> RawDataset:
        """Return the data set."""
        train = self.splits["train"]
        none = train.take(np.empty(0, np.int64))
        counts = {split: len(self.splits.get(split, ())) for split in ("train", "test", "validation")}
        return RawDataset(
            replace(self.facts, **counts),  # type: ignore[arg-type]
            1.0,
            train,
            self.splits.get("test", none),
            self.splits.get("validation"),
            notes=self.notes,
            division=self.division,
            learn=self._learn,
        )

    def _learn(self, training: Split, learnt: Mapping[str, Any] | None) -> Prepared:
        scales: tuple[Scale, ...] = ()
        if learnt is not None:
            vocabulary, scales = Vocabulary.from_json(self.form, learnt), scales_of(learnt)
        else:
            counts = np.bincount(training.x.tokens, minlength=len(self.words))
            vocabulary = learn_vocabulary(self.form, counts, self.words, training.x)
            if self.facts.task == "regression":
                scales = learn_targets(np.asarray(training.y), self.target_scale)
        read, numbers = vocabulary.reading(self.words)

        def apply(split: Split) -> Split:
            y = scaled(np.asarray(split.y), scales) if self.facts.task == "regression" else split.y
            return Split(encoded(read(split.x), vocabulary, numbers), y, split.weight)

        counts_known = {split: len(self.splits.get(split, ())) for split in ("train", "test", "validation")}
        known = replace(self.facts, target_scales=scales, **counts_known)  # type: ignore[arg-type]
        return Prepared(known, apply, {**learnt_json(vocabulary), "target": [asdict(scale) for scale in scales]})


def learnt_json(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return what was learnt of texts as plain data."""
    return {"text": vocabulary.to_json()}


def encoded(texts: Ragged, vocabulary: Vocabulary, numbers: np.ndarray) -> Array:
    """Return samples: an array, or where that is large, one whose rows are made when they are asked for."""
    dtype = np.int32 if vocabulary.form.whole else np.float32
    shape = (len(texts), *vocabulary.form.shape)
    return made(shape, dtype, lambda rows: vocabulary.encode(texts[rows], numbers))


def made(shape: tuple[int, ...], dtype: Any, make: Callable[[np.ndarray], np.ndarray]) -> Array:
    """Return an array, or where that is large, one whose rows are made when they are asked for."""
    found = Made(shape, dtype, make)
    return found if found.nbytes > values.LARGEST_READ else found[:]


def empty_told(texts: Ragged, file: str, name: Callable[[int], str]) -> list[str]:
    """Return what is said of texts without a token; `name` gives the place of a text in the file."""
    rows = np.flatnonzero(texts.lengths == 0)
    if not len(rows):
        return []
    shown = ", ".join(name(int(row)) for row in rows[:_MOST_TOLD]) + (", …" if len(rows) > _MOST_TOLD else "")
    return [f"{len(rows):,} of {len(texts):,} texts of {file} have no token: {shown}"]
