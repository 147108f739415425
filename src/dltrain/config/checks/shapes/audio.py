"""Shapes of layers that turn audio into spectrograms."""

from __future__ import annotations

import math

from dltrain.config.checks.shapes.terms import (
    Arguments,
    Inferred,
    Rule,
    Shape,
    ShapeError,
    check_space,
    join,
    learned,
    mismatch,
    reshape,
    split,
    window,
)
from dltrain.config.schema import KerasObject


def _stft(arguments: Arguments, shape: Shape) -> Inferred:
    """A convolution with the real and the imaginary parts of a Fourier transform as its kernels."""
    check_space("STFTSpectrogram", shape, 1)
    length, step, bins = _frames(arguments)
    (steps,), channels = split(arguments, shape)
    frames = window(arguments, (steps,), "frame_length", (step,), (1,))
    kernels = 1 if arguments["mode"] in ("real", "imag") else 2
    features = 2 * bins if arguments["mode"] == "stft" else bins
    first = arguments["data_format"] == "channels_first"
    weights, macs = kernels * length * bins, kernels * length * bins * frames[0] * channels
    if arguments["expand_dims"]:
        return learned(join(arguments, (*frames, features), channels), weights, macs)
    return learned((features * channels, *frames) if first else (*frames, features * channels), weights, macs)


def _frames(arguments: Arguments) -> tuple[int, int, int]:
    """Return the samples of a frame, those between two, and the frequencies. Raises ShapeError."""
    length, step, fft = arguments["frame_length"], arguments["frame_step"], arguments["fft_length"]
    if step is not None and step > length:
        hint = f"write `frame_step: {length}` or less"
        raise ShapeError(f"has a `frame_step` above its `frame_length` of {length}", hint, "frame_step")
    if step is None and length == 1:
        hint = "write a longer one, such as `frame_length: 256`"
        raise ShapeError("has a `frame_length` of 1, and half of it as `frame_step`", hint, "frame_length")
    power = 2 ** math.ceil(math.log2(length))
    if fft is not None and fft < length:
        hint = f"write `fft_length: {power}`"
        raise ShapeError(f"has an `fft_length` below its `frame_length` of {length}", hint, "fft_length")
    fft = fft or power
    if fft == 1 and arguments["mode"] == "psd":
        key = "fft_length" if arguments["fft_length"] else "frame_length"
        raise ShapeError(
            f"needs two frequencies or more for `mode: psd`, and its `{key}` is 1", f"write `{key}: 2`", key
        )
    return length, step or length // 2, fft // 2 + 1


def _mel(arguments: Arguments, shape: Shape) -> Inferred:
    """Frames around every `sequence_stride`-th sample: the ends are padded with their reflection."""
    fft, stride, bins = arguments["fft_length"], arguments["sequence_stride"], arguments["num_mel_bins"]
    sequence = arguments["sequence_length"]
    if len(shape) != 1:
        cure: KerasObject | str = reshape(shape[0]) if math.prod(shape) == shape[0] else "it takes one channel"
        raise mismatch(shape, "(samples,)", cure)
    if sequence is not None and sequence > fft:
        hint = f"write `sequence_length: {fft}` or less"
        raise ShapeError(f"has a `sequence_length` above its `fft_length` of {fft}", hint, "sequence_length")
    if fft // 2 >= shape[0]:
        key = "fft_length"
        message = f"pads both ends with half of its `{key}` of {fft}, which {shape} is too short for"
        raise ShapeError(message, f"write `{key}: {2 * shape[0] - 1}` or less", key)
    if arguments["dtype"] == "float64":
        raise ShapeError("cannot compute in `float64`", "remove `dtype`", "dtype")
    _check_frequencies(arguments)
    frames, foreseen = _mel_frames(shape[0], fft, stride), _foreseen(shape[0], stride)
    if frames != foreseen:
        other = next(n for n in range(stride, shape[0] + 3) if _mel_frames(shape[0], fft, n) == _foreseen(shape[0], n))
        message = f"outputs {frames} frames of samples of shape {shape}, but Keras foresees {foreseen}"
        raise ShapeError(message, f"write `sequence_stride: {other}`", "sequence_stride")
    return Inferred((bins, frames))


def _mel_frames(samples: int, fft: int, stride: int) -> int:
    return 1 + (samples - fft % 2) // stride


def _foreseen(samples: int, stride: int) -> int:
    return 1 + (samples + 1) // stride


def _check_frequencies(arguments: Arguments) -> None:
    low, high = arguments["min_freq"], arguments["max_freq"] or arguments["sampling_rate"] // 2
    if low < high:
        return
    key = "max_freq" if arguments["max_freq"] else "sampling_rate"
    hint = f"write `{key}: {int(low) * 2 + 2}` or more, or a lower `min_freq`"
    message = f"has no frequencies between its `min_freq` of {low:g} and {high:g}, its highest"
    raise ShapeError(message, hint, key)


RULES: dict[str, Rule] = {"MelSpectrogram": _mel, "STFTSpectrogram": _stft}
