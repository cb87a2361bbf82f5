"""The fixed test sets: which pictures they are, and how a folder of shards is recognised as one of them.

A test set is what `python -m hmnet generate --test-set` makes. Its content follows from the seed below, the
code and the sources given, so each combination of sources that was ever used has a name and the SHA-256 of
its shards in assets/test_set.json. The set called "open" needs no source but this project.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

COUNT, SEED = 1500, 20261122
RECORD = Path(__file__).parents[2] / "assets" / "test_set.json"


def shard_checksums(folder: Path) -> dict[str, str]:
    """SHA-256 (hex) of each shard of a folder by file name, in order."""
    return {path.name: _sha256(path) for path in sorted(folder.glob("*.tar"))}


def sources_checksum(folders: Iterable[Path]) -> str:
    """SHA-256 (hex) of the contents of all files below the folders, whatever their place and order."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    digests = sorted(_sha256(path) for path in files)
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def read_record(path: Path = RECORD) -> dict[str, dict]:
    """Name -> {"about", "sources", "shards"} of every known test set; empty where none is recorded."""
    return json.loads(path.read_text()) if path.is_file() else {}


def name_of(folder: Path, record: dict[str, dict]) -> str | None:
    """The name of the test set whose shards a folder holds, byte for byte; None for anything else."""
    checksums = shard_checksums(folder)
    return next((name for name, entry in record.items() if entry["shards"] == checksums), None)


def verdict(folder: Path, sources: Iterable[Path], record: dict[str, dict]) -> str:
    """One sentence on whether a folder that was just generated is the recorded test set of its sources."""
    checksums, source = shard_checksums(folder), sources_checksum(sources)
    for name, entry in record.items():
        if entry["sources"] != source:
            continue
        differing = [shard for shard in entry["shards"] if checksums.get(shard) != entry["shards"][shard]]
        if not differing and len(checksums) == len(entry["shards"]):
            return f"This is the fixed test set {name!r}: all {len(checksums)} checksums agree."
        return (
            f"These are the sources of the fixed test set {name!r}, but the checksums "
            f"of {', '.join(differing) or 'further shards'} differ: other versions of the code or packages, "
            "or another kind of processor, rounds differently. Errors measured on it are near the published "
            "ones, not comparable to the last digit."
        )
    return (
        "No checksums are recorded for these sources: this is a test set of your own. "
        "Without --backgrounds, --poses and --clothes you get the fixed test set 'open'."
    )


def record_set(name: str, about: str, folder: Path, sources: Iterable[Path], path: Path = RECORD) -> None:
    """Enter the shards of a folder as the test set of that name; authors only, when the generator changes."""
    record = read_record(path)
    record[name] = {
        "about": about,
        "sources": sources_checksum(sources),
        "shards": shard_checksums(folder),
    }
    path.write_text(json.dumps(record, indent=1) + "\n")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
