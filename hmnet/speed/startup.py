"""How long a fresh process takes until its first prediction.

`python -m hmnet.speed.startup` is that process: it prints the seconds of each step as JSON.
"""

import json
import subprocess
import sys
import time

STEPS = ("import", "weights", "engine", "first prediction")


def startup() -> dict[str, float]:
    """Seconds of STEPS in a process of its own, and "total" from its start to its first prediction."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "hmnet.speed.startup"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        laps = json.loads(process.stdout.readline())
        total = time.perf_counter() - start
    return {**laps, "total": total}


def main() -> None:
    """Import, load, make the engine, reconstruct; print how long each took."""
    laps = [time.perf_counter()]
    from hmnet.checkpoint import load_checkpoint
    from hmnet.predictor import Predictor
    from hmnet.speed.pipeline import photo

    laps.append(time.perf_counter())
    checkpoint = load_checkpoint()
    laps.append(time.perf_counter())
    predictor = Predictor(checkpoint)
    picture = photo()
    laps.append(time.perf_counter())
    predictor.predict(picture)
    laps.append(time.perf_counter())
    print(json.dumps({step: laps[i + 1] - laps[i] for i, step in enumerate(STEPS)}), flush=True)


if __name__ == "__main__":
    main()
