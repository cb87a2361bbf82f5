"""Create or update the demo's Space on the Hugging Face Hub, or only build its files in a folder."""

import argparse
import shutil
import subprocess
import tempfile
from modulefinder import ModuleFinder
from pathlib import Path
from typing import TYPE_CHECKING

from hmnet.errors import OutputError, SpaceError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

# Help comes at once: whatever is slow to import is imported where it is used.

ROOT = Path(__file__).parents[1]
README = "README.md"
FILES = ("app.py", "LICENSE", README, "RESULTS.md", "packages.txt", "requirements.txt")
"""Of the project's root. Of its Python files a Space has those that app.py imports."""
NOT_SHOWN = (
    "assets/body/makehuman_base.safetensors", "assets/experiments/", "assets/readme/", "assets/test_set.json",
)  # fmt: skip
"""Of the assets, what the page has no use for."""
ZERO_GPU, ZERO_GPU_PYTHON = "zero-a10g", "3.12"
"""The hardware's name, and a Python version that it supports: 3.11 is not one."""
EPILOGUE = """Uploading needs a Hugging Face token that may write: `hf auth login`, or HF_TOKEN. Run it
again to update the Space: files that vanished here vanish there. With --weights-repo the Space takes its
weights from that repository, preloaded when it is built, and those that come with the program remain its
fallback; give a revision to have exactly these weights, whatever becomes of the repository."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.epilog = EPILOGUE
    parser.add_argument("--repo", metavar="ID", help="the Space, as user/name")
    parser.add_argument(
        "--weights-repo",
        metavar="ID[@REVISION]",
        help="a repository of weights, as user/name (default: none)",
    )
    parser.add_argument("--hardware", metavar="NAME", help=f"such as cpu-basic, t4-small or {ZERO_GPU}")
    parser.add_argument("--private", action="store_true", help="make a new Space private")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="build the files in this empty folder and upload nothing"
    )


def run(options: argparse.Namespace) -> None:
    """Builds the Space's files; uploads them unless there is an output folder. Raises HMNetError."""
    from huggingface_hub import HfApi

    from hmnet.upload_errors import need_token, one_sentence

    if options.output is None and options.repo is None:
        raise SpaceError("Expected --repo user/name, or --output DIR to build the files only.")
    api = HfApi(token=need_token() if options.output is None else None)
    with one_sentence(options.repo or options.weights_repo):
        if options.output is None:
            print(upload(api, options.repo, options.weights_repo, options.hardware, options.private))
        else:
            build(options.output, api, options.weights_repo, options.hardware)
            print(f"{options.output}: start it with `python app.py` there.")


def upload(
    api: "HfApi", repo: str, weights: str | None = None, hardware: str | None = None, private: bool = False
) -> str:
    """Creates or updates a Space; returns its address.

    weights: repository "user/name" or "user/name@revision". hardware: of `huggingface_hub.SpaceHardware`;
    None leaves it as it is. private: of a new Space. Raises SpaceError, and what huggingface_hub raises.
    """
    from hmnet.checkpoint import REPO_VARIABLE

    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), api, weights, hardware)
        address = api.create_repo(
            repo, repo_type="space", space_sdk="gradio", private=private or None, exist_ok=True
        )
        # Before the files: those have the Space built and started.
        if weights is not None:
            api.add_space_variable(repo, REPO_VARIABLE, weights)
        if hardware is not None:
            api.request_space_hardware(repo, hardware)
        api.upload_folder(
            repo_id=repo, repo_type="space", folder_path=folder, delete_patterns="*",
            commit_message="The demo as of `python -m hmnet space`",
        )  # fmt: skip
    return str(address)


def build(folder: Path, api: "HfApi", weights: str | None = None, hardware: str | None = None) -> None:
    """Puts a Space's files into an empty folder; the arguments are those of `upload`.

    The Hub is asked only for the commit and the files of a revision of the weights. Raises SpaceError where
    files are missing or the hardware is unknown, OutputError for a folder that is not empty.
    """
    from huggingface_hub import SpaceHardware

    known = [one.value for one in SpaceHardware]
    if hardware is not None and hardware not in known:
        raise SpaceError(f"Unknown hardware {hardware!r}: choose one of {', '.join(known)}.")
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"The folder {folder} is not empty: choose an empty or a new one.")
    for name in space_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    _write_card(folder / README, [] if weights is None else [_preloaded(weights, api)], hardware)


def space_files(root: Path | None = None) -> list[str]:
    """Paths of what the app needs, relative to the project's root, never an ignored file.

    root: of a checkout of the project; None is this one. Raises SpaceError for what is none.
    """
    root = root or ROOT
    missing = [name for name in FILES if not (root / name).is_file()]
    if missing:
        raise SpaceError(f"{root} lacks {', '.join(missing)}: run this command in a checkout of the project.")
    code = _imported_by_app(root)
    return [name for name in _project_files(root) if name in FILES or name in code or _is_shown(name)]


def _is_shown(name: str) -> bool:
    """Whether a file is the page's, code aside: its scripts and styles, and assets."""
    if name.startswith("assets/"):
        return not name.startswith(NOT_SHOWN)
    return name.startswith("demo/") and not name.endswith(".py")


def _project_files(root: Path) -> list[str]:
    """All files, as git tells them, or where it cannot, as they lie there."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        listed = ""
    names = listed.split("\0")[:-1]
    if not names:
        names = [
            path.relative_to(root).as_posix() for path in root.rglob("*") if "__pycache__" not in path.parts
        ]
    return sorted({name for name in names if (root / name).is_file()})


def _imported_by_app(root: Path) -> set[str]:
    """The project's Python files that app.py imports, wherever in them the imports stand; nothing runs."""
    finder = ModuleFinder(path=[str(root)])
    finder.run_script(str(root / "app.py"))
    files = (module.__file__ for module in finder.modules.values())
    return {Path(file).relative_to(root).as_posix() for file in files if file}


def _preloaded(weights: str, api: "HfApi") -> str:
    """What the Hub's `preload_from_hub` calls a repository: its name, and at a revision files and commit."""
    from hmnet.upload_errors import one_sentence

    repo, _, revision = weights.partition("@")
    if not revision:
        return repo
    with one_sentence(weights):
        found = api.model_info(repo, revision=revision)
    names = [file.rfilename for file in found.siblings or ()]
    names = [name for name in names if name.endswith((".json", ".safetensors"))]
    return f"{repo} {','.join(names)} {found.sha}"


def _write_card(path: Path, preloaded: list[str], hardware: str | None) -> None:
    """Makes the project's README a Space's: what the Hub reads, and the text above the first picture."""
    from huggingface_hub import RepoCard

    card = RepoCard.load(path)
    card.text = card.text.partition("\n![")[0]
    if preloaded:
        card.data.models = [entry.split()[0] for entry in preloaded]
        card.data.preload_from_hub = preloaded
    if hardware is not None:
        card.data.suggested_hardware = hardware
    if hardware == ZERO_GPU:
        card.data.python_version = ZERO_GPU_PYTHON
    card.save(path)
