from __future__ import annotations

import numpy as np
import pytest

from dltrain.engine.feed import Feed, epoch_variable


def feed_of(samples: int) -> Feed:
    x = np.arange(samples, dtype=np.uint8).reshape(samples, 1)
    return Feed(x, np.arange(samples), 0.5)


def order_of(feed: Feed, batch_size: int, seed: int, epoch: int) -> list[int]:
    variable = epoch_variable()
    batches = feed.shuffled(batch_size, seed, variable)
    variable.assign(epoch)
    return [int(label) for _, labels in batches for label in labels]


@pytest.mark.parametrize(("samples", "batch_size"), [(10, 3), (10, 10), (10, 1), (7, 5)])
def test_feed_gives_every_sample_once(samples: int, batch_size: int) -> None:
    feed = feed_of(samples)
    sizes = [len(labels) for _, labels in feed.shuffled(batch_size, 1, epoch_variable())]
    assert sum(sizes) == samples
    assert len(sizes) == int(feed.shuffled(batch_size, 1, epoch_variable()).cardinality())
    assert sorted(order_of(feed, batch_size, 1, 0)) == list(range(samples))
    assert [int(v) for _, labels in feed.in_order(batch_size) for v in labels] == list(range(samples))


def test_feed_order_is_a_function_of_seed_and_epoch() -> None:
    feed = feed_of(50)
    assert order_of(feed, 8, 1, 3) == order_of(feed_of(50), 8, 1, 3)
    assert order_of(feed, 8, 1, 3) != order_of(feed, 8, 1, 4)
    assert order_of(feed, 8, 1, 3) != order_of(feed, 8, 2, 3)


def test_feed_scales_into_float32() -> None:
    (x, _), *_ = list(feed_of(4).in_order(4))
    assert x.dtype.name == "float32"
    assert x.numpy().ravel().tolist() == [0.0, 0.5, 1.0, 1.5]
