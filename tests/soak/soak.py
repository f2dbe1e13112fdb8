"""The course of a soak: calm, then one trouble after the other, then rest."""

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

# Seconds until what was begun is over: calls have 300, and machines are busy.
PATIENCE = 600
# Until a process has shed what it needed for its last logins; idle connections are kept for 90.
REST = 120
BANDS = ("threads", "descriptors")


class Sampler:
    """Samples every subject every second, in a thread."""

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
    """Makes trouble while the subjects log in, and waits until they came to rest.

    `calm` is for how many seconds there is none at the beginning and at the end, `between` for how
    many there is none in between.
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
    """What the process now has more of than at any time while nothing was broken yet."""
    if not subject.alive or not subject.samples:
        return []
    now = subject.sample()
    said = []
    for what in BANDS:
        _, most = band(subject.samples, calm, what)
        if getattr(now, what) > most:
            said.append(f"{what} did not come back: {getattr(now, what)}, at most {most} before")
    return said
