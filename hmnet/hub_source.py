"""A repository of the Hugging Face Hub by its name and revision, and what is said when it cannot be had."""

import errno
import re
from dataclasses import dataclass

from huggingface_hub import constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import validate_repo_id

SOURCE = re.compile(r"([^@]+/[^@]+)(?:@((?!.*\.\.)[\w./-]+))?")
"""USER/NAME[@REVISION]; two dots are in no revision's name, but in paths that lead out of the cache."""


@dataclass(frozen=True)
class HubSource:
    """repo: "user/name". revision: branch, tag or commit; None for the main branch."""

    repo: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"{self.repo}@{self.revision}" if self.revision else self.repo


def parse_source(text: str) -> HubSource | None:
    """The repository of "user/name" or "user/name@REVISION"; None for any other text."""
    match = SOURCE.fullmatch(text)
    if match is None:
        return None
    try:
        validate_repo_id(match[1])
    except HFValidationError:
        return None
    return HubSource(*match.groups())


def failure_of(source: HubSource, error: Exception) -> str:
    """One sentence: what went wrong when the Hub was asked for that source, and what to do about it."""
    repo = source.repo
    if isinstance(error, GatedRepoError):
        return (
            f"{repo} is gated: accept its terms at {constants.ENDPOINT}/{repo}, and log in with "
            "`hf auth login`."
        )
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"There is no repository {repo} on the Hugging Face Hub, or it is private: check the name, or "
            "log in with `hf auth login`."
        )
    if isinstance(error, RevisionNotFoundError):
        return f"{repo} has no revision {source.revision}: give one of its branches, tags or commits."
    if isinstance(error, EntryNotFoundError) and isinstance(error, HfHubHTTPError):
        name = str(error.response.url).split("/resolve/")[-1].partition("/")[2]
        return f"{repo} lists the file {name} but does not have it: push it anew, or give another revision."
    reason = " ".join(str(error.__cause__ or error).split()).rstrip(".") or type(error).__name__
    if isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 403):
        return f"The Hugging Face Hub refuses {repo} to this token: log in anew with `hf auth login`."
    if isinstance(error, OSError) and (error.filename or error.errno == errno.ENOSPC):
        return (
            f"The local cache for {repo} cannot be written ({error.strerror}): make room, or set HF_HOME to "
            "another folder."
        )
    return (
        f"{repo} cannot be had from the Hugging Face Hub ({reason[:200]}): check the network, without which "
        "only what the local cache holds can be used."
    )
