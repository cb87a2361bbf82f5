"""A repository of the local Hub: the files of its commits, and their sums as the Hub names them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LARGE = (".safetensors", ".bin", ".png")
"""Ends of the names that the Hub keeps as large files, with their SHA-256 for an ETag."""
Files = dict[str, bytes]


@dataclass
class Repository:
    """commits: the files of each commit. branches: name to commit. settings: visibility, SDK, variables."""

    commits: dict[str, Files] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    settings: dict = field(default_factory=dict)

    def commit(self, files: Mapping[str, bytes], branch: str = "main") -> str:
        """Keep these files as the branch's new commit; returns its 40 digits."""
        parent = self.branches.get(branch, "")
        listed = "".join(f"{name}{hashlib.sha256(data).hexdigest()}" for name, data in sorted(files.items()))
        sha = hashlib.sha1((parent + listed).encode()).hexdigest()
        self.commits[sha] = dict(files)
        self.branches[branch] = sha
        return sha

    def find(self, revision: str) -> str | None:
        """The commit of a branch or of a commit's own name."""
        return self.branches.get(revision, revision if revision in self.commits else None)


def described(name: str, data: bytes) -> dict:
    """A file's size and sums in the Hub's form."""
    entry = {"size": len(data), "oid": git_sum(data), "blobId": git_sum(data)}
    if name.endswith(LARGE):
        sha256 = hashlib.sha256(data).hexdigest()
        entry["lfs"] = {"oid": sha256, "sha256": sha256, "size": len(data), "pointerSize": 134}
    return entry


def git_sum(data: bytes) -> str:
    """Git's SHA-1 of a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def files_of(folder: Path) -> Files:
    """A folder's files by their names within it."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }
