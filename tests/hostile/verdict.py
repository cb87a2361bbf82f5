"""Whether a refusal can be shown to whoever sent the file: one short sentence, nothing of the machine."""

import re

MOST_CHARACTERS = 400
ABSOLUTE = re.compile(r"(?<![\w.~:/\\])/[\w.@+-]+/[\w.@+/-]*")
"""A path from the root, as far as it can be told from a fraction or an address."""
NEXT_SENTENCE = re.compile(r"[.!?]\s+[A-Z]")


def faults(sentence: str, given: str, folder: str) -> list[str]:
    """What is wrong with a refusal, in a few words each.

    folder: in which the reader was at work, it is told of it. given: what the
    sender knows and may be told again.
    """
    paths = (found.rstrip(".") for found in ABSOLUTE.findall(sentence))
    checks = {
        "empty": not sentence.strip(),
        f"longer than {MOST_CHARACTERS} characters": len(sentence) > MOST_CHARACTERS,
        "control characters": not sentence.isprintable(),
        "a traceback": "Traceback" in sentence and "Traceback" not in given,
        "no sentence's end": not sentence.endswith("."),
        "several sentences": any(found not in given for found in NEXT_SENTENCE.findall(sentence)),
        "a path of the machine": any(path not in given and not path.startswith(folder) for path in paths),
    }
    return [fault for fault, there in checks.items() if there]


def short_of_memory(error: BaseException | None) -> bool:
    """Whether an error came from one of a lack of memory, however many others were raised since.

    Not from FFmpeg's, which says the same of a count that it finds too large and never asks memory for; how
    much it really takes is measured.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, MemoryError) and not type(error).__module__.startswith("av."):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
