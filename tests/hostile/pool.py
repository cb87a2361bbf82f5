"""Worker processes that cases are given to; one that hangs or dies is noticed, ended and replaced."""

import contextlib
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from .worker import FAILED, USUAL, Case, Limits, Outcome, serve

START_SECONDS = 120.0
"""For a process to be ready; one that is not by then shows as a hang or a crash of its first case."""
LOOKS, PAUSE = 5, 0.05
"""How often, and how many s apart, a process is looked at before it counts as waiting."""


@dataclass
class _Worker:
    """A process and what it is at."""

    process: BaseProcess
    pipe: Connection
    folder: str
    case: Case | None = None
    since: float = 0.0
    seconds_before: float = 0.0
    """Of the processor, that it had when it got the case."""


class Pool:
    """Use as a context, so that all processes end and their folders go.

    module: its READERS are the readers by kind of case. It is imported once, and processes branch off from
    there: a new one starts at once.
    """

    def __init__(self, module: str, limits: Limits = USUAL, count: int = 2) -> None:
        self._module, self._limits, self._count = module, limits, count
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([module])
        self._workers: list[_Worker] = []

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *error: object) -> None:
        for worker in list(self._workers):
            self._end(worker)

    def run(self, cases: Iterable[Case]) -> Iterator[Outcome]:
        """What comes of each case, in the order in which they end."""
        waiting, exhausted = iter(cases), False
        while True:
            while not exhausted and (free := self._free()) is not None:
                case = next(waiting, None)
                exhausted = case is None
                if case is not None:
                    self._hand_over(case, free)
            busy = [worker for worker in self._workers if worker.case is not None]
            if not busy:
                return
            due = min(worker.since for worker in busy) + self._limits.seconds
            # Where that is over already, a process waits for its turn: it is looked at once a second.
            ready = wait([worker.pipe for worker in busy], max(1.0, due - time.monotonic()))
            yield from self._answers(busy, ready)

    def _hand_over(self, case: Case, worker: _Worker) -> None:
        worker.case, worker.since = case, time.monotonic()
        worker.seconds_before = _state(worker.process.pid)[1]
        # Where it has died meanwhile, its pipe says so when the answer is read.
        with contextlib.suppress(OSError):
            worker.pipe.send(case)

    def _answers(self, busy: list[_Worker], ready: Sequence[object]) -> Iterator[Outcome]:
        """Of those that answered or died, and of those whose time is over."""
        for worker in busy:
            case, taken = worker.case, time.monotonic() - worker.since
            if worker.pipe in ready:
                yield self._answer(worker, case, taken)
            elif taken > self._limits.seconds and not self._starved(worker):
                self._end(worker)
                yield Outcome(case, FAILED, f"hang: no answer after {taken:.0f} s", taken, 0.0)

    def _starved(self, worker: _Worker) -> bool:
        """Whether a process that is late still computes, and has had less of the processor than it may."""
        for _ in range(LOOKS):
            computes, seconds = _state(worker.process.pid)
            if computes:
                return seconds - worker.seconds_before < self._limits.seconds
            time.sleep(PAUSE)
        return False

    def _answer(self, worker: _Worker, case: Case, taken: float) -> Outcome:
        try:
            verdict, words, seconds, memory = worker.pipe.recv()
        except (EOFError, ConnectionError):
            code = self._end(worker)
            return Outcome(case, FAILED, f"crash: the process ended with {code}", taken, 0.0)
        worker.case = None
        if verdict == FAILED:
            # What went wrong may last.
            self._end(worker)
        elif seconds > self._limits.seconds:
            verdict, words = FAILED, f"hang: it took {seconds:.0f} s"
        return Outcome(case, verdict, words, seconds, memory)

    def _free(self) -> _Worker | None:
        """A process that has nothing to do, a new one where there may be one more."""
        for worker in self._workers:
            if worker.case is None:
                return worker
        if len(self._workers) >= self._count:
            return None
        ours, theirs = self._context.Pipe()
        folder = tempfile.mkdtemp(prefix="hmnet-fuzz-")
        process = self._context.Process(
            target=serve, args=(theirs, self._module, self._limits, folder), daemon=True
        )
        process.start()
        # Only the process itself holds its end now, so that its death shows.
        theirs.close()
        # The first of them imports everything, which is no reader's time.
        if ours.poll(START_SECONDS):
            with contextlib.suppress(EOFError):
                ours.recv()
        self._workers.append(_Worker(process, ours, folder))
        return self._workers[-1]

    def _end(self, worker: _Worker) -> int | None:
        """The exit code of a process that is ended, or has ended by itself."""
        self._workers.remove(worker)
        worker.pipe.close()
        # One that waits for a case sees that and goes; one that died has an exit code soon.
        worker.process.join(0.5)
        if worker.process.is_alive():
            worker.process.kill()
        worker.process.join()
        shutil.rmtree(worker.folder, ignore_errors=True)
        return worker.process.exitcode


def _state(pid: int | None) -> tuple[bool, float]:
    """Whether any thread of a process computes, and the s of the processor that it had; from Linux."""
    try:
        fields = _fields(Path(f"/proc/{pid}/stat"))
        threads = [_fields(path)[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:  # it has just ended, or another system has no such files
        return False, 0.0
    return "R" in threads, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _fields(path: Path) -> list[str]:
    """Of a process's or a thread's line of state, what comes behind its name."""
    return path.read_text().rpartition(")")[2].split()
