"""PNG files of a data set: samples, classes or targets, features, windows of a series."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dltrain.data.arrays import Array, Dataset, Split
from dltrain.data.overview.names import feature_names, target_names
from dltrain.data.overview.summary import Summary, target_of, targets_in_unit
from dltrain.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHEET = (5, 8)  # rows and columns of samples
_WINDOWS = (4, 3)
_MOST_LINES = 8  # columns of a series
_MOST_BARS = 50  # classes
_MOST_FEATURES = 36
_MOST_ROWS = 100_000  # of a histogram
_MOST_LETTERS, _OF_IMAGE = 24, 16
_PLAIN: dict[Any, Any] = {
    "text.parse_math": False,  # a label may have dollars
    "font.size": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
}


def write(dataset: Dataset, summary: Summary, directory: Path, augmented: np.ndarray | None = None) -> tuple[Path, ...]:
    """Draw what there is to draw of a data set into PNG files of a directory, which is made, and return their paths.

    `samples.png` has images with their targets, `windows.png` samples of (steps, features) with theirs, `targets.png`
    the classes or the distribution of the targets, `features.png` that of each feature where they are few, and
    `augmented.png` what chance has made of the images that `samples_of` returns, of shape (times, images, …).
    Raises UsageError if they cannot be written.
    """
    draw: dict[str, Callable[[], Figure]] = {}
    if is_image(dataset):
        draw["samples"] = lambda: _sheet(dataset)
    elif len(dataset.facts.shape) == 2:
        draw["windows"] = lambda: _windows(dataset)
    if augmented is not None:
        draw["augmented"] = lambda: _augmented(dataset, augmented)
    if dataset.train.y is not None:
        draw["targets"] = lambda: _classes(summary) if summary.classes else _targets(dataset)
    if len(dataset.facts.shape) == 1 and 0 < len(summary.features) <= _MOST_FEATURES:
        draw["features"] = lambda: _features(dataset, summary)
    written: list[Path] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _plain():
            for name, figure in draw.items():
                written.append(directory / f"{name}.png")
                _save(figure(), written[-1])
    except OSError as error:
        raise UsageError(f"cannot write pictures into {directory}: {error.strerror or error}") from None
    return tuple(written)


def _save(figure: Figure, path: Path) -> None:
    """Write a picture whole or not at all."""
    picture = io.BytesIO()
    figure.savefig(picture, dpi=120, format="png")
    unfinished = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        unfinished.write_bytes(picture.getbuffer())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def is_image(dataset: Dataset) -> bool:
    """Return whether samples are images: of (height, width, channels), or bytes of (height, width)."""
    shape = dataset.facts.shape
    grey = len(shape) == 2 and min(shape) >= 8 and dataset.train.x.dtype == np.uint8
    return grey or (len(shape) == 3 and shape[-1] in (1, 3, 4))


@contextmanager
def _plain() -> Iterator[None]:
    """Draw as Matplotlib does by default, whatever the user's own style is."""
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_PLAIN)
        warnings.filterwarnings("ignore", "Glyph")  # a letter that the font lacks
        yield


def _figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(size[0] * columns, size[1] * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def chosen(split: Split, classes: int, count: int) -> np.ndarray:
    """Return positions of samples to show: the first of each class in turn, or some at equal distances."""
    labels = np.asarray(split.y) if classes and split.y is not None else np.empty((0, 0))
    if labels.ndim != 1:
        return np.unique(np.linspace(0, len(split) - 1, min(count, len(split))).astype(np.int64))
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order])
    rank = np.arange(len(order)) - starts
    turn = np.lexsort((labels[order], rank))
    return order[turn[:count]]


def samples_of(dataset: Dataset, count: int = _SHEET[1]) -> np.ndarray:
    """Return some training samples as the model gets them, of all classes: float32 of shape (samples, …)."""
    rows = chosen(dataset.train, len(dataset.facts.labels), count)
    return _taken(dataset.train.x, rows).astype(np.float32) * np.float32(dataset.scale)


def _sheet(dataset: Dataset) -> Figure:
    count = _SHEET[0] * _SHEET[1]
    rows = chosen(dataset.train, len(dataset.facts.labels), count)
    titles = [_title(target_of(dataset, dataset.train, int(row)), _OF_IMAGE) for row in rows]
    return _images(samples_of(dataset, count), titles)


def _augmented(dataset: Dataset, augmented: np.ndarray) -> Figure:
    """Draw some images, and below each what chance has made of it."""
    images = samples_of(dataset)
    titles = ["as it is"] * len(images) + ["augmented"] * (len(augmented) * len(images))
    return _images(np.concatenate([images, *augmented]), titles, len(images))


