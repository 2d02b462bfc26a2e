from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jenkins_cd.errors import Interrupted
from jenkins_cd.tools import interrupts

pytestmark = pytest.mark.usefixtures("terminal")
STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def stop() -> None:
    """End the run, and not the programs of other tests."""
    interrupts.run.stopping = True


@pytest.fixture(autouse=True)
def nothing_else_is_stopped() -> Iterator[None]:
    yield
    interrupts.run.stopping = False


def main_thread(after: float = 0.0) -> list[str]:
    """Say how often the main thread has been put to sleep, and whether it sleeps: the same twice where it waits."""
    time.sleep(after)
    status = Path(f"/proc/self/task/{os.getpid()}/status").read_text()
    return [line for line in status.splitlines() if line.startswith(("State", "voluntary"))]


def watchers() -> int:
    return sum(thread.name == "signals" for thread in threading.enumerate())


@pytest.mark.parametrize("number", STOPS)
def test_a_main_thread_that_waits_is_woken_also_where_the_signal_did_not_end_its_wait(number: signal.Signals) -> None:
    free, caught, in_time = threading.Event(), threading.Event(), []

    def stop_elsewhere() -> None:
        while main_thread() != main_thread(0.1):
            pass
        signal.pthread_kill(threading.get_ident(), number)  # the main thread's wait is not ended by this
        in_time.append(caught.wait(20))
        free.set()

    def wait() -> None:
        thread = threading.Thread(target=stop_elsewhere)
        try:
            thread.start()
            free.wait()
        finally:
            caught.set()
            thread.join()

    with interrupts.interruptible(stop), pytest.raises(Interrupted, match=number.name):
        wait()
    assert in_time == [True]


@pytest.mark.parametrize("number", STOPS)
def test_an_interrupt_waits_for_the_end_of_the_outermost_block_that_is_not_to_be_disturbed(number: int) -> None:
    done = []

    @interrupts.undisturbed()
    def work() -> None:
        with interrupts.undisturbed():
            signal.raise_signal(number)
            done.append("inner")
        done.append("outer")

    with interrupts.interruptible(stop), pytest.raises(Interrupted):
        work()
    assert done == ["inner", "outer"]


def test_after_it_a_signal_does_what_it_did_before_and_no_thread_is_left() -> None:
    handlers = [signal.getsignal(number) for number in STOPS]
    with interrupts.interruptible(stop), interrupts.interruptible(stop):
        assert watchers() == 2
    assert [signal.getsignal(number) for number in STOPS] == handlers
    assert watchers() == 0
    assert signal.set_wakeup_fd(-1) == -1
