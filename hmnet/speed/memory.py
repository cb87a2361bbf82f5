"""How much memory a network takes to answer, measured in a process of its own.

`python -m hmnet.speed.memory NAME RUNTIME BATCH` prints the figures of one, as JSON.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
UNIT = 1024 if sys.platform != "darwin" else 1
"""`ru_maxrss` is in kB, on macOS in bytes."""


def peak_memory(name: str, runtime: str, batch: int) -> float | None:
    """MB at the peak, beyond what the process had before the network was built; None where it failed."""
    command = [sys.executable, "-m", "hmnet.speed.memory", name, runtime, str(batch)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def peak() -> float:
    """MB that this process has had at most."""
    # On Linux `ru_maxrss` begins with what the process had that started this one.
    told = status_of("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT / 2**20 if told is None else told


def status_of(key: str) -> float | None:
    """MB that Linux tells of this process under that key; None on other systems."""
    lines = STATUS.read_text().splitlines() if STATUS.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{key}:")), None)


def main() -> None:
    """Build, answer twice, print by how many MB the peak rose."""
    from hmnet.speed.contestants import CONTESTANTS, built
    from hmnet.speed.runtimes import prepared

    name, runtime, batch = sys.argv[1:]
    contestant, before = CONTESTANTS[name], peak()
    prepared(built(contestant), contestant.inputs(int(batch)), runtime)()
    print(json.dumps(peak() - before))


if __name__ == "__main__":
    main()
