"""The key directory as a file, while a service runs: when it is read again, and what is refused."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from shared.security.key_directory import LOOK_AGAIN_SECONDS, DirectoryFile
from tests.support.key_directories import BODY, NEW, NOW, OLD, TRUSTED, UNTRUSTED, document, listed, untrusted


class Ticks:
    """A monotonic clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Published:
    """A directory's file, as ``deploy.credentials.keys`` replaces it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.ticks = folder / "keys.json", Ticks()

    def replace(self, content: bytes) -> None:
        new = self.path.with_suffix(".new")
        new.write_bytes(content)
        new.replace(self.path)

    def opened(self) -> DirectoryFile:
        return DirectoryFile(self.path, TRUSTED, self.ticks)

    def later(self) -> None:
        self.ticks.now += LOOK_AGAIN_SECONDS


@pytest.fixture
def published(tmp_path: Path) -> Published:
    published = Published(tmp_path)
    published.replace(document(listed(OLD)))
    return published


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    structlog.reset_defaults()  # whatever level a service before this test was silent at
    with structlog.testing.capture_logs() as entries:
        yield entries


def test_a_revocation_holds_within_ten_seconds_and_is_not_looked_for_all_the_time(published: Published) -> None:
    file, signature = published.opened(), OLD.sign(BODY)
    assert file.verify(BODY, signature, NOW) == "library"
    published.replace(document(listed(OLD, revoked_at=NOW), version=2))
    published.ticks.now += LOOK_AGAIN_SECONDS - 0.01
    assert file.current().version == 1
    published.ticks.now += 0.01
    assert untrusted(lambda: file.verify(BODY, signature, NOW)) == "revoked-key"
    assert LOOK_AGAIN_SECONDS < 10


def test_a_key_that_is_not_known_is_looked_for_at_once(published: Published) -> None:
    file = published.opened()
    assert untrusted(lambda: file.verify(BODY, NEW.sign(BODY), NOW)) == "unknown-key"
    published.replace(document(listed(OLD), listed(NEW), version=2))
    assert file.verify(BODY, NEW.sign(BODY), NOW) == "library"


REFUSED = {
    "older": (lambda: document(listed(NEW), version=1), "older-directory"),
    "another of this version": (lambda: document(listed(NEW), version=2), "forked-directory"),
    "signed by another": (lambda: document(version=9, root=NEW), "untrusted-directory"),
    "half of it": (lambda: document(listed(OLD), version=9)[:100], "malformed-directory"),
}


@pytest.mark.parametrize(("received", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_document_that_is_refused_changes_nothing_and_is_said_once(
    published: Published, logged: list[Any], received: Callable[[], bytes], reason: str
) -> None:
    published.replace(document(listed(OLD), version=2))
    file = published.opened()
    before = file.current()
    published.replace(received())
    for _ in range(3):
        published.later()
        assert file.current() is before
    [said] = logged
    assert said["event"] == "key-directory.refused" and said["reason"] == reason
    published.replace(document(listed(OLD), listed(NEW), version=3))
    published.later()
    assert file.current().version == 3


def test_a_file_that_is_gone_leaves_what_was_read(published: Published, logged: list[Any]) -> None:
    file = published.opened()
    published.path.unlink()
    published.later()
    assert file.current().version == 1
    assert [said["event"] for said in logged] == ["key-directory.unreadable"]
    published.replace(document(listed(OLD), version=2))
    published.later()
    assert file.current().version == 2


def test_no_service_starts_on_what_it_cannot_trust(published: Published) -> None:
    for received in UNTRUSTED.values():
        published.replace(received)
        assert untrusted(published.opened) == "untrusted-directory"
    published.path.unlink()
    with pytest.raises(FileNotFoundError):
        published.opened()


def test_threads_see_whole_directories_and_never_an_older_one(published: Published) -> None:
    published.ticks = Always()
    file, done, wrong = published.opened(), threading.Event(), []

    def look() -> None:
        last = 0
        while not done.is_set():
            seen = file.current()
            if seen.version < last or seen.keys.keys() != {"library-1"}:
                wrong.append(seen)
            last = seen.version

    threads = [threading.Thread(target=look) for _ in range(4)]
    start(threads)
    for version in range(2, 60):
        published.replace(document(listed(OLD), version=version))
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong and file.current().version == 59


class Always(Ticks):
    """A clock by which it is always time to look."""

    def __call__(self) -> float:
        self.now += LOOK_AGAIN_SECONDS
        return self.now


def start(threads: Iterable[threading.Thread]) -> None:
    for thread in threads:
        thread.start()


def test_an_adopted_directory_counts_until_the_file_is_newer(published: Published) -> None:
    file = published.opened()
    file.adopt(document(listed(OLD, revoked_at=NOW), version=3))
    assert untrusted(lambda: file.verify(BODY, OLD.sign(BODY), NOW)) == "revoked-key"
    published.replace(document(listed(OLD), version=2))
    published.later()
    assert file.current().version == 3
    published.replace(newest := document(listed(NEW), version=4))
    published.later()
    assert file.verify(BODY, NEW.sign(BODY), NOW) == "library"
    assert file.document() == (4, json.dumps(json.loads(newest)))


@pytest.mark.parametrize(("make", "reason"), REFUSED.values(), ids=REFUSED)
def test_an_adopted_directory_is_checked_like_a_file(
    published: Published, make: Callable[[], bytes], reason: str
) -> None:
    published.replace(document(listed(OLD), version=2))
    file = published.opened()
    assert untrusted(lambda: file.adopt(make())) == reason
    assert file.document()[0] == 2 and file.verify(BODY, OLD.sign(BODY), NOW) == "library"