def _images(images: np.ndarray, titles: list[str], columns: int = _SHEET[1]) -> Figure:
    """Return a sheet of images of shape (images, height, width, channels) or (images, height, width).

    One sheet has one range of brightness: 0 to 1 where all values are inside it, else from the lowest to the highest.
    """
    columns = min(columns, max(1, len(images)))
    figure, places = _figure(-(-len(images) // columns), columns, (1.3, 1.45))
    finite = images[np.isfinite(images)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if 0 <= low <= high <= 1:
        low, high = 0.0, 1.0
    shown = np.clip((np.nan_to_num(images) - low) / ((high - low) or 1.0), 0, 1)
    if shown.ndim == 4 and shown.shape[-1] == 1:
        shown = shown[..., 0]
    for place, axes in enumerate(places):
        axes.set_axis_off()
        if place < len(shown):
            axes.imshow(shown[place], cmap="gray", vmin=0, vmax=1)
            axes.set_title(titles[place])
    return figure


def _windows(dataset: Dataset) -> Figure:
    """Draw samples of (steps, features) as lines; the numbers of a forecast follow as dots."""
    count = _WINDOWS[0] * _WINDOWS[1]
    rows = chosen(dataset.train, len(dataset.facts.labels), count)
    figure, places = _figure(*_WINDOWS, (3.2, 2.0))
    names = feature_names(dataset) or [str(place) for place in range(dataset.facts.shape[-1])]
    ahead = _forecast(dataset)
    samples = samples_of(dataset, count)
    for axes, window, row in zip(places, samples, rows, strict=False):
        for column in range(min(_MOST_LINES, window.shape[-1])):
            axes.plot(window[:, column], color=f"C{column}", linewidth=1, label=_short(names[column]))
        if ahead:
            numbers = np.asarray(dataset.train.y[row : row + 1])[0].reshape(-1, len(ahead))
            steps = np.arange(len(window), len(window) + len(numbers))
            for place, name in enumerate(ahead):
                color = f"C{names.index(name)}" if name in names[:_MOST_LINES] else "black"
                axes.plot(steps, numbers[:, place], "o", color=color, markersize=3)
        else:
            axes.set_title(_title(target_of(dataset, dataset.train, int(row))))
    for axes in places[len(rows) :]:
        axes.set_axis_off()
    if dataset.facts.shape[-1] > 1:
        places[0].legend(fontsize=6)
    return figure


def _forecast(dataset: Dataset) -> list[str]:
    """Return the columns that a forecast is of; none where targets are something else."""
    series: Mapping[str, Any] = (dataset.learnt or {}).get("series", {})
    return list(series.get("target", ())) if dataset.facts.task == "regression" else []


def _classes(summary: Summary) -> Figure:
    """Draw the samples of each class in each split as bars."""
    names = [_short(name) for name in summary.classes[:_MOST_BARS]]
    height = max(2.0, 0.25 * len(names) + 0.8)
    figure, places = _figure(1, len(summary.splits), (8 / len(summary.splits), height))
    for axes, split in zip(places, summary.splits, strict=True):
        bars = axes.barh(range(len(names)), split.counts[:_MOST_BARS], color="C0")
        axes.bar_label(bars, fontsize=6, padding=2)
        axes.set_yticks(range(len(names)), names if axes is places[0] else [""] * len(names))
        axes.invert_yaxis()
        axes.margins(x=0.2, y=0.01)
        axes.set_title(f"{split.name}: {split.samples:,}")
    if len(summary.classes) > _MOST_BARS:
        places[0].set_xlabel(f"the first {_MOST_BARS} of {len(summary.classes):,}")
    return figure


def _targets(dataset: Dataset) -> Figure:
    """Draw the distribution of each number of the targets, in the unit of the source."""
    y = targets_in_unit(dataset, _spread(dataset.train.y)) * np.float32(dataset.target_scale)
    names, units = target_names(dataset), dataset.facts.units
    if len(units) == len(names):
        names = [f"{name} ({unit})" if unit else name for name, unit in zip(names, units, strict=True)]
    if len(names) > _MOST_FEATURES:
        names = ["all targets"]
    return _histograms(y.reshape(-1, len(names)), names)


def _features(dataset: Dataset, summary: Summary) -> Figure:
    names = [feature.name for feature in summary.features]
    return _histograms(_spread(dataset.train.x).astype(np.float64) * dataset.scale, names)


def _histograms(columns: np.ndarray, names: list[str]) -> Figure:
    across = min(4, len(names))
    figure, places = _figure(-(-len(names) // across), across, (2.4 if across > 1 else 5.0, 1.8 if across > 1 else 3.0))
    for place, axes in enumerate(places):
        if place >= len(names):
            axes.set_axis_off()
            continue
        values = columns[:, place]
        axes.hist(values[np.isfinite(values)], bins=30, color="C0")
        axes.set_title(_short(names[place]))
    return figure


def _taken(array: Array, rows: np.ndarray) -> np.ndarray:
    """Return some samples in the order of `rows`; of a file, each is read by itself."""
    return np.concatenate([np.asarray(array[row : row + 1]) for row in rows.tolist()])


def _spread(array: Array) -> np.ndarray:
    """Return all rows, or some at equal distances."""
    step = max(1, -(-len(array) // _MOST_ROWS))
    return np.asarray(array[::step])


def _title(target: str | tuple[str, ...] | tuple[float, ...] | None, letters: int = _MOST_LETTERS) -> str:
    if target is None:
        return ""
    parts = [target] if isinstance(target, str) else [p if isinstance(p, str) else f"{p:.3g}" for p in target]
    return _short(" ".join(parts[:letters]), letters)


def _short(text: str, letters: int = _MOST_LETTERS) -> str:
    """Return text without control characters, and not too long for a title."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text)
    return plain if len(plain) <= letters else f"{plain[: letters - 1]}…"
