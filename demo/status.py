"""What answers, how long it took, and who else is in the photo."""

from html import escape

from demo.bodies import words_of
from demo.session import Session
from hmnet.predictor import Predictor
from hmnet.render import renderer_name


def line(session: Session | None, predictor: Predictor) -> str:
    """HTML: which weights and revision answer, what runs and what draws them, and the stages' timings."""
    weights = predictor.checkpoint.info
    facts = [
        ("Weights", weights.source),
        ("Variant", weights.variant),
        # A commit of the Hub has 40 digits; so many tell it apart.
        ("Revision", weights.revision[:12]),
        ("Engine", predictor.engine.words),
        ("Renderer", renderer_name()),
    ]
    timings = {} if session is None else session.prediction.timings
    for stage, ms in timings.items():
        words = stage.replace("_", " ")
        facts.append((words.replace("person", words_of(session.body).one), f"{ms:.0f} ms"))
    cells = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in facts)
    notice = f'<p class="notice">{escape(weights.notice)}</p>' if weights.notice else ""
    return f'<dl class="status">{cells}</dl>{notice}'


def people_line(session: Session) -> str:
    """HTML: how many people, or hands, were found, and what to do about it; empty for one."""
    count = len(session.prediction.people)
    if count < 2:
        return ""
    many = words_of(session.body).many
    return f'<p class="people">{count} {many} were found: click another one in the photo with the boxes.</p>'
