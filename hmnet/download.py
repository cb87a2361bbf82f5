"""A file from the Hub into huggingface_hub's cache, going on where an earlier download stopped.

huggingface_hub 2 goes on after a cut connection only while its process lives: what a killed one has fetched
of a file is lost. Here it stays beside the cache's blobs, as `SUM.incomplete`, and the next run goes on.
"""

import hashlib
import os
import time
from pathlib import Path

from huggingface_hub import constants, get_session
from huggingface_hub.errors import HfHubHTTPError, HTTPError
from huggingface_hub.utils import WeakFileLock, build_hf_headers, hf_raise_for_status, tqdm

from hmnet.errors import CheckpointError

TRIES = 3
"""Connections for one file; the second and the third go on where the one before was cut."""
PAUSE = 1
"""Seconds before the next of them."""
MEGABYTE = 1_000_000


def has_sum(path: Path, expected: str) -> bool:
    """Whether a file is the one that the Hub's ETag names.

    expected: 64 digits are the SHA-256 of the contents, 40 are git's SHA-1 of a blob.
    """
    digest = hashlib.sha256() if len(expected) == 64 else hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while chunk := file.read(MEGABYTE):
            digest.update(chunk)
    return digest.hexdigest() == expected


def fetch_blob(url: str, blob: Path, size: int, lock: Path, token: str | bool | None, bar: tqdm) -> None:
    """Fetch a file of `size` bytes to `blob`, where it is not there yet; the bar moves by bytes.

    lock: file that keeps other processes from fetching the same. Raises HfHubHTTPError when the Hub refuses,
    CheckpointError when the connection was cut.
    """
    partial = blob.with_name(f"{blob.name}.incomplete")
    for folder in (blob.parent, lock.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(lock):
        if blob.exists():
            bar.update(size)
            return
        if not size:
            blob.touch()
            return
        if _length(partial) > size:
            partial.unlink()
        bar.update(_length(partial))
        for tries_left in reversed(range(TRIES)):
            try:
                _append(url, partial, size, token, bar)
            except HfHubHTTPError:
                raise
            except HTTPError as error:
                if not tries_left:
                    raise CheckpointError(_cut(url, partial, size)) from error
            if _length(partial) == size:
                os.replace(partial, blob)
                return
            time.sleep(PAUSE)
        raise CheckpointError(_cut(url, partial, size))


def _append(url: str, partial: Path, size: int, token: str | bool | None, bar: tqdm) -> None:
    """Fetch what is still missing of a file, or all of it where the server sends no parts."""
    done = _length(partial)
    if done >= size:
        return
    # Compressed, the bytes would not be counted as those of the file.
    headers = {**build_hf_headers(token=token), "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
    with get_session().stream("GET", url, headers=headers, timeout=timeout) as response:
        hf_raise_for_status(response)
        begins_anew = response.status_code != 206
        if begins_anew:
            bar.update(-done)
        with partial.open("wb" if begins_anew else "ab") as file:
            for chunk in response.iter_bytes():
                file.write(chunk)
                bar.update(len(chunk))


def _length(partial: Path) -> int:
    return partial.stat().st_size if partial.exists() else 0


def _cut(url: str, partial: Path, size: int) -> str:
    done, name = _length(partial) / MEGABYTE, url.rsplit("/", 1)[1]
    return (
        f"The connection was cut {TRIES} times, at last after {done:.1f} of the {size / MEGABYTE:.1f} MB of "
        f"{name}: run it again, and it goes on from there."
    )
