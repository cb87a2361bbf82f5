"""A process that lets readers loose on cases, one after the other, with bounded memory."""

import importlib
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from hmnet.errors import HMNetError
from hmnet.speed.memory import peak, status_of

from .verdict import faults, short_of_memory

Reader = Callable[[bytes, Path], None]
"""Reads a case's bytes, in a folder that is its own; raises HMNetError where it refuses them."""
READ, REFUSED, FAILED = "read", "refused", "failed"
GIVEN = 2**20
"""Bytes of a case whose words a refusal may repeat."""
MOST_SHOWN = 2000
"""Characters of a failure's description."""


@dataclass(frozen=True)
class Limits:
    """Of one case. seconds: until it counts as hanging, while it computes or waits; time in which other
    programs have the processor is not its own. address_space: bytes beyond what the process has when
    it starts. memory: MB that it may really take."""

    seconds: float = 10.0
    address_space: int = 4 * 2**30
    memory: float = 2000.0


USUAL = Limits()


@dataclass(frozen=True)
class Case:
    """One file or message. name: what it was made from."""

    kind: str
    name: str
    data: bytes


@dataclass(frozen=True)
class Outcome:
    """What came of a case. verdict: READ, REFUSED or FAILED. words: the refusal or the failure. seconds:
    of the processor, its threads' together. memory: MB at the process's peak beyond its start."""

    case: Case
    verdict: str
    words: str
    seconds: float
    memory: float


def serve(pipe: Connection, module: str, limits: Limits, folder: str) -> None:
    """Says that it is ready, and answers cases from the pipe with (verdict, words, seconds, memory) until it
    closes.

    module: its READERS are the readers by kind of case. Standard error goes to a file, so that
    whatever is printed there can be looked at after each case.
    """
    os.chdir(folder)
    printed = os.open("stderr.txt", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    os.dup2(printed, sys.stderr.fileno())
    readers: Mapping[str, Reader] = importlib.import_module(module).READERS
    _no_threads()
    before = peak()
    pages = (status_of("VmSize") or 0) * 2**20 + limits.address_space
    resource.setrlimit(resource.RLIMIT_AS, (int(pages), int(pages)))
    pipe.send("ready")
    while True:
        try:
            case = pipe.recv()
        except EOFError:
            return
        start = time.process_time()
        verdict, words = answer(readers[case.kind], case, Path(folder))
        seconds, grown = time.process_time() - start, peak() - before
        if verdict != FAILED and _traceback_in(printed):
            verdict, words = FAILED, "a traceback was printed"
        if verdict != FAILED and grown > limits.memory:
            verdict, words = FAILED, f"memory: it took {grown:.0f} MB"
        pipe.send((verdict, words, seconds, grown))


def answer(reader: Reader, case: Case, folder: Path) -> tuple[str, str]:
    """The verdict on one case, and the refusal or failure in words."""
    try:
        reader(case.data, folder)
    except HMNetError as error:
        if short_of_memory(error):
            return FAILED, f"memory: it asked for more than it may have, and said {str(error)[:200]!r}"
        given = case.data[:GIVEN].decode(errors="replace")
        wrong = faults(str(error), given, str(folder))
        if wrong:
            return FAILED, f"words: {', '.join(wrong)}: {str(error)[:500]!r}"
        return REFUSED, str(error)
    except MemoryError:
        return FAILED, "memory: it asked for more than it may have"
    except Exception:  # whatever else gets through is what is looked for here
        return FAILED, "exception: " + traceback.format_exc()[-MOST_SHOWN:]
    return READ, ""


def _no_threads() -> None:
    """Torch's threads would wait for one another in a forked process."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def _traceback_in(printed: int) -> bool:
    """Whether one stands in the file of what was printed, which is emptied."""
    found = b"Traceback" in os.pread(printed, 2**20, 0)
    os.ftruncate(printed, 0)
    return found
