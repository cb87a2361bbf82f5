"""Does what the Dockerfile says without Docker: on a bare Debian in a folder, as root, then asks the page.

    python tests/dockerfile_check.py ROOT [--copy PATH ...]

ROOT: a folder that is not there yet, or holds a bare Debian. --copy: files of this machine that the build
needs in its network, such as settings of a package mirror and its certificate, put at the same place.
Prints the seconds of each step, the size of the whole, and what the page answers.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parents[1]
START_SECONDS = 300
DOCKERS_OWN = (Path("/etc/resolv.conf"), Path("/etc/hosts"))
"""What Docker too puts into every container."""
ASK = """
from gradio_client import Client, handle_file
person = Client("http://127.0.0.1:7860", verbose=False).predict(
    handle_file("assets/examples/walking.jpg"), api_name="/reconstruct")
print("reconstructed:", len(person["vertices"]), "vertices")
"""


@dataclass
class Stage:
    """Where the next instruction runs: the image's root, working directory, user and environment."""

    root: Path
    folder: str = "/"
    user: str = "0"
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    )

    def start(self, command: list[str]) -> subprocess.Popen:
        """A command begun in the image."""
        enter = ["chroot", f"--userspec={self.user}:{self.user}", str(self.root), "/bin/sh", "-c"]
        script = f'cd {shlex.quote(self.folder)} && exec "$@"'
        home = {"HOME": "/root" if self.user == "0" else "/home/app"}
        return subprocess.Popen([*enter, script, "sh", *command], env=home | self.environment)

    def run(self, command: list[str]) -> int:
        """The exit code of a command in the image."""
        return self.start(command).wait()


def instructions(text: str) -> list[tuple[str, str]]:
    """A Dockerfile's instructions as (NAME, all that follows), comments left out and lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines)
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def ignored_names(patterns: list[str]):
    """What `shutil.copytree` leaves out: names behind **/ everywhere, paths of the project elsewhere."""

    def ignore(folder: str, names: list[str]) -> list[str]:
        here = Path(folder).relative_to(PROJECT)
        return [n for n in names if f"**/{n}" in patterns or (here / n).as_posix() in patterns]

    return ignore


def bring(root: Path, paths: list[Path]) -> None:
    """Copies files of this machine to the same place in the image."""
    for path in paths:
        place = root / path.relative_to("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)


def copy(stage: Stage, text: str, patterns: list[str]) -> None:
    """COPY: files and folders of the project, root's, to a place in the image."""
    *sources, target = text.split()
    for source in sources:
        place = stage.root / stage.folder.lstrip("/") / target
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, place, ignore=ignored_names(patterns), dirs_exist_ok=True)
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / source, place / source)


def follow(stage: Stage, name: str, text: str, patterns: list[str]) -> None:
    """Does one instruction of the build; SystemExit where a RUN fails or the instruction is unknown."""
    if name == "ENV":
        for assignment in shlex.split(text):
            key, value = assignment.split("=", 1)
            stage.environment[key] = value.replace("$PATH", stage.environment["PATH"])
    elif name == "WORKDIR":
        stage.folder = text
        (stage.root / text.lstrip("/")).mkdir(parents=True, exist_ok=True)
    elif name == "USER":
        stage.user = text
    elif name == "COPY":
        copy(stage, text, patterns)
    elif name == "RUN":
        if stage.run(["/bin/sh", "-c", text]):
            sys.exit(f"failed: RUN {text}")
    elif name not in ("FROM", "ARG", "EXPOSE", "HEALTHCHECK", "CMD"):
        sys.exit(f"unknown instruction: {name}")


def ask_the_page(stage: Stage, command: list[str], health: list[str]) -> None:
    """Starts the page, waits for its health check, and reconstructs an example."""
    begun = time.monotonic()
    page = stage.start(command)
    try:
        while stage.run(health):
            if page.poll() is not None or time.monotonic() - begun > START_SECONDS:
                sys.exit("failed: the page does not answer its health check")
            time.sleep(2)
        print(f"{time.monotonic() - begun:7.1f} s until the health check is passed")
        if stage.run(["python", "-c", ASK]):
            sys.exit("failed: the page does not reconstruct an example")
    finally:
        page.terminate()
        page.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--copy", type=Path, action="append", default=[], metavar="PATH")
    options = parser.parse_args()
    root = options.root.resolve()
    if not (root / "usr").is_dir():
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", str(root)], check=True)
    steps = instructions((PROJECT / "Dockerfile").read_text(encoding="utf-8"))
    patterns = (PROJECT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    last = dict(steps)
    stage = Stage(root)
    for mount in ("proc", "dev"):
        subprocess.run(["mount", "--bind", f"/{mount}", str(root / mount)], check=True)
    try:
        for name, text in steps:
            # Each time: a package's installation may have put its own files there.
            bring(root, [*DOCKERS_OWN, *options.copy])
            begun = time.monotonic()
            follow(stage, name, text, patterns)
            print(f"{time.monotonic() - begun:7.1f} s {name} {text[:80]}", flush=True)
        size = subprocess.run(["du", "-sx", "--block-size=1M", str(root)], capture_output=True, text=True)
        print(f"{size.stdout.split()[0]:>7} MiB in all")
        ask_the_page(stage, json.loads(last["CMD"]), json.loads(last["HEALTHCHECK"].split("CMD", 1)[1]))
    finally:
        for mount in ("dev", "proc"):
            subprocess.run(["umount", str(root / mount)], check=False)


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("This needs root, for chroot and mount.")
    main()
