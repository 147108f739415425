"""CIFAR-10 and CIFAR-100: 50,000 training and 10,000 test photos of 32 x 32 pixels.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dltrain.arguments import Argument
from dltrain.data.downloads.remote import Remote
from dltrain.data.facts import Facts, Task
from dltrain.data.sources.source import Arguments, Source
from dltrain.errors import DataError

if TYPE_CHECKING:
    from dltrain.data.arrays import RawDataset, Split

_URL = "https://www.cs.toronto.edu/~kriz/"
FILE_10 = Remote(
    "cifar-10-python.tar.gz",
    _URL + "cifar-10-python.tar.gz",
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    "datasets/cifar-10-batches-py-target_archive",
)
FILE_100 = Remote(
    "cifar-100-python.tar.gz",
    _URL + "cifar-100-python.tar.gz",
    "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    "datasets/cifar-100-python-target_archive",
)
_NAMES_10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# The names and their order are those of the file `meta` in the archive.
_FINE = (
    *("apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl"),
    *("boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee"),
    *("clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant"),
    *("flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower"),
    *("leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom"),
    *("oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate"),
    *("poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark"),
    *("shrew", "skunk", "skyscraper", "snail", "snake", "spider", "squirrel", "streetcar", "sunflower"),
    *("sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor", "train", "trout", "tulip"),
    *("turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm"),
)
_COARSE = (
    *("aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables"),
    *("household_electrical_devices", "household_furniture", "insects", "large_carnivores"),
    *("large_man-made_outdoor_things", "large_natural_outdoor_scenes", "large_omnivores_and_herbivores"),
    *("medium_mammals", "non-insect_invertebrates", "people", "reptiles", "small_mammals", "trees", "vehicles_1"),
    *("vehicles_2",),
)
_NAMES_100 = {"fine": _FINE, "coarse": _COARSE}
_FACTS_10 = Facts("cifar10", "classification", (32, 32, 3), _NAMES_10, (), 50_000, 10_000, unit_range=True)
ARGUMENTS_100 = {
    "label_mode": Argument(
        ("words",),
        choices=("fine", "coarse"),
        has_default=True,
        default="fine",
        meaning="The 100 classes, or the 20 groups that they belong to.",
    )
}


def _facts_100(arguments: Arguments, task: Task | None = None) -> Facts:
    return replace(_FACTS_10, name="cifar100", class_names=_NAMES_100[arguments["label_mode"]])


def read_10(arguments: Arguments, task: Task | None = None, file: Remote = FILE_10) -> RawDataset:
    """Read the photos, uint8 (32, 32, 3), 0 to 255. Raises DataError if the file cannot be had."""
    batches = [f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6)]
    return _read(_FACTS_10, file, batches, "cifar-10-batches-py/test_batch", "labels")


def read_100(arguments: Arguments, task: Task | None = None, file: Remote = FILE_100) -> RawDataset:
    """Read the photos, uint8 (32, 32, 3), 0 to 255. Raises DataError if the file cannot be had."""
    key = f"{arguments['label_mode']}_labels"
    return _read(_facts_100(arguments), file, ["cifar-100-python/train"], "cifar-100-python/test", key)


def _read(facts: Facts, file: Remote, train: Sequence[str], test: str, key: str) -> RawDataset:
    import numpy as np

    from dltrain.data.arrays import RawDataset, Split
    from dltrain.data.downloads.archives import tar_members
    from dltrain.data.downloads.fetching import fetch

    fetched = fetch(facts.name, [file])
    members = tar_members(fetched.contents[0], file.path, [*train, test])
    splits = [_batch(member, file.path, key, len(facts.labels)) for member in members]
    joined = Split(*(np.concatenate([getattr(split, part) for split in splits[:-1]]) for part in "xy"))
    known = replace(facts, train=len(joined), test=len(splits[-1]))
    return RawDataset(known, 1 / 255, joined, splits[-1], notes=fetched.notes)


def _batch(content: bytes, file: str, key: str, classes: int) -> Split:
    """Return the photos and labels of one batch: its pickle has all red, then all green, then all blue values."""
    import numpy as np

    from dltrain.data.arrays import Split
    from dltrain.data.downloads.pickles import Array, BadPickle, unpickled

    try:
        match unpickled(content):
            case dict() as found:
                pixels, labels = found.get(b"data"), found.get(key.encode())
                if isinstance(pixels, Array) and isinstance(labels, list):
                    x = np.asarray(pixels.values)
                    y = np.array(labels)
                    if x.dtype == np.uint8 and x.shape == (len(y), 3072) and y.dtype.kind == "i" and y.max() < classes:
                        return Split(x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).copy(), y.astype(np.int64))
    except BadPickle as error:
        raise DataError(f"{file} is damaged: {error}", "remove it from the cache") from None
    raise DataError(f"{file} has other contents than photos and labels", "remove it from the cache")


CIFAR10 = Source(
    "cifar10",
    "Photos of animals and vehicles: 50,000 to train on and 10,000 to test on, 32 x 32 pixels, 10 classes. It is "
    "downloaded once, 163 MiB. Images arrive as (32, 32, 3), from 0 to 1.",
    arguments={},
    facts=lambda arguments, task: _FACTS_10,
    read=read_10,
)
CIFAR100 = Source(
    "cifar100",
    "Photos of 100 kinds of things: 50,000 to train on and 10,000 to test on, 32 x 32 pixels, 100 classes or 20. It is "
    "downloaded once, 161 MiB. Images arrive as (32, 32, 3), from 0 to 1.",
    ARGUMENTS_100,
    _facts_100,
    read_100,
    example={"label_mode": "coarse"},
)
