"""A server on loopback, and files in the layout of those that Keras downloads."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any, ClassVar

import numpy as np

from dltrain.data.downloads.remote import Remote


@dataclass
class Answer:
    """What the server sends: `length` is what it says, `ends_after` the bytes after which it hangs up."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = -1
    ends_after: int | None = None


class Server:
    """Answers by path, and notes what it was asked."""

    def __init__(self, tls: SSLContext | None = None) -> None:
        server = self
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                answer = server.answers.get(self.path, Answer(b"nothing", 404))
                self.send_response(answer.status)
                if answer.length is not None:
                    length = len(answer.body) if answer.length < 0 else answer.length
                    self.send_header("Content-Length", str(length))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body[: answer.ends_after])

            def log_message(self, *arguments: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self.address = f"127.0.0.1:{self._http.server_port}"
        self.url = f"{'http' if tls is None else 'https'}://{self.address}"

    @contextmanager
    def running(self) -> Iterator[Server]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    def offers(self, path: str, body: bytes, pinned: bool = True) -> Remote:
        """Serve a file, and return what stands in the table of files for it."""
        self.answers[f"/{path}"] = Answer(body)
        return Remote(path, f"{self.url}/{path}", hashlib.sha256(body).hexdigest() if pinned else None)

    def stands_for(self, remote: Remote, body: bytes) -> Remote:
        """Serve other contents for a file of the table."""
        return replace(self.offers(remote.path, body, remote.sha256 is not None), in_keras=remote.in_keras)


class _LikePython2(pickle._Pickler):
    """Writes bytes as Python 2 wrote strings, as the batches of CIFAR have them."""

    def save_bytes(self, value: bytes) -> None:
        self.write(b"U" + bytes([len(value)]) if len(value) < 256 else b"T" + struct.pack("<i", len(value)))  # type: ignore[attr-defined]
        self.write(value)  # type: ignore[attr-defined]
        self.memoize(value)  # type: ignore[attr-defined]

    dispatch: ClassVar[Any] = {**pickle._Pickler.dispatch, bytes: save_bytes}


def like_python_2(value: Any) -> bytes:
    stream = io.BytesIO()
    _LikePython2(stream, protocol=2).dump(value)
    return stream.getvalue()


def idx(values: np.ndarray) -> bytes:
    """Return bytes as a compressed IDX file."""
    return gzip.compress(struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes())


def tar(members: Mapping[str, bytes]) -> bytes:
    """Return a compressed archive of plain files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def ragged(rows: Sequence[Sequence[Any]]) -> np.ndarray:
    """Return lists as an array of objects, as IMDB and Reuters have them."""
    found = np.empty(len(rows), object)
    for place, row in enumerate(rows):
        found[place] = list(row)
    return found


def sentences(count: int, seed: int = 0, words: int = 60) -> np.ndarray:
    """Return lists of 1 to 30 indices of words."""
    rng = np.random.default_rng(seed)
    return ragged([rng.integers(1, words, rng.integers(1, 31)).tolist() for _ in range(count)])


def batch(count: int, labels: Mapping[str, int], seed: int = 0) -> bytes:
    """Return a batch of CIFAR: photos, and for each key labels below a number."""
    rng = np.random.default_rng(seed)
    found: dict[bytes, Any] = {b"batch_label": b"a batch", b"filenames": [b"a.png"] * count}
    found |= {key.encode(): rng.integers(0, most, count).tolist() for key, most in labels.items()}
    found[b"data"] = rng.integers(0, 256, (count, 3072)).astype(np.uint8)
    return like_python_2(found)


def cifar10(count: int = 20) -> bytes:
    folder = "cifar-10-batches-py"
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    return tar(
        {f"{folder}/{name}": batch(count, {"labels": 10}, seed) for seed, name in enumerate(names)}
        | {f"{folder}/readme.html": b"about"}
    )


def cifar100(count: int = 30) -> bytes:
    labels = {"fine_labels": 100, "coarse_labels": 20}
    return tar({f"cifar-100-python/{name}": batch(count, labels, seed) for seed, name in enumerate(("train", "test"))})


def imdb(count: int = 40) -> bytes:
    y = np.random.default_rng(1).integers(0, 2, (2, count))
    return npz(x_train=sentences(count), y_train=y[0], x_test=sentences(count, 1), y_test=y[1])


def reuters(count: int = 80) -> bytes:
    return npz(x=sentences(count, 2), y=np.random.default_rng(3).integers(0, 46, count))


def housing(count: int, features: int) -> bytes:
    rng = np.random.default_rng(4)
    return npz(x=rng.normal(size=(count, features)), y=rng.normal(20, 5, count))


def fashion(train: int = 30, test: int = 10) -> tuple[bytes, ...]:
    rng = np.random.default_rng(5)
    return tuple(
        idx(rng.integers(0, 256 if shape else 10, (count, *shape)).astype(np.uint8))
        for count in (train, test)
        for shape in ((28, 28), ())
    )
