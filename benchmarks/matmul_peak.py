"""Print as JSON the peak GFLOP/s of a matrix multiplication in TensorFlow, by data type."""

import json
import time

import tensorflow as tf

SIZE = 2048


def fastest(dtype: str) -> float:
    """Return the seconds of the fastest of 30 products."""
    a = tf.cast(tf.random.normal((SIZE, SIZE)), dtype)
    product = tf.function(lambda a: tf.matmul(a, a)[0, 0])
    times = []
    for _ in range(30):
        started = time.perf_counter()
        float(product(a))
        times.append(time.perf_counter() - started)
    return min(times)


print(json.dumps({dtype: 2 * SIZE**3 / fastest(dtype) / 1e9 for dtype in ("float32", "bfloat16")}))
