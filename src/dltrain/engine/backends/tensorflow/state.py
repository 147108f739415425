"""TensorFlow's state of the process: pinned for a run, given back after it.

TensorFlow's public functions can set most of this and return little of it, so a part is private; tests run it with the
oldest and the newest TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.data.ops import debug_mode
from tensorflow.python.debug.lib import check_numerics_callback
from tensorflow.python.eager import context
from tensorflow.python.eager.polymorphic_function import polymorphic_function
from tensorflow.python.framework import config, ops

from dltrain.engine.backends.backend import xla_flags_given_back
from dltrain.errors import UsageError

_ANEW = "run it in a process of its own, as `dltrain fit` is"


@contextmanager
def pinned() -> Iterator[None]:
    """Give TensorFlow its defaults inside the block, and the caller's settings, seeds and determinism back after it.

    Raises:
        UsageError: the process has a setting that TensorFlow cannot take back for a while.
    """
    _refuse()
    with ExitStack() as stack:
        stack.callback(_give_back_seeds())
        if not config.is_op_determinism_enabled():
            stack.callback(config.disable_op_determinism)
        settings: Sequence[tuple[Callable[[Any], object], Any, Any]] = (
            (tf.config.run_functions_eagerly, tf.config.functions_run_eagerly(), False),
            (debug_mode.toggle_debug_mode, debug_mode.DEBUG_MODE, False),
            (_set_jit, bool(tf.config.optimizer.get_jit()), False),
            (_set_rewriting, dict(context.context()._optimizer_experimental_options), {}),
            (tf.config.set_soft_device_placement, tf.config.get_soft_device_placement(), True),
            (
                tf.config.experimental.enable_tensor_float_32_execution,
                tf.config.experimental.tensor_float_32_execution_enabled(),
                True,
            ),
        )
        for assign, value, default in settings:
            if value != default:
                stack.callback(assign, value)
                assign(default)
        stack.enter_context(xla_flags_given_back())
        stack.enter_context(_own_registries())
        stack.enter_context(tf.device(None))
        yield


def _refuse() -> None:
    if not tf.executing_eagerly():
        where = "inside a `tf.Graph` or a `tf.function`, or with eager execution switched off"
        raise UsageError(f"dltrain cannot train {where}", f"call it outside; or {_ANEW}")
    if tf.distribute.has_strategy():
        raise UsageError("dltrain cannot train inside the scope of a `tf.distribute.Strategy`", "call it outside")
    if not pywrap_tfe.TFE_Py_TapeSetIsEmpty():
        raise UsageError("dltrain cannot train inside a `tf.GradientTape`, which would record it", "call it outside")
    if ops.get_default_graph()._variable_creator_stack:
        raise UsageError("dltrain cannot train inside a `tf.variable_creator_scope`", "call it outside")
    if hasattr(check_numerics_callback._state, "check_numerics_callback"):
        told = "`tf.debugging.enable_check_numerics` is on in this process, and stops at numbers that Keras expects"
        raise UsageError(told, "call `tf.debugging.disable_check_numerics` before")
    if not isinstance(tf.TensorShape([1])[0], int):
        raise UsageError("TensorFlow has the shapes of version 1 in this process", f"leave them out; or {_ANEW}")
    if ops.is_numpy_style_type_promotion() or ops.is_auto_dtype_conversion_enabled():
        told = "TensorFlow has NumPy's type promotion in this process, which changes what Keras computes"
        raise UsageError(told, f"leave `experimental_enable_numpy_behavior` out; or {_ANEW}")


def _set_jit(enabled: bool) -> None:
    tf.config.optimizer.set_jit("autoclustering" if enabled else False)


def _set_rewriting(options: dict[str, Any]) -> None:
    """Replace the options of graph rewriting; the public function can only add to them."""
    context.context()._optimizer_experimental_options = dict(options)
    tf.config.optimizer.set_experimental_options({})  # takes effect


def _give_back_seeds() -> Any:
    """Return a function that gives back the global seed, and the generator of seeds of operations where it stands."""
    eager = context.context()
    seed, generator = eager._seed, getattr(eager, "_rng", None)

    def give_back() -> None:
        eager._seed = seed
        if generator is not None:
            eager._rng = generator

    return give_back


@contextmanager
def _own_registries() -> Iterator[None]:
    """Keep what TensorFlow notes of every function, and never frees, apart from the caller's, and free it afterwards.

    The gradient of each custom gradient holds its graph: a megabyte for each training. And functions that are
    traced once in each training count as retraced, of which TensorFlow warns from the fifth on.
    """
    gradients = ops.gradient_registry._registry
    before = set(gradients)
    detector = polymorphic_function._frequent_tracing_detector_manager
    polymorphic_function._frequent_tracing_detector_manager = type(detector)()
    try:
        yield
    finally:
        polymorphic_function._frequent_tracing_detector_manager = detector
        for name in [name for name in gradients if name not in before and name.startswith("CustomGradient-")]:
            del gradients[name]
