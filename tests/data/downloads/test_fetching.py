"""Files come from a server once, whole and right, or not at all; every failure is a message."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import shutil
import ssl
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.data.downloads.serving import Answer, Server

from dltrain.data.downloads import fetching, transfer
from dltrain.data.downloads.fetching import fetch
from dltrain.data.downloads.remote import Remote, is_offline, offline
from dltrain.data.progress import watched
from dltrain.errors import DataError, Interrupted

BODY = bytes(range(256)) * 4000
WRONG = b"another file"


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def refused(*remotes: Remote) -> DataError:
    with pytest.raises(DataError) as caught:
        fetch("made", remotes)
    assert caught.value.hint
    return caught.value


def test_fetching_downloads_once(server: Server, cache: Path) -> None:
    remote = server.offers("made/x.bin", BODY)
    for _ in range(2):
        assert fetch("made", [remote]) == fetching.Fetched((BODY,), ())
    assert server.asked == ["/made/x.bin"]
    assert [path.relative_to(cache).as_posix() for path in sorted(cache.rglob("*"))] == ["made", "made/x.bin"]


def test_fetching_holds_a_file_without_a_pinned_hash_to_that_of_the_first_download(server: Server, cache: Path) -> None:
    remote = server.offers("x.bin", BODY, pinned=False)
    (note,) = fetch("made", [remote]).notes
    assert digest(BODY) in note
    assert (cache / "x.bin.sha256").read_text() == f"{digest(BODY)}  x.bin\n"
    assert fetch("made", [remote]).notes == ()
    (cache / "x.bin").write_bytes(WRONG)
    assert fetch("made", [remote]).contents == (BODY,)  # downloaded anew
    (cache / "x.bin").unlink()
    server.answers["/x.bin"].body = WRONG
    error = refused(remote)
    assert digest(WRONG) in error.message
    assert digest(BODY) in error.message
    assert sorted(path.name for path in cache.iterdir()) == ["x.bin.sha256"]
    (cache / "x.bin.sha256").write_text("half")
    assert fetch("made", [remote]).contents == (WRONG,)


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize("content", [BODY, WRONG])
def test_fetching_takes_a_file_that_the_system_has_installed(
    server: Server, cache: Path, tmp_path: Path, pinned: bool, content: bytes
) -> None:
    installed = tmp_path / "installed.bin"
    remote = replace(server.offers("x.bin", BODY, pinned), installed=str(installed))
    with offline():
        assert "not in the cache" in refused(remote).message
    installed.write_bytes(content)
    if pinned and content == WRONG:
        assert fetch("made", [remote]).contents == (BODY,)  # downloaded
        return
    assert fetch("made", [remote]) == fetching.Fetched((content,), ())
    assert server.asked == []
    (cache / "x.bin").parent.mkdir(parents=True, exist_ok=True)
    (cache / "x.bin").write_bytes(BODY)
    assert fetch("made", [remote]).contents == (BODY,)  # what the cache has is used first


@pytest.mark.parametrize("pinned", [True, False])
def test_fetching_takes_a_file_that_was_put_there_by_hand(server: Server, cache: Path, pinned: bool) -> None:
    remote = server.offers("sub/x.bin", BODY, pinned)
    with offline():
        error = refused(remote)
    assert str(cache / "sub" / "x.bin") in error.hint
    assert remote.url in error.hint
    assert (digest(BODY) in error.hint) == pinned
    (cache / "sub").mkdir(parents=True)
    (cache / "sub" / "x.bin").write_bytes(BODY)
    with offline():
        found = fetch("made", [remote])
        assert fetch("made", [remote]).notes == ()
    assert found.contents == (BODY,)
    assert bool(found.notes) != pinned
    assert server.asked == []


def test_fetching_takes_the_right_file_from_keras_cache(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = server.offers("x.bin", BODY)
    remote = Remote(made.path, made.url, made.sha256, "datasets/x.bin")
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    (tmp_path / "keras" / "datasets" / "x.bin").write_bytes(BODY)
    assert fetch("made", [remote]).contents == (BODY,)
    assert server.asked == []
    (tmp_path / "keras" / "datasets" / "x.bin").write_bytes(WRONG)
    assert fetch("made", [remote]).contents == (BODY,)
    assert server.asked == ["/x.bin"]


@pytest.mark.parametrize("value", ["1", "0", ""])
def test_fetching_offline_asks_no_server_and_names_every_file(
    server: Server, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DLTRAIN_OFFLINE", value)
    remotes = [server.offers(name, BODY) for name in ("a.bin", "b.bin")]
    if value != "1":
        assert not is_offline()
        assert len(fetch("made", remotes).contents) == 2
        return
    error = refused(*remotes)
    assert server.asked == []
    assert "DLTRAIN_OFFLINE" in error.message
    assert all(remote.url in error.hint for remote in remotes)


def test_fetching_offline_tells_of_a_damaged_file(server: Server, cache: Path) -> None:
    remote = server.offers("x.bin", BODY)
    fetch("made", [remote])
    (cache / "x.bin").write_bytes(BODY[:-1])
    with offline():
        assert digest(BODY[:-1]) in refused(remote).message
    assert fetch("made", [remote]).contents == (BODY,)


def test_fetching_asks_the_mirror_first(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = server.offers("sub/x.bin", BODY)
    server.answers["/mirror/sub/x.bin"] = Answer(BODY)
    monkeypatch.setenv("DLTRAIN_MIRROR", f"{server.url}/mirror/")
    fetch("made", [remote])
    assert server.asked == ["/mirror/sub/x.bin"]


@pytest.mark.parametrize("answer", [Answer(WRONG), Answer(b"", 404), Answer(BODY, ends_after=9)])
def test_fetching_goes_on_where_the_mirror_has_not_the_file(
    server: Server, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    remote = server.offers("x.bin", BODY)
    server.answers["/mirror/x.bin"] = answer
    monkeypatch.setenv("DLTRAIN_MIRROR", f"{server.url}/mirror")
    assert fetch("made", [remote]).contents == (BODY,)
    assert server.asked == ["/mirror/x.bin", "/x.bin"]


def test_fetching_tells_of_a_mirror_that_is_no_url(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLTRAIN_MIRROR", "/mnt/mirror")
    assert "DLTRAIN_MIRROR" in refused(server.offers("x.bin", BODY)).message


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(b"gone", 404), "answers 404 Not Found"),
        (Answer(b"", 503), "answers 503 Service Unavailable"),
        (Answer(b"", 799), "answers 799"),
        (Answer(WRONG), "its SHA-256 is"),
        (Answer(BODY, ends_after=100_000), "ended after 100,000 of 1,024,000 bytes"),
        (Answer(BODY, length=None, ends_after=100_000), "its SHA-256 is"),
        (Answer(b"", length=None), "ended after 0 of 0 bytes"),
        (Answer(BODY, length=2**40, ends_after=10), "more than"),
        (Answer(b"", 302, {"Location": "file:///etc/passwd"}), "302"),
        (Answer(b"", 302, {"Location": "/x.bin"}), "302"),
        (Answer(b"zz\r\n", length=None, headers={"Transfer-Encoding": "chunked"}), "ended|read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_fetching_tells_why_a_server_has_not_the_file(server: Server, cache: Path, answer: Answer, told: str) -> None:
    remote = server.offers("x.bin", BODY)
    server.answers["/x.bin"] = answer
    error = refused(remote)
    assert remote.url in error.message
    assert any(word in error.message for word in told.split("|"))
    assert str(cache / "x.bin") in error.hint
    assert list(cache.iterdir()) == []


def test_fetching_refuses_what_never_ends(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "LARGEST", 500_000)
    remote = server.offers("x.bin", BODY)
    server.answers["/x.bin"].length = None
    assert "more than" in refused(remote).message
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9/x.bin", "Connection refused"),
        ("https://no-such-host.invalid/x.bin", "no network"),
        ("https://{address}/x.bin", "no HTTPS"),
    ],
)
def test_fetching_tells_why_a_server_is_not_reached(server: Server, url: str, told: str) -> None:
    remote = Remote("x.bin", url.format(address=server.address), digest(BODY))
    assert told in refused(remote).message


def test_fetching_tells_of_silence(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_TIMEOUT", 0.2)
    remote = server.offers("x.bin", BODY)
    server._http.shutdown()
    assert "silent" in refused(remote).message


@pytest.fixture
def secure(tmp_path: Path) -> ssl.SSLContext:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"]
    made += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


def test_fetching_verifies_certificates_and_keeps_to_https(
    server: Server, secure: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(secure).running() as safe:
        remote = safe.offers("x.bin", BODY)
        assert "certificate" in refused(remote).message
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        server.offers("x.bin", BODY)
        safe.answers["/x.bin"] = Answer(b"", 302, {"Location": f"{server.url}/x.bin"})
        assert "redirects to a URL without HTTPS" in refused(remote).message
        safe.answers["/x.bin"] = Answer(b"", 302, {"Location": "/y.bin"})
        safe.answers["/y.bin"] = Answer(BODY)
        assert fetch("made", [remote]).contents == (BODY,)
    assert server.asked == []


def test_fetching_tells_how_far_it_has_come_and_can_be_stopped(server: Server, cache: Path) -> None:
    body = bytes(3 * 2**20)
    remote = server.offers("x.bin", body)
    told: list[tuple[str, int, int, str]] = []

    def stop(*event: Any) -> None:
        raise Interrupted("stopped", 2)

    with watched(stop), pytest.raises(Interrupted):
        fetch("made", [remote])
    assert list(cache.iterdir()) == []
    with watched(lambda *event: told.append(event)):
        fetch("made", [remote])
    assert told[0][0] == "downloading made"
    assert told[-1][1:] == (3, 3, "MiB")


def test_fetching_tells_of_a_cache_that_may_not_be_written(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(suffix: str, prefix: str, folder: Path) -> None:  # as the system does to all but root
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    assert "Permission denied" in refused(server.offers("x.bin", BODY)).message
    assert list(cache.iterdir()) == []


def test_fetching_tells_of_a_cache_that_is_no_folder(server: Server, cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"")
    error = refused(server.offers("x.bin", BODY))
    assert str(cache) in error.message
    assert "XDG_CACHE_HOME" in error.hint


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_fetching_tells_of_something_else_in_the_place_of_a_file(server: Server, cache: Path, make: Any) -> None:
    cache.mkdir(parents=True)
    make(cache / "x.bin")
    assert str(cache / "x.bin") in refused(server.offers("x.bin", BODY)).message


def test_fetching_asks_for_room_first(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SPARE", 2**60)
    assert "the disk is full" in refused(server.offers("x.bin", BODY)).message
    assert list(cache.iterdir()) == []


def test_fetching_tells_of_a_full_disk(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert "the disk is full" in refused(server.offers("x.bin", BODY)).message
    assert list(cache.iterdir()) == []


def test_fetching_needs_a_folder(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "cache_folder", lambda: None)
    assert "home" in refused(server.offers("x.bin", BODY)).message


def _fetch_in_a_process(remote: Remote, results: Any) -> None:
    results.put(fetch("made", [remote]).contents[0] == BODY)


@pytest.mark.parametrize("pinned", [True, False])
def test_fetching_by_two_processes_at_once_does_no_harm(server: Server, cache: Path, pinned: bool) -> None:
    remote = server.offers("x.bin", BODY, pinned)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [context.Process(target=_fetch_in_a_process, args=(remote, results)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [results.get(timeout=30) for _ in processes] == [True] * 4
    for process in processes:
        process.join()
    assert sorted(path.name for path in cache.iterdir()) == ["x.bin", *([] if pinned else ["x.bin.sha256"])]
