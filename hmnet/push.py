"""Upload a checkpoint to the Hugging Face Hub: weights, configurations, metrics and a model card.

All variants of the folder go into folders of their names, in one commit with a README.md for all of them.
Everything is loaded and its sums are checked before anything is sent.
"""

import argparse
from pathlib import Path

from huggingface_hub import CommitInfo, CommitOperationAdd, HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

from hmnet.checkpoint import CONFIG, EMBEDDED, MODEL, SEGMENTER, load_checkpoint, variants_of
from hmnet.errors import UploadError
from hmnet.hub_card import repository_card
from hmnet.hub_source import HubSource, parse_source
from hmnet.model_card import CARD

EPILOGUE = """Log in before with `hf auth login`, or set HF_TOKEN, with a token that may write. The repository
is made where there is none; files of the same names are replaced, others stay."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.epilog = EPILOGUE
    parser.add_argument("--repo", required=True, metavar="ID", help="the repository, as user/name")
    parser.add_argument(
        "--weights",
        type=Path,
        default=EMBEDDED,
        metavar="DIR",
        help="folder of a checkpoint or of several (default: the weights that come with the program)",
    )
    parser.add_argument("--private", action="store_true", help="a repository that is made is private")
    parser.add_argument("--revision", metavar="BRANCH", help="push to this branch (default: main)")


def run(options: argparse.Namespace) -> None:
    """Push, and say where the weights are and how to load exactly these."""
    commit = push(options.weights, options.repo, private=options.private, branch=options.revision)
    print(f"pushed: {commit.commit_url}")
    print(f'load exactly these weights: load_checkpoint("{options.repo}@{commit.oid}")')


def push(folder: Path, repo: str, *, private: bool = False, branch: str | None = None) -> CommitInfo:
    """Upload all variants of a folder as one commit to the repository "user/name".

    Raises CheckpointError for weights that do not load, UploadError where the Hub does not take them.
    """
    source = parse_source(repo)
    if source != HubSource(repo):
        raise UploadError(f"Expected a repository as user/name, got {repo}: give a branch by --revision.")
    files = _checked_files(folder, repo)
    api = HfApi()
    operations = [CommitOperationAdd(name, data) for name, data in files.items()]
    try:
        api.whoami()
        api.create_repo(repo, private=private or None, exist_ok=True)
        if branch is not None:
            api.create_branch(repo, branch=branch, exist_ok=True)
        return api.create_commit(
            repo, operations, commit_message="Weights, configurations and model card", revision=branch
        )
    except Exception as error:  # network, HTTP and Hub errors have no common base
        raise UploadError(_sentence(repo, error)) from error


def _checked_files(folder: Path, repo: str) -> dict[str, bytes | Path]:
    """What is to be sent, by its name in the repository, once every variant has been loaded."""
    variants = variants_of(folder)
    files: dict[str, bytes | Path] = {}
    for name, (place, config) in variants.items():
        if config.get("base", name) not in variants:
            raise UploadError(
                f"{place} holds only what differs from the variant {config['base']}: push the folder that "
                "holds both."
            )
        load_checkpoint(folder, name)
        for file in (CONFIG, MODEL, SEGMENTER, CARD):
            if (place / file).is_file():
                files[f"{name}/{file}"] = place / file
    card = repository_card(repo, {name: config for name, (_, config) in variants.items()})
    return files | {CARD: card.encode()}


def _sentence(repo: str, error: Exception) -> str:
    """What went wrong, and what to do about it."""
    if isinstance(error, LocalTokenNotFoundError):
        return "Pushing needs a token that may write: log in with `hf auth login`, or set HF_TOKEN."
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else 0
    if status == 401:
        return (
            "The Hugging Face Hub does not know the token: make one at "
            f"{constants.ENDPOINT}/settings/tokens, and log in with `hf auth login`."
        )
    if status == 403:
        return (
            f"The token may not write to {repo}: take one with the role write, and a repository of your own "
            "or your organisation's."
        )
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return (
        f"{repo} could not be pushed to {constants.ENDPOINT} ({reason[:200]}): check the network, and push "
        "again."
    )
