"""Shapes of EinsumDense: its equation names the axes of the samples, of the kernel and of the output by letters."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dltrain.config.checks.shapes.terms import Arguments, Inferred, Rule, Shape, ShapeError, learned
from dltrain.config.document.writer import flow

_LETTERS = "([a-zA-Z]+)"
# What Keras takes: the axes that `...` stands for are the first ones, or the last ones, or none.
_FORMS = {
    "none": re.compile(f"{_LETTERS},{_LETTERS}->{_LETTERS}"),
    "first": re.compile(rf"\.\.\.{_LETTERS},{_LETTERS}->\.\.\.{_LETTERS}"),
    "last": re.compile(rf"{_LETTERS}\.\.\.,{_LETTERS}->{_LETTERS}\.\.\."),
}


@dataclass(frozen=True, slots=True)
class Einsum:
    """An equation for samples of one shape.

    Args:
        given, kernel, output: the letters of the axes, the batch among them where `...` does not hold it.
        sizes: of the letters, without the batch.
        before, after: the sizes of the axes that `...` stands for, without the batch.
        batch: the letter of the batch; empty where it is within `...`.
    """

    given: str
    kernel: str
    output: str
    sizes: Mapping[str, int]
    before: Shape
    after: Shape
    batch: str

    @property
    def shape(self) -> Shape:
        """That of the output, per sample."""
        return (*self.before, *(self.sizes[letter] for letter in self.output if letter != self.batch), *self.after)

    @property
    def kernel_shape(self) -> Shape:
        return tuple(self.sizes[letter] for letter in self.kernel)

    def bias_shape(self, axes: str | None) -> Shape:
        """Those from the first of the axes on, the others of size 1; empty for no bias."""
        if axes is None:
            return ()
        letters = self.output[min(self.output.index(letter) for letter in axes) :]
        return (*(self.sizes[letter] if letter in axes else 1 for letter in letters), *(1 for _ in self.after))


def einsum(arguments: Arguments, shape: Shape) -> Einsum:
    """Read the equation of an EinsumDense for samples of `shape`. Raises ShapeError."""
    equation = arguments["equation"]
    elided, (given, kernel, output) = _parse(equation, arguments, shape)
    rank = len(shape) + 1
    free = rank - len(given)
    if free < 0 or (free and elided == "none"):
        count = f"{len(given)} letter{'s' if len(given) > 1 else ''}"
        message = f"has an `equation` with {count} for samples of shape {shape}: with the batch, {rank} axes"
        raise ShapeError(message, _as_dense(arguments, shape), "equation")
    in_dots = elided == "first" and free > 0
    batch = "" if in_dots else given[0]
    before, after = (shape[: free - 1], ()) if in_dots else ((), shape[len(shape) - free :])
    for wrong in _wrong_letters(given, kernel, output, batch):
        raise ShapeError(f"has an `equation` {wrong}: `{equation}`", _as_dense(arguments, shape), "equation")
    axes = shape[free - 1 :] if in_dots else shape[: len(shape) - free]
    known = dict(zip(given if in_dots else given[1:], axes, strict=True))
    sizes = known | _output_sizes(arguments, shape, output.removeprefix(batch), known)
    _check_bias(arguments, output.removeprefix(batch))
    return Einsum(given, kernel, output, sizes, before, after, batch)


def _parse(equation: str, arguments: Arguments, shape: Shape) -> tuple[str, tuple[str, str, str]]:
    for elided, form in _FORMS.items():
        found = form.fullmatch(equation)
        if found is not None and (elided != "last" or len(found[1]) > 1):
            return elided, (found[1], found[2], found[3])
    plain = re.sub(r"\s", "", equation)
    message = f"has an `equation` that is not `samples,kernel->output` in letters: `{equation}`"
    known = plain != equation and any(form.fullmatch(plain) for form in _FORMS.values())
    hint = f"write `equation: {flow(plain)}`" if known else _as_dense(arguments, shape)
    raise ShapeError(message, hint, "equation")


def _wrong_letters(given: str, kernel: str, output: str, batch: str) -> Iterator[str]:
    for part, name in ((given, "samples"), (kernel, "kernel"), (output, "output")):
        for letter in part:
            if part.count(letter) > 1:
                yield f"with `{letter}` twice among the axes of the {name}"
    if batch and not output.startswith(batch):
        yield f"whose output does not begin with the batch, `{batch}`"
    if batch and batch in kernel:
        yield f"whose kernel has an axis for the batch, `{batch}`"
    for letter in output:
        if letter not in given + kernel:
            yield f"whose output has an axis `{letter}` that neither the samples nor the kernel have"
    for letter in kernel:
        if letter not in given + output:
            yield f"whose kernel has an axis `{letter}` that neither the samples nor the output have"


def _as_dense(arguments: Arguments, shape: Shape) -> str:
    """What to write for a layer that works on the last axis of the samples."""
    size = _listed(arguments["output_shape"])[-1]
    letters = "abcdefghijklmnopqrstuvw"[: len(shape)]
    sizes: int | list[int] = [*shape[:-1], size] if len(shape) > 1 else size
    plain = flow(f"{letters}x,xy->{letters}y")
    note = f"`{letters[0]}` is the batch and `x` the last axis of the samples"
    return f"as in `equation: {plain}` with `output_shape: {flow(sizes)}`: {note}"


def _listed(sizes: int | list[int]) -> list[int]:
    return [sizes] if isinstance(sizes, int) else list(sizes) or [1]


def _output_sizes(arguments: Arguments, shape: Shape, letters: str, known: Mapping[str, int]) -> dict[str, int]:
    written = arguments["output_shape"]
    sizes = [written] if isinstance(written, int) else list(written)
    if not letters:
        message = "has an `equation` whose output is one number per sample, without an axis of its own"
        raise ShapeError(message, _as_dense(arguments, shape), "equation")
    spare = [size for size in sizes if size not in known.values()] or [8]
    fitting = [known.get(letter, size) for letter, size in zip(letters, [*sizes, *spare * len(letters)], strict=False)]
    hint = f"write `output_shape: {flow(fitting if len(fitting) > 1 else fitting[0])}`"
    if len(sizes) != len(letters):
        count = f"{len(letters)} axes" if len(letters) > 1 else "one axis"
        message = f"has an `output_shape` of {len(sizes)} numbers, but its `equation` gives the output {count}"
        raise ShapeError(f"{message} beside the batch and `...`", hint, "output_shape")
    for letter, size in zip(letters, sizes, strict=True):
        if known.get(letter, size) != size:
            message = (
                f"has an `output_shape` of {size} for the axis `{letter}`, which is {known[letter]} in its samples"
            )
            raise ShapeError(message, hint, "output_shape")
    return dict(zip(letters, sizes, strict=True))


def _check_bias(arguments: Arguments, letters: str) -> None:
    axes = arguments["bias_axes"]
    if axes is None or (axes and set(axes) <= set(letters)):
        return
    wrong = "".join(sorted(set(axes) - set(letters)))
    what = f"has `{wrong}` in its `bias_axes`, which the output has not" if axes else "has no axis in its `bias_axes`"
    raise ShapeError(what, f"write `bias_axes: {letters[-1]}`, or remove it", "bias_axes")


def _einsum_dense(arguments: Arguments, shape: Shape) -> Inferred:
    read = einsum(arguments, shape)
    kernel, bias = math.prod(read.kernel_shape), math.prod(read.bias_shape(arguments["bias_axes"]))
    bias = bias if arguments["bias_axes"] is not None else 0
    macs = math.prod(read.sizes.values()) * math.prod(read.before) * math.prod(read.after)
    rank = arguments["lora_rank"]
    if rank is None:
        return learned(read.shape, kernel + bias, macs)
    thin = rank * (kernel // read.kernel_shape[-1] + read.kernel_shape[-1])
    return Inferred(read.shape, kernel + thin + bias, thin + bias, macs)


RULES: dict[str, Rule] = {"EinsumDense": _einsum_dense}
