"""What visitors sent and what was made for them is gone in time."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from demo.environment import ANALYTICS, FOLDER
from demo.serving.sweep import Sweeper, sweep
from tests.load.protocol import Browser

ROOT = Path(__file__).parents[2]


def aged(path: Path, seconds: float) -> Path:
    then = time.time() - seconds
    os.utime(path, (then, then), follow_symlinks=False)
    return path


def test_old_files_and_the_folders_they_leave_empty_go_and_young_ones_stay(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("stays")
    cache = tmp_path / "cache"
    for name, age in (("old", 700), ("young", 10)):
        (cache / name / "inner").mkdir(parents=True)
        (cache / name / "inner" / "photo.jpg").write_bytes(b"photo")
        aged(cache / name / "inner" / "photo.jpg", age)
    (cache / "old" / "link").symlink_to(outside)
    (cache / "old" / "folder").symlink_to(tmp_path)
    for path in (cache / "old" / "link", cache / "old" / "folder", cache / "old" / "inner", cache / "old"):
        aged(path, 700)
    assert sweep(cache, 600) == 3
    assert outside.read_text() == "stays" and (cache / "young" / "inner" / "photo.jpg").exists()
    assert not (cache / "old").exists()


def test_young_files_stay(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"photo")
    assert sweep(tmp_path, 600) == 0 and (tmp_path / "photo.jpg").exists()


def test_the_sweeper_sweeps_again_and_again_and_survives_what_goes_wrong(tmp_path, monkeypatch):
    seen = []

    def failing(folder, age):
        seen.append(folder)
        raise PermissionError("no")

    monkeypatch.setattr("demo.serving.sweep.sweep", failing)
    sweeper = Sweeper(tmp_path, every=0.01)
    end = time.monotonic() + 10
    while len(seen) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    sweeper.stop()
    assert len(seen) >= 3


def test_a_photo_is_gone_once_it_was_read_and_a_download_is_swept(run, address, layout, photo, cache):
    async def visit():
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            browser = Browser(client, layout)
            sent, saved = layout.listener("photo-input", "upload"), layout.listener("save-glb", "click")
            values = layout.values(sent)
            values[0] = await browser.upload("photo.jpg", photo)
            await browser.run(sent, values)
            assert not Path(values[0]["path"]).exists()
            (described,) = await browser.run(saved, layout.values(saved))
            return described["path"], await browser.file(described)

    path, content = run(visit)
    assert content[:4] == b"glTF" and Path(path).is_relative_to(cache)
    assert sweep(cache, 0) >= 1
    assert httpx.get(f"{address}/gradio_api/file={path}").status_code == 403


def own_folder(temporary: Path) -> Path:
    """The folder that the app takes for visitors' files, below a folder for temporary ones."""
    environment = {key: value for key, value in os.environ.items() if key not in (ANALYTICS, FOLDER)}
    done = subprocess.run(
        [sys.executable, "-c", f"import demo.environment, os; print(os.environ['{FOLDER}'])"],
        env={**environment, "TMPDIR": str(temporary)}, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return Path(done.stdout.strip())


def test_the_app_keeps_files_where_only_its_user_may_read(tmp_path):
    folder = own_folder(tmp_path)
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    assert own_folder(tmp_path) == folder


def test_a_folder_that_others_may_read_is_not_taken(tmp_path):
    folder = own_folder(tmp_path)
    folder.chmod(0o777)
    other = own_folder(tmp_path)
    assert other != folder and other.stat().st_mode & 0o777 == 0o700
    folder.rmdir()
    folder.symlink_to(other)
    assert own_folder(tmp_path) not in (folder, other)
