"""A Space's files, what its README tells the Hub, and how both get there, to a server on this machine."""

import importlib.metadata
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub.hub_client import use_hub
from hub.hub_server import HubServer
from huggingface_hub import HfApi, RepoCard

from hmnet import space
from hmnet.__main__ import main
from hmnet.errors import OutputError, SpaceError

ROOT = Path(__file__).parents[1]
PROJECT = {
    "app.py": "from demo import page\n",
    "LICENSE": "Apache",
    "RESULTS.md": "# Results",
    "packages.txt": "libegl1\n",
    "requirements.txt": "gradio==6.31.0\n",
    ".gitignore": "*.log\n__pycache__/\n",
    "demo/__init__.py": "",
    "demo/page.py": "def late():\n    from hmnet.predictor import predict\n",
    "demo/page.js": "// script",
    "demo/note.log": "ignored",
    "hmnet/__init__.py": "",
    "hmnet/predictor.py": "import hmnet.parts.names\n",
    "hmnet/parts/__init__.py": "",
    "hmnet/parts/names.py": "",
    "hmnet/train.py": "import hmnet.predictor\n",
    "tests/test_page.py": "",
    "assets/weights/hmnet/hmnet.safetensors": "weights",
    "assets/results/gallery.png": "picture",
    "assets/readme/demo.png": "picture",
    "assets/experiments/hmnet/config.json": "{}",
}
EXPECTED = [
    "LICENSE", "README.md", "RESULTS.md", "app.py", "assets/results/gallery.png",
    "assets/weights/hmnet/hmnet.safetensors", "demo/__init__.py", "demo/page.js", "demo/page.py",
    "hmnet/__init__.py", "hmnet/parts/__init__.py", "hmnet/parts/names.py", "hmnet/predictor.py",
    "packages.txt", "requirements.txt",
]  # fmt: skip
REPO, WEIGHTS = "somebody/page", "somebody/weights"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkout with this project's README, which the command takes for its own."""
    root = tmp_path / "project"
    for name, text in PROJECT.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "README.md").write_text((ROOT / "README.md").read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", root], check=True)
    monkeypatch.setattr(space, "ROOT", root)
    return root


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub where its owner is logged in."""
    server = HubServer()
    use_hub(server.endpoint, tmp_path / "cache", monkeypatch, server.owner)
    yield server
    server.stop()


def sentence(captured: pytest.CaptureFixture[str]) -> str:
    lines = captured.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("hmnet: "), lines
    return lines[0]


def test_files_are_those_that_the_app_needs(project: Path) -> None:
    assert space.space_files() == EXPECTED
    (project / "demo" / "page.py").unlink()
    (project / "demo" / "other.css").write_text("")
    (project / "app.py").write_text("import demo.other, hmnet.train")
    (project / "demo" / "other.py").write_text("")
    changed = set(space.space_files())
    # What git does not know yet counts, what is gone does not.
    assert {"demo/other.py", "demo/other.css", "hmnet/train.py"} <= changed and "demo/page.py" not in changed


def test_files_without_git(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    (project / "demo" / "note.log").unlink()
    (project / "demo" / "__pycache__").mkdir()
    (project / "demo" / "__pycache__" / "page.pyc").write_text("")
    assert space.space_files() == EXPECTED


def test_what_is_no_checkout_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=r"lacks app.py, LICENSE, README.md.*in a checkout"):
        space.space_files(tmp_path)


def test_readme_and_requirements_name_the_gradio_that_is_installed() -> None:
    front = RepoCard.load(ROOT / "README.md").data
    pins = [
        line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("gradio")
    ]
    installed = importlib.metadata.version("gradio")
    assert front.sdk == "gradio" and front.sdk_version == installed and pins == [f"gradio[mcp]=={installed}"]
    assert (ROOT / front.app_file).is_file() and front.suggested_hardware == "cpu-basic"
    # The Hub refuses a longer one.
    assert len(front.short_description) <= 60


def test_the_card_of_a_space(project: Path, tmp_path: Path) -> None:
    space.build(tmp_path / "plain", HfApi())
    card, own = (RepoCard.load(folder / "README.md") for folder in (tmp_path / "plain", project))
    assert card.data.to_dict() == own.data.to_dict()
    assert "From one photo of a person" in card.text and "![" not in card.text
    space.build(tmp_path / "zero", HfApi(), WEIGHTS, "zero-a10g")
    data = RepoCard.load(tmp_path / "zero" / "README.md").data
    assert (data.preload_from_hub, data.models) == ([WEIGHTS], [WEIGHTS])
    assert (data.suggested_hardware, data.python_version) == ("zero-a10g", "3.12")


def test_the_output_folder(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "output"
    assert main(["space", "--output", str(output)]) == 0
    assert str(output) in capsys.readouterr().out
    assert sorted(p.relative_to(output).as_posix() for p in output.rglob("*") if p.is_file()) == EXPECTED
    with pytest.raises(OutputError, match="is not empty"):
        space.build(output, HfApi())


def test_a_space_is_created_and_updated(
    project: Path, hub: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["space", "--repo", REPO, "--private"]) == 0
    assert capsys.readouterr().out.strip() == f"{hub.endpoint}/spaces/{REPO}"
    repository = hub.repositories["space", REPO]
    assert repository.settings["sdk"] == "gradio" and repository.settings["visibility"] == "private"
    files = repository.commits[repository.branches["main"]]
    assert sorted(files) == [".gitattributes", *EXPECTED]
    assert files["assets/weights/hmnet/hmnet.safetensors"] == b"weights"

    (project / "demo" / "page.js").unlink()
    (project / "RESULTS.md").write_text("# Other results")
    assert main(["space", "--repo", REPO]) == 0
    files = repository.commits[repository.branches["main"]]
    assert "demo/page.js" not in files and files["RESULTS.md"] == b"# Other results"
    assert len(repository.commits) == 3


def test_weights_of_a_revision(project: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hardware = []
    monkeypatch.setattr(HfApi, "request_space_hardware", lambda self, *arguments: hardware.append(arguments))
    first = hub.add(WEIGHTS, {"README.md": b"", "hmnet/config.json": b"{}", "hmnet/hmnet.safetensors": b"1"})
    hub.add(WEIGHTS, {"hmnet/config.json": b"{}"})
    revision = f"{WEIGHTS}@{first}"
    assert main(["space", "--repo", REPO, "--weights-repo", revision, "--hardware", "t4-small"]) == 0
    repository = hub.repositories["space", REPO]
    assert repository.settings["variables"]["HMNET_REPO"]["value"] == revision
    assert hardware == [(REPO, "t4-small")]
    card = RepoCard(repository.commits[repository.branches["main"]]["README.md"].decode())
    files = "hmnet/config.json,hmnet/hmnet.safetensors"
    assert card.data.preload_from_hub == [f"{WEIGHTS} {files} {first}"]


@pytest.mark.parametrize(
    ("token", "arguments", "reason"),
    [
        (None, ["--repo", REPO], "There is no Hugging Face token"),
        ("hf_unknown", ["--repo", REPO], "this token is not known"),
        ("hf_reader", ["--repo", REPO], "this token may not write there"),
        ("hf_owner", ["--repo", "another/page"], "this token may not write there"),
        ("hf_owner", ["--repo", "a/b/c"], "is not the name of a repository"),
        (
            "hf_owner",
            ["--repo", REPO, "--weights-repo", f"{WEIGHTS}@v1"],
            f"refuses {WEIGHTS}@v1, there is no such",
        ),
        ("hf_owner", ["--repo", REPO, "--hardware", "toaster"], "choose one of cpu-basic"),
        ("hf_owner", [], "Expected --repo user/name"),
    ],
)
def test_refusals_are_sentences(
    token: str | None,
    arguments: list[str],
    reason: str,
    project: Path,
    hub: HubServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if token is None:
        monkeypatch.delenv("HF_TOKEN")
    else:
        monkeypatch.setenv("HF_TOKEN", token)
    assert main(["space", *arguments]) == 2
    assert reason in sentence(capsys)
    assert ("space", REPO) not in hub.repositories


def test_a_hub_that_is_down(project: Path, hub: HubServer, capsys: pytest.CaptureFixture[str]) -> None:
    hub.stop()
    assert main(["space", "--repo", REPO]) == 2
    assert "The Hub cannot be reached" in sentence(capsys)
