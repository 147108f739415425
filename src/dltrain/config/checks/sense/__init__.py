"""What the sections of a config say together: every rule that needs more than one value to judge."""

from __future__ import annotations

from dltrain.config.checks.draft import Draft
from dltrain.config.checks.outline import Outline
from dltrain.config.checks.sense.arguments import check_arguments
from dltrain.config.checks.sense.inputs import check_inputs
from dltrain.config.checks.sense.learning import check_learning
from dltrain.config.checks.sense.masks import check_masks
from dltrain.config.checks.sense.monitors import check_monitors
from dltrain.config.checks.sense.optimizers import check_optimizer
from dltrain.config.checks.sense.output import check_output
from dltrain.config.checks.sense.schedules import check_schedules
from dltrain.config.checks.sense.sizes import check_sizes
from dltrain.config.checks.sense.training import check_losses, check_training
from dltrain.config.checks.sense.weights import check_weights
from dltrain.errors import Problem


def check_sense(draft: Draft, outline: Outline) -> list[Problem]:
    """The problems of values that are each valid on their own; what has a problem already is left out."""
    return [
        *check_monitors(draft, outline),
        *check_inputs(draft, outline),
        *check_learning(draft, outline),
        *check_masks(draft, outline),
        *check_output(draft, outline),
        *check_losses(draft),
        *check_training(draft),
        *check_schedules(draft),
        *check_optimizer(draft),
        *check_sizes(draft, outline),
        *check_arguments(draft, outline),
        *check_weights(draft, outline),
    ]
