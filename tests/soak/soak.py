"""The course of a soak: calm, then one fault after the other, then rest."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from figures import band

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from faults import Trouble
    from process import Subject

# Seconds until pending work has ended: calls may take 300, and machines are busy.
PATIENCE = 600
# Seconds until a process has released the resources of its last logins; idle connections stay for
# 90.
REST = 120
BANDS = ("threads", "descriptors")


class Sampler:
    """Samples all subjects every second, in a thread."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._subjects = subjects
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(1):
            for subject in self._subjects:
                if subject.alive:
                    subject.sample()


def soak(
    subjects: Sequence[Subject], trouble: Trouble, seconds: float, calm: float, between: float
) -> None:
    """Injects faults while the subjects log in, and waits until they are at rest.

    `calm` is the number of seconds without faults at the beginning and at the end; `between` is the
    number of seconds between two faults.
    """
    environment = trouble.environment
    with Sampler(subjects):
        begun = time.monotonic()
        time.sleep(calm)
        environment.begin_faults()
        while time.monotonic() < begun + seconds - calm and any_alive(subjects):
            trouble.make()
            time.sleep(between)
        environment.end_faults()
        for subject in subjects:
            while subject.alive and not subject.done.wait(1):
                if time.monotonic() > begun + seconds + PATIENCE:
                    raise TimeoutError(f"{subject.language} does not end: a call hangs")
        deadline = time.monotonic() + REST
        while any(out_of_band(subject, calm) for subject in subjects):
            if time.monotonic() > deadline:
                break
            time.sleep(1)


def any_alive(subjects: Sequence[Subject]) -> bool:
    return any(subject.alive for subject in subjects)


def out_of_band(subject: Subject, calm: float) -> list[str]:
    """The resources of which the process now has more than before the first fault."""
    if not subject.alive or not subject.samples:
        return []
    now = subject.sample()
    said = []
    for what in BANDS:
        _, most = band(subject.samples, calm, what)
        if getattr(now, what) > most:
            said.append(f"{what} did not come back: {getattr(now, what)}, at most {most} before")
    return said
