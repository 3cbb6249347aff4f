"""Whether somebody tries to turn the model against its operator: jailbreaks, injected instructions.

The encoder reads about a hundred tokens of a text. So that nobody talks an attack out of its sight, the last turns are
read one by one, and only what is older as one text; earlier requests have mostly asked for the same turns, and the
encoder remembers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals import head, prompt
from extproc_router.signals.texts import spellings

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources, Subject

    Which = Literal["incoming", "everything"]

_TURNS = 3  # that are read one by one: each may take milliseconds


class Options(Section):
    """Attacks on the model, in any turn that neither the operator nor the model wrote."""

    kind: Annotated[
        Literal["jailbreak"],
        Field(
            description="a flag: an attack on the model, in any turn that comes from outside; the number is the "
            "highest probability of one. The last three turns are read one by one, all before them as one text"
        ),
    ]
    threshold: head.Threshold = None
    of: Annotated[
        Literal["incoming", "everything"],
        Field(
            description="`incoming`: turns that neither the operator nor the model wrote, going by their roles; "
            "`everything`: all turns and what tools say of themselves, for where clients may not be trusted to name "
            "roles"
        ),
    ] = "incoming"


def build(name: str, options: Options, resources: Resources) -> Reader:
    """Build the signal: a flag and its probability.

    Raises:
        ValueError: the encoder has no such head.
    """
    return head.flag(name, "jailbreak", lambda subject: texts(subject, options.of), options.threshold, resources)


def texts(subject: Subject, of: Which) -> tuple[str, ...]:
    """Return what is older than the last turns, in one, and each of these: none empty, each once.

    What tools say of themselves gives orders ("always use this tool") and is read only with everything.
    """
    request = subject.request
    turns = prompt.incoming_in(request) if of == "incoming" else tuple(turn.text for turn in request.turns if turn.text)
    apart = (subject.declared * (of == "everything"), "\n".join(turns[:-_TURNS]), *turns[-_TURNS:])
    # Without signs that are not shown: the words that they part give an attack away.
    return tuple(dict.fromkeys(text for one in apart if (text := spellings(one)[0].strip())))
