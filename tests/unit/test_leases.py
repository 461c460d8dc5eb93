"""Leases: one holder at a time, also of two processes that take an expired one at the same moment."""

import json
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from streams.state.blobs import Blobs
from streams.state.leases import Lease

TTL_S = 60.0
ROUNDS = 100


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


def lease(blobs: Blobs, owner: str, at: Callable[[], float] = lambda: 100.0, name: str = "talk") -> Lease:
    return Lease(blobs, name, owner, TTL_S, at)


def test_a_lease_is_held_renewed_and_taken_over_when_it_expires(blobs: Blobs) -> None:
    clock = [100.0]
    mine, yours = (lease(blobs, owner, lambda: clock[0]) for owner in ("me", "you"))
    assert mine.acquire()
    assert mine.acquire()
    assert not yours.acquire()
    clock[0] += 50
    assert mine.renew()
    clock[0] += 50
    assert not yours.acquire()
    clock[0] += 11
    assert yours.acquire()
    assert not mine.acquire()
    assert not mine.renew(), "who was overtaken is told so"
    mine.release()
    assert not mine.acquire(), "and gives nothing back that is another's"
    yours.release()
    assert mine.acquire()


def test_a_process_that_starts_again_goes_on_with_its_lease(blobs: Blobs) -> None:
    assert lease(blobs, "embedded").acquire()
    assert lease(blobs, "embedded").acquire()
    assert not lease(blobs, "another").acquire()


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"owner": "x"}', b'{"owner": "x", "renewed": NaN}'])
@pytest.mark.parametrize("later", [False, True])
def test_a_damaged_lease_is_free(blobs: Blobs, content: bytes, later: bool) -> None:
    """The damaged content is at an earlier version's key, or at this version's."""
    if later:
        assert lease(blobs, "you").acquire()
    for key in list(blobs.keys("leases")) or ["leases/talk.json"]:
        blobs.put(key, content)
    assert lease(blobs, "me").acquire()


def test_a_lease_from_a_clock_gone_wrong_is_free_one_day(blobs: Blobs) -> None:
    assert lease(blobs, "you", lambda: 1e12).acquire()
    assert lease(blobs, "me").acquire()


def test_a_lease_of_an_earlier_version_holds_until_it_expires(blobs: Blobs) -> None:
    clock = [100.0]
    blobs.put("leases/talk.json", json.dumps({"owner": "you", "renewed": 90.0}).encode())
    mine = lease(blobs, "me", lambda: clock[0])
    assert not mine.acquire()
    clock[0] += TTL_S
    assert mine.acquire()
    assert not blobs.exists("leases/talk.json")


def test_a_stray_file_beside_a_lease_changes_nothing(blobs: Blobs) -> None:
    assert lease(blobs, "me").acquire()
    blobs.put("leases/talk/copy of 1.json", b"?")
    assert lease(blobs, "me").acquire()
    assert not lease(blobs, "you").acquire()


def test_a_lease_leaves_one_blob_however_long_it_was_held(blobs: Blobs) -> None:
    mine = lease(blobs, "me")
    assert mine.acquire()
    for _ in range(12):
        assert mine.renew()
    mine.release()
    assert len(list(blobs.keys("leases"))) == 1


class Slow(Blobs):
    """A store that lets something happen just before this holder writes, and just after."""

    before: Callable[[], None] = staticmethod(lambda: None)
    after: Callable[[], None] = staticmethod(lambda: None)

    def create(self, key: str, content: bytes) -> bool:
        self.before()
        made = super().create(key, content)
        self.after()
        return made


def taken_over(blobs: Blobs) -> Iterator[tuple[str, Callable[[list[float]], None]]]:
    """Yield what other holders may do while a slow one stalls, as (name, action)."""

    def once(clock: list[float]) -> None:
        assert lease(blobs, "fast", lambda: clock[0]).acquire()

    def often(clock: list[float]) -> None:
        fast = lease(blobs, "fast", lambda: clock[0])
        assert fast.acquire()
        for _ in range(7):
            assert fast.renew()

    def by_several(clock: list[float]) -> None:
        for owner in ("first", "second", "fast"):
            other = lease(blobs, owner, lambda: clock[0])
            assert other.acquire()
            if owner != "fast":
                other.release()

    yield "once", once
    yield "often", often
    yield "by several", by_several


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", ["once", "often", "by several"])
@pytest.mark.parametrize("held", [False, True])
def test_who_was_slow_never_holds_what_another_took(blobs: Blobs, when: str, what: str, held: bool) -> None:
    clock = [100.0]
    store = Slow(blobs.url)
    slow = lease(store, "slow", lambda: clock[0])
    if held:
        assert slow.acquire()
    else:
        assert lease(blobs, "dead").acquire()
    clock[0] += TTL_S + 1

    def meanwhile() -> None:
        setattr(store, when, lambda: None)
        clock[0] += TTL_S + 1
        dict(taken_over(blobs))[what](clock)

    setattr(store, when, meanwhile)
    assert not (slow.renew() if held else slow.acquire())
    assert not slow.renew()
    slow.release()
    assert lease(blobs, "fast", lambda: clock[0]).acquire(), "it still is whose it was"
    assert not lease(blobs, "another", lambda: clock[0]).acquire()


def _take_over(
    url: str, owner: str, barrier: Barrier, won: "multiprocessing.Queue[tuple[str, list[int]]]"
) -> None:
    blobs, mine = Blobs(url), []
    for number in range(ROUNDS):
        here = lease(blobs, owner, name=f"round-{number}")
        barrier.wait(60)
        if here.acquire():
            mine.append(number)
    won.put((owner, mine))


def test_of_two_processes_one_takes_an_expired_lease(blobs: Blobs) -> None:
    for number in range(ROUNDS):
        assert lease(blobs, "dead", lambda: 0.0, name=f"round-{number}").acquire()
    spawning = multiprocessing.get_context("spawn")
    barrier, won = spawning.Barrier(2), spawning.Queue()
    both = [
        spawning.Process(target=_take_over, args=(blobs.url, owner, barrier, won)) for owner in ("a", "b")
    ]
    for process in both:
        process.start()
    taken = dict(won.get(timeout=120) for _ in both)
    for process in both:
        process.join(30)
    assert sorted(taken["a"] + taken["b"]) == list(range(ROUNDS))
