"""Repositories of the Hugging Face Hub: found in the local cache or fetched into it, and checked.

Only JSON, safetensors and the model card are ever fetched. Every file is checked by the sum that the Hub
names for it; a corrupt one is deleted and fetched once more.
"""

import json
import os
import re
from fnmatch import fnmatch
from pathlib import Path

from huggingface_hub import HfApi, ModelInfo, constants, hf_hub_url, snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import tqdm

from hmnet.download import fetch_blob, has_sum
from hmnet.errors import CheckpointError
from hmnet.hub_source import HubSource, failure_of

CONFIG = constants.CONFIG_NAME
FETCHED = ["*.json", "*.safetensors", "README.md"]
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
TIMEOUT = 5
"""Seconds until a silent Hub is given up."""
SUM = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def fetch(
    source: HubSource,
    *,
    cache_dir: str | Path | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
    force_download: bool = False,
) -> Path:
    """The folder of a repository's files in the local cache; its name is the commit.

    Where the cache holds them whole nothing is asked of the Hub; a branch is then at the commit that it had
    when it was fetched. cache_dir, token, local_files_only, force_download: as huggingface_hub takes them.
    Raises CheckpointError, whose sentence tells the failures apart.
    """
    options = {"cache_dir": cache_dir, "token": token}
    folder = None if force_download else _cached(source, cache_dir)
    if folder is None:
        if local_files_only:
            raise CheckpointError(
                f"The local cache holds no whole copy of {source}: load it once with a network."
            )
        folder = _download(source, **options, force=force_download)
    damaged = _damaged(folder)
    if not damaged:
        return folder
    if local_files_only:
        raise CheckpointError(
            f"The local cache of {source.repo} holds a corrupt {_names(damaged, folder)}: load it once with "
            "a network, which fetches it anew."
        )
    return _mended(source.repo, folder, damaged, options)


def _mended(repo: str, folder: Path, damaged: list[Path], options: dict) -> Path:
    """The folder with the damaged files fetched anew; CheckpointError where they come damaged again."""
    names = _names(damaged, folder)
    _delete(damaged)
    try:
        folder = _download(HubSource(repo, folder.name), **options)
    except CheckpointError as error:
        raise CheckpointError(
            f"The local cache of {repo} held a corrupt {names}, and fetching it anew failed: {error}"
        ) from error
    if damaged := _damaged(folder):
        _delete(damaged)
        raise CheckpointError(
            f"{_names(damaged, folder)} of {repo} came twice with another checksum than the Hub names for "
            "it: try later, or over another network."
        )
    return folder


def _cached(source: HubSource, cache_dir: str | Path | None) -> Path | None:
    """The folder in the cache, damaged files included; None where files are missing."""
    try:
        folder = Path(snapshot_download(
            source.repo, revision=source.revision, cache_dir=cache_dir, allow_patterns=FETCHED,
            local_files_only=True,
        ))  # fmt: skip
    except LocalEntryNotFoundError:
        return None
    # Another program may have fetched a few files only; an empty ref leads to no commit's folder.
    expected = [*folder.rglob(CONFIG), *_recorded_sums(folder)]
    is_whole = SUM.fullmatch(folder.name) and expected and all(path.is_file() for path in expected)
    return folder if is_whole else None


def _download(
    source: HubSource, *, cache_dir: str | Path | None, token: str | bool | None, force: bool = False
) -> Path:
    """Ask the Hub for a repository and fetch what the cache lacks of it (or, with `force`, all)."""
    try:
        info = HfApi(token=token).model_info(
            source.repo, revision=source.revision, timeout=TIMEOUT, files_metadata=True
        )
        _refuse_unless_weights(source.repo, info)
        if not force:
            _fetch_files(source.repo, info, cache_dir, token)
        # What is left are the links from the commit's folder to the blobs (or, with `force`, everything).
        return Path(snapshot_download(
            source.repo, revision=source.revision, cache_dir=cache_dir, token=token, force_download=force,
            allow_patterns=FETCHED, etag_timeout=TIMEOUT, tqdm_class=tqdm if force else _NoBar,
        ))  # fmt: skip
    except CheckpointError:
        raise
    except Exception as error:  # network, HTTP, disk and Hub errors have no common base
        raise CheckpointError(failure_of(source, error)) from error


def _fetch_files(repo: str, info: ModelInfo, cache_dir: str | Path | None, token: str | bool | None) -> None:
    """Fetch a commit's files to the cache's blobs, those excepted that are there."""
    cache = Path(cache_dir or constants.HF_HUB_CACHE).expanduser()
    name = repo_folder_name(repo_id=repo, repo_type="model")
    blobs = {
        cache / name / "blobs" / (file.lfs.sha256 if file.lfs else file.blob_id): file
        for file in info.siblings
        if any(fnmatch(file.rfilename, pattern) for pattern in FETCHED)
    }
    missing = {blob: file for blob, file in blobs.items() if not blob.exists()}
    if not missing:
        return
    total = sum(file.size for file in missing.values())
    # disable=None: a bar on a terminal only.
    with tqdm(total=total, unit="B", unit_scale=True, desc=repo, disable=None) as bar:
        for blob, file in missing.items():
            url, lock = hf_hub_url(repo, file.rfilename, revision=info.sha), f"{blob.name}.lock"
            fetch_blob(url, blob, file.size, cache / ".locks" / name / lock, token, bar)


class _NoBar(tqdm):
    """A progress bar that is never seen: when files are linked, nothing is waited for."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **{**options, "disable": True})


def _refuse_unless_weights(repo: str, info: ModelInfo) -> None:
    names = [file.rfilename for file in info.siblings]
    if any(name.endswith(CONFIG) for name in names) and any(name.endswith(".safetensors") for name in names):
        return
    pickles = [name for name in names if name.endswith(PICKLES)]
    if pickles:
        raise CheckpointError(
            f"{repo} holds its weights as pickles ({', '.join(pickles[:3])}), which run code when they are "
            "read: refused, give a repository with .safetensors files."
        )
    raise CheckpointError(
        f"{repo} holds no weights: expected {CONFIG} and .safetensors files; push some with "
        "`python -m hmnet push`, or give another repository."
    )


def _recorded_sums(folder: Path) -> dict[Path, str]:
    """The weights files and their SHA-256 sums, as far as readable configurations name them."""
    sums = {}
    for config in folder.rglob(CONFIG):
        try:
            recorded = json.loads(config.read_bytes())["sha256"]
            sums |= {config.parent / name: str(value) for name, value in recorded.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return sums


def _damaged(folder: Path) -> list[Path]:
    """The files whose contents have another sum than they should."""
    recorded = _recorded_sums(folder)
    damaged = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        # A blob is named after its ETag. Where the disk has no links there are copies without that name.
        blob = _blob_of(path).name
        expected = blob if SUM.fullmatch(blob) else recorded.get(path)
        if expected and not has_sum(path, expected):
            damaged.append(path)
    return damaged


def _blob_of(path: Path) -> Path:
    """What a commit's file links to; one step, since a blob may link to a store with names of its own."""
    return path.parent / os.readlink(path) if path.is_symlink() else path


def _delete(paths: list[Path]) -> None:
    for path in paths:
        _blob_of(path).unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def _names(paths: list[Path], folder: Path) -> str:
    return ", ".join(path.relative_to(folder).as_posix() for path in paths)
