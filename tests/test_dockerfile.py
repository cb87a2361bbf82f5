"""The Dockerfile against what it refers to: files, packages, the port, the arguments of app.py."""

import json
from pathlib import Path

from dockerfile_check import instructions

import app
from hmnet.space import space_files

ROOT = Path(__file__).parents[1]
STEPS = instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))
IGNORED = [
    line
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
PORT = 7860


def texts(name: str) -> list[str]:
    """What follows the instructions of that name."""
    return [text for instruction, text in STEPS if instruction == name]


def test_image_has_whatever_a_space_has() -> None:
    sources = [source for text in texts("COPY") for source in text.split()[:-1]]
    assert all((ROOT / source).exists() for source in sources)

    def is_copied(name: str) -> bool:
        return name.startswith(tuple(f"{s}/" if (ROOT / s).is_dir() else s for s in sources))

    files = space_files()
    assert [name for name in files if not is_copied(name)] == []
    assert [name for name in files if name.startswith(tuple(IGNORED))] == []


def test_debian_packages_are_those_of_a_space() -> None:
    names = [name for name, _ in STEPS]
    (apt,) = (index for index, (_, text) in enumerate(STEPS) if "apt-get install" in text)
    assert "$(cat packages.txt)" in STEPS[apt][1]
    assert ("COPY", "packages.txt ./") in STEPS[:apt]
    # What Python packages need is installed before the app is copied, and both before root's rights go.
    order = [
        names.index("FROM"),
        STEPS.index(("COPY", "requirements.txt ./")),
        STEPS.index(("COPY", "demo demo")),
    ]
    assert order == sorted(order) and order[-1] < names.index("USER")
    assert texts("USER") == ["1000"] and "--uid 1000" in STEPS[apt][1]


def test_command_and_port() -> None:
    (command,) = map(json.loads, texts("CMD"))
    assert command[:2] == ["python", "app.py"] and (ROOT / command[1]).is_file()
    options = app._parser().parse_args(command[2:])
    assert (options.host, options.port) == ("0.0.0.0", PORT)
    assert texts("EXPOSE") == [str(PORT)]
    (health,) = texts("HEALTHCHECK")
    program = json.loads(health.partition("CMD ")[2])[2]
    assert f"http://127.0.0.1:{PORT}/healthz" in program
    compile(program, "health", "exec")


def test_instructions_are_read_as_docker_reads_them() -> None:
    text = '# a comment\nFROM debian\n\nRUN one \\\n    && two\nCMD ["a b"]\n'
    assert instructions(text) == [("FROM", "debian"), ("RUN", "one  && two"), ("CMD", '["a b"]')]
