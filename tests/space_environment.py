"""An environment that holds exactly what requirements ask for, made of links to what is installed here.

Installing it anew would take minutes; links take a second, and what is not asked for is as absent.
"""

import importlib.metadata
import os
import subprocess
import venv
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

WITHOUT_GL = '''
"""Python's start on a machine without any GL library: loading one fails as it does there."""
import ctypes, ctypes.util, re
GL = re.compile(r"(^|/)(lib)?(E?GL|GLX|GLU|GLESv2|OpenGL|OSMesa|gbm|X11|Xrender)\\b")
load, find = ctypes.CDLL.__init__, ctypes.util.find_library

def load_no_gl(self, name, *arguments, **options):
    if name and GL.search(str(name)):
        raise OSError(f"{name}: cannot open shared object file: No such file or directory")
    load(self, name, *arguments, **options)

ctypes.CDLL.__init__ = load_no_gl
ctypes.util.find_library = lambda name: None if GL.search(name) else find(name)
'''
OWN = ("PYTHON", "GRADIO_", "HMNET_", "HF_", "VIRTUAL_ENV")
"""Beginnings of the variables that a Space does not take over from whoever runs the tests."""


def required(requirements: Path) -> dict[str, importlib.metadata.Distribution]:
    """The installed distributions, by name, that a requirements file asks for, and what those ask for."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    waiting = [(line, "") for line in lines if line.strip() and not line.startswith("#")]
    found, seen = {}, set()
    while waiting:
        line, of_extra = waiting.pop()
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": of_extra}):
            continue
        distribution = importlib.metadata.distribution(requirement.name)
        assert requirement.specifier.contains(distribution.version, prereleases=True), f"{line} is not met"
        name = canonicalize_name(requirement.name)
        found[name] = distribution
        for extra in {"", *requirement.extras} - {extra for other, extra in seen if other == name}:
            seen.add((name, extra))
            waiting += [(line, extra) for line in distribution.requires or ()]
    return found


def make_environment(folder: Path, requirements: Path, without_gl: bool = False) -> Path:
    """A virtual environment with what the file asks for and nothing else; returns its python."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip())
    for distribution in required(requirements).values():
        for name in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            if not (packages / name).exists():
                (packages / name).symlink_to(Path(distribution.locate_file(name)))
    if without_gl:
        (packages / "sitecustomize.py").write_text(WITHOUT_GL, encoding="utf-8")
    return python


def start(python: Path, tree: Path, port: int, home: Path, log: Path) -> subprocess.Popen:
    """Starts a Space as the Hub does: `python app.py` in its files, told by variables where to listen."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    told = {
        "HOME": str(home), "PATH": f"{python.parent}:{os.defpath}", "TMPDIR": str(home),
        "SPACE_ID": "someone/humanmeshnet", "SYSTEM": "spaces", "CUDA_VISIBLE_DEVICES": "",
        "GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": str(port), "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    with log.open("w") as file:
        return subprocess.Popen(["python", "app.py"], cwd=tree, env=kept | told, stdout=file, stderr=file)


def absent(python: Path, modules: list[str]) -> list[str]:
    """Those of the modules that an environment does not have."""
    code = "import sys, importlib.util as u; print(*(m for m in sys.argv[1:] if not u.find_spec(m)))"
    done = subprocess.run([python, "-c", code, *modules], capture_output=True, text=True, check=True)
    return done.stdout.split()
