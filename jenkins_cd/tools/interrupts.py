"""What Ctrl-C, SIGTERM and SIGHUP do: the run is ending, and the main thread is told of it wherever it waits.

Python runs the handler of a signal in the main thread, between two of its instructions. Two things are done about it
here: a block can put the exception off to its end, and a main thread that waits for something else is woken.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

from jenkins_cd.errors import Interrupted

AGAIN = 0.05  # seconds after which a signal whose handler has not run is sent once more
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Run:
    """Whether the run is ending, and whether the main thread may be interrupted just now.

    An interrupt is raised by a signal's handler, hence between any two instructions. In the middle of starting a
    program, or of waiting for it, that would leave it running or a lock taken.
    """

    stopping: bool = False
    busy: bool = False
    interrupt: Interrupted | None = None
    number: int = 0  # of the signal that ends it


run = Run()


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Put off an interrupt of the main thread until the end of the block, which looks at `run.stopping` itself."""
    if threading.current_thread() is not threading.main_thread() or run.busy:
        yield
        return
    run.busy = True
    try:
        yield
    finally:
        run.busy = False
        interrupt, run.interrupt = run.interrupt, None
        if interrupt:
            raise interrupt


@contextlib.contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into Interrupted, raised in the main thread once `stop` has told all to end.

    `stop` sets `run.stopping`, which is taken back at the beginning. A SIGHUP that is ignored stays so: nohup(1) wants
    a run to outlive its terminal. Only the main thread may call this.
    """

    def interrupt(number: int, _frame: FrameType | None) -> None:
        again = run.stopping
        stop()
        if again:
            return
        run.number = number
        stopped = Interrupted(f"stopped by {signal.Signals(number).name}")
        if run.busy:
            run.interrupt = stopped
        else:
            raise stopped

    run.stopping = False
    outlives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heeded = [number for number in _STOPS if number is not signal.SIGHUP or not outlives]
    previous = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        with _woken():
            yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _woken() -> Iterator[None]:
    """Send a signal to the main thread again until its handler has run.

    A signal that comes just before a lock is waited for does not end that wait: its handler runs once the lock is
    free, which may be when a stage of ten minutes has ended. See "Execution of Python signal handlers" in
    https://docs.python.org/3/library/signal.html.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    ended = threading.Event()
    waker = threading.Thread(target=_wake, args=(reader, ended), name="signals", daemon=True)
    waker.start()
    former = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield
    finally:
        with undisturbed():
            signal.set_wakeup_fd(former)
            ended.set()
            os.close(writer)
            waker.join()
            os.close(reader)


def _wake(reader: int, ended: threading.Event) -> None:
    main = threading.main_thread().ident
    while numbers := os.read(reader, 64):
        for number in {*numbers} & {*_STOPS}:
            while main and not ended.wait(AGAIN) and not run.stopping:
                signal.pthread_kill(main, number)
