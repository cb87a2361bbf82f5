"""What goes wrong when something is written to the Hugging Face Hub, each in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from hmnet.errors import UploadError

UNAUTHORISED, UNPAID, FORBIDDEN, NOT_FOUND = 401, 402, 403, 404
REASONS = {
    UNAUTHORISED: "this token is not known there: make a new one that may write, and set HF_TOKEN",
    UNPAID: "this must be paid for",
    FORBIDDEN: "this token may not write there: take one that may, or another repository",
    NOT_FOUND: "there is no such repository or revision, or not for this token: check the name",
}
"""By HTTP status, why the Hub refused."""


def need_token() -> str:
    """The token that is stored or that HF_TOKEN holds; UploadError where there is none."""
    from huggingface_hub import get_token

    token = get_token()
    if token is None:
        raise UploadError(
            "There is no Hugging Face token: run `hf auth login`, or set HF_TOKEN to a token that may write."
        )
    return token


@contextmanager
def one_sentence(repo: str) -> Iterator[None]:
    """Turns the errors of huggingface_hub and of the network into an UploadError about a repository."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError, OfflineModeIsEnabled

    try:
        yield
    except HFValidationError as error:
        raise UploadError(f"{repo} is not the name of a repository: expected user/name.") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        said = " ".join(f"{error.server_message or ''}".split())[:200].rstrip(".")
        reason = REASONS.get(status, f"the Hub answered with status {status}")
        raise UploadError(f"The Hub refuses {repo}, {reason}{f' ({said})' if said else ''}.") from error
    except OfflineModeIsEnabled as error:
        raise UploadError("HF_HUB_OFFLINE forbids to ask the Hub: unset it and try again.") from error
    except HTTPError as error:
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        raise UploadError(
            f"The Hub cannot be reached ({reason}): check the network and try again."
        ) from error
