"""`train.initial_weights`: the weights of a run or a file -> a new model, layer by layer, by name and shape."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain import runs
from dltrain.config import Plan
from dltrain.config.document.source import place_of
from dltrain.engine.events import Listener, Loaded, Warned
from dltrain.errors import ConfigError, DltrainError, KeyPath, Problem, RunError
from dltrain.runs.checkpoints import WEIGHTS

if TYPE_CHECKING:
    import keras

_MOST_NAMED = 3
_KEY: KeyPath = ("train", "initial_weights")


@dataclass(frozen=True, slots=True)
class Source:
    """A file of weights.

    Args:
        path: the safetensors file.
        origin: the absolute path that a config names it by: the file, or the run's directory.
        epoch: of the run; None for a file of its own.
        sha256: what the file must have; None where nothing says so.
    """

    path: Path
    origin: str
    epoch: int | None = None
    sha256: str | None = None


def find_source(plan: Plan, runs_dir: Path) -> Source | None:
    """Find the weights that a config names; None where it names none.

    Raises:
        ConfigError: there is no such run or file, or the run has no checkpoint of its best epoch.
    """
    named = plan.spec.train.initial_weights
    if named is None:
        return None
    if named.endswith(".safetensors"):
        return Source(Path(named), named)
    try:
        run = runs.find(named, runs_dir)
        epoch = run.record().best_epoch
        if epoch is None or epoch not in run.checkpoints():
            raise RunError(f"the run {run.id} has no checkpoint of its best epoch", "name another run")
        path, sha256 = run.locate_checkpoint(epoch, WEIGHTS)
    except DltrainError as error:
        raise _refused(plan, error) from error
    return Source(path, str(run.path.resolve()), epoch, sha256)


def load_weights(
    plan: Plan, model: keras.Sequential, source: Source, on_event: Listener, sha256: str | None = None
) -> runs.InitialWeights:
    """Assign the weights of a file to those of a model that have the same names and shapes, and tell which.

    Args:
        plan: of the model.
        model: a built model.
        source: the file.
        on_event: gets `Loaded`, and a warning of layers that are frozen with random weights.
        sha256: what the file must have, beside what its source says.

    Raises:
        ConfigError: the file cannot be read or was changed, or no weight of it fits.
    """
    from dltrain.engine.model import weights

    wanted = weights.weights_of(model)
    try:
        values, shapes, digest = weights.read_fitting(source.path, wanted)
    except RunError as error:
        raise _refused(plan, error) from error
    if {source.sha256, sha256} - {None, digest}:
        raise plan.error(_KEY, f"{source.path} has changed", "name another run or file", "initial-weights")
    needed = {name: tuple(variable.shape) for name, variable in wanted.items()}
    if not values:
        raise plan.error(_KEY, *_nothing(source, needed, shapes), "initial-weights")
    for name, value in values.items():
        wanted[name].assign(value)
    fresh = tuple(_fresh(name, shape, shapes.get(name)) for name, shape in needed.items() if name not in values)
    found = runs.InitialWeights(
        source=str(source.path),
        epoch=source.epoch,
        sha256=digest,
        matched=len(values),
        weights=len(wanted),
        fresh=fresh,
    )
    told = asdict(found)
    del told["sha256"]
    on_event(Loaded(**told))
    _warn_of_random(plan, source, needed.keys() - values, on_event)
    return found


def _warn_of_random(plan: Plan, source: Source, fresh: Collection[str], on_event: Listener) -> None:
    """Warn of layers that are frozen with weights that were drawn."""
    still = [layer for layer in plan.spec.train.freeze if any(name.partition("/")[0] == layer for name in fresh)]
    if still:
        message = f"`{'`, `'.join(still)}` keep random weights: {source.origin} does not have all of theirs"
        where = place_of(plan.checked.tree, ("train", "freeze"))
        hint = "remove them from `freeze`, or give their layers the names that they have there"
        on_event(Warned([Problem("initial-weights", message, ("train", "freeze"), where, hint, "warning")]))


def _refused(plan: Plan, error: DltrainError) -> ConfigError:
    return plan.error(_KEY, error.message, error.hint, "initial-weights")


def _fresh(name: str, shape: tuple[int, ...], there: tuple[int, ...] | None) -> str:
    return f"`{name}` {shape}" + (f", there {there}" if there not in (None, shape) else "")


def _nothing(
    source: Source, needed: Mapping[str, tuple[int, ...]], there: Mapping[str, tuple[int, ...]]
) -> tuple[str, str]:
    """Return the message and the hint that no weight fits."""

    def listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
        first = [f"`{name[:60]}` {shape}" for name, shape in list(shapes.items())[:_MOST_NAMED]]
        return ", ".join(first) + (", …" if len(shapes) > _MOST_NAMED else "")

    message = f"no weight of {source.origin} has the name and shape of one here: it has {listed(there) or 'none'}"
    hint = f"here are {listed(needed)}: give layers the same `name`, `units` and the like"
    return message, hint
