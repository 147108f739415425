"""Generators of synthetic samples that a small network can learn and a linear model cannot."""

from __future__ import annotations

import math

import numpy as np

from dltrain.data.arrays import Split

_WAVES = 4  # cosines along an axis of a smooth field, the constant included
_TEACHER_UNITS = 8
_TEACHER_GAIN = 1.5  # standard deviation of the input of a tanh: bent, but not saturated
_LAW, _TRAIN, _TEST = range(3)  # the random streams of one seed


def _stream(seed: int, purpose: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, purpose]))


def classification(
    shape: tuple[int, ...], classes: int, samples: tuple[int, int], noise: float, seed: int
) -> tuple[Split, Split]:
    """Draw two clouds per class, around a smooth field p and around its negative:

        x = (s·p[class] + noise·e) / scale,    s = ±1,    e ~ N(0, 1) for every element

    p has unit root mean square (`_smooth_fields` describes the case of very many classes), so `noise` is the
    ratio of noise to signal in one element; `scale` brings x to unit variance. Classes are balanced, give or
    take one sample, and so are the signs: every class has the mean 0, so that a linear model can do little
    better than guess.
    """
    fields = _smooth_fields(shape, classes, _stream(seed, _LAW))
    scale = math.hypot(math.sqrt(np.square(fields).mean()), noise)
    prototypes = (np.stack([fields, -fields]) / scale).astype(np.float32)

    def draw(count: int, generator: np.random.Generator) -> Split:
        number = generator.permutation(count)
        labels, signs = number % classes, number // classes % 2
        x = generator.standard_normal((count, *shape), np.float32)
        x *= np.float32(noise / scale)
        x += prototypes[signs, labels]
        return Split(x, labels.astype(np.int64))

    return draw(samples[0], _stream(seed, _TRAIN)), draw(samples[1], _stream(seed, _TEST))


def regression(shape: tuple[int, ...], samples: tuple[int, int], noise: float, seed: int) -> tuple[Split, Split]:
    """Draw the outputs of a teacher network with one hidden layer, plus noise:

        t = Σ a[j]·tanh(w[j]·x + b[j]),    y = ((t - mean t) / std t + noise·e) / sqrt(1 + noise²)

    with every element of x and e ~ N(0, 1), and smooth w. Mean and deviation are the training split's. Even a
    perfect model has a mean squared error of noise² / (1 + noise²).
    """
    law = _stream(seed, _LAW)
    weights = _smooth_fields(shape, _TEACHER_UNITS, law) * (_TEACHER_GAIN / math.sqrt(math.prod(shape)))
    biases, outputs = law.standard_normal((2, _TEACHER_UNITS))

    def draw(count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x = generator.standard_normal((count, *shape), np.float32)
        t = np.zeros(count)
        for weight, bias, output in zip(weights.astype(np.float32), biases, outputs, strict=True):
            # Not a matrix product: its order of summation, and so the last bits, would depend on the BLAS.
            inside = (x * weight).sum(axis=tuple(range(1, x.ndim)), dtype=np.float64)
            t += output * np.tanh(inside + bias)
        return x, t, generator.standard_normal(count)

    draws = [draw(samples[0], _stream(seed, _TRAIN)), draw(samples[1], _stream(seed, _TEST))]
    mean, deviation, scale = draws[0][1].mean(), draws[0][1].std() or 1.0, math.hypot(1, noise)
    train, test = (
        Split(x, ((t - mean) / (deviation * scale) + noise / scale * e).astype(np.float32)[:, None])
        for x, t, e in draws
    )
    return train, test


def _smooth_fields(shape: tuple[int, ...], count: int, generator: np.random.Generator) -> np.ndarray:
    """Draw `count` different fields that vary slowly along every axis of an image or a sequence.

    A field is a random sum of the `_WAVES` slowest cosines of each axis. Plain features have no order: with
    one axis, every value is independent. Fields are orthogonal and have unit root mean square; once all
    directions are used, the next round has root mean square 2, then 3, and so on.

    Returns: float64, shape (count, *shape).
    """
    waves = shape if len(shape) == 1 else tuple(min(size, _WAVES) for size in shape)
    room = math.prod(waves)
    fields = np.empty((count, *shape))
    for number in range(count):
        field = generator.standard_normal(waves)
        if len(shape) > 1:
            for size in shape:  # each turn sums the first axis away and appends its values in space
                field = (field[..., None] * _cosines(size, field.ndim)).sum(axis=0)
        for other in fields[number - number % room : number]:
            field -= (field * other).mean() / np.square(other).mean() * other
        fields[number] = field * ((1 + number // room) / math.sqrt(np.square(field).mean()))
    return fields


def _cosines(size: int, axes: int) -> np.ndarray:
    """Return the slowest cosines of an axis. Returns: shape (waves, 1, …, 1, size), `axes` + 1 in all."""
    waves = np.arange(min(size, _WAVES)).reshape(-1, *[1] * axes)
    return np.cos(np.pi * waves * (np.arange(size) + 0.5) / size)
