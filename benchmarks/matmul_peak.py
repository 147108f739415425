"""The most that one matrix multiplication of TensorFlow reaches, in GFLOP/s by data type, as JSON."""

import json
import time

import tensorflow as tf

SIZE = 2048


def fastest(dtype: str) -> float:
    """Seconds of the fastest of 30 products."""
    a = tf.cast(tf.random.normal((SIZE, SIZE)), dtype)
    product = tf.function(lambda a: tf.matmul(a, a)[0, 0])
    times = []
    for _ in range(30):
        started = time.perf_counter()
        float(product(a))
        times.append(time.perf_counter() - started)
    return min(times)


print(json.dumps({dtype: 2 * SIZE**3 / fastest(dtype) / 1e9 for dtype in ("float32", "bfloat16")}))
