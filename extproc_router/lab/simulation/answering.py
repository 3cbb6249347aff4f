"""What a simulated model server answers: five client APIs, whole or as server-sent events, and what lies beside them.

By default each answer names the cluster and the model that the server was asked for, so that a reader sees where a
request went. Shapes follow the public API references and vLLM, as far as their own clients read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from extproc_router.lab.simulation import anthropic, failing, load, openai_completions, openai_responses, saying
from extproc_router.lab.simulation.answer import CREATED, Answer, whole
from extproc_router.lab.simulation.asked import APIS, read
from extproc_router.lab.simulation.embeddings import embeddings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from extproc_router.lab.simulation.answer import Event, Json
    from extproc_router.lab.simulation.asked import Asked
    from extproc_router.lab.simulation.behaviour import Behaviour
    from extproc_router.lab.simulation.received import Received
    from extproc_router.lab.simulation.saying import Said


class Site(Struct, frozen=True):
    """What stays the same from request to request.

    Attributes:
        cluster: that the server stands for; answers name it.
        models: names that are served; the cluster's name where none is given.
        outcomes: prompt -> whether the model answers it well.
    """

    cluster: str
    models: tuple[str, ...] = ()
    outcomes: Mapping[str, bool] = {}

    @property
    def served(self) -> tuple[str, ...]:
        """The models of `/v1/models`."""
        return self.models or (self.cluster,)


# How an API shapes an answer: whole, and in a stream.
_SHAPES: Mapping[str, tuple[Callable[[Asked, Said], Json], Callable[[Asked, Said], Iterator[Event]]]] = {
    "chat_completions": (openai_completions.chat, openai_completions.chat_events),
    "completions": (openai_completions.completion, openai_completions.completion_events),
    "responses": (openai_responses.response, openai_responses.response_events),
    "anthropic_messages": (anthropic.message, anthropic.message_events),
}


def beside(site: Site, behaviour: Behaviour, request: Received, *, running: int) -> Answer | None:
    """Answer what no behaviour spoils: health checks and looks at the metrics; None for other requests.

    Args:
        site: the server.
        behaviour: that the next request will meet.
        request: as received.
        running: how many requests are in work.
    """
    match request.path.partition("?")[0]:
        case "/health":
            return Answer(content_type="text/plain")
        case "/metrics":
            return load.metrics(behaviour, model=site.served[0], running=running)
        case _:
            return None


def answer(site: Site, behaviour: Behaviour, request: Received) -> Answer:
    """Answer one request as the behaviour has it, faults of the wire aside."""
    path = request.path.partition("?")[0]
    is_anthropic = APIS.get(path) == "anthropic_messages"
    found = failing.wanted(behaviour, anthropic=is_anthropic) or _served(site, behaviour, request, path)
    if behaviour.fault == "error" and found.events is None and found.status < HTTPStatus.BAD_REQUEST:
        found = failing.error(HTTPStatus.INTERNAL_SERVER_ERROR, "broken off", anthropic=is_anthropic)
    if behaviour.retry_after_seconds is not None:
        found = structs.replace(found, headers=(*found.headers, ("retry-after", str(behaviour.retry_after_seconds))))
    return found


def _served(site: Site, behaviour: Behaviour, request: Received, path: str) -> Answer:
    if path == "/v1/models" and request.method == "GET":
        listed = [{"id": name, "object": "model", "created": CREATED, "owned_by": "lab"} for name in site.served]
        return whole({"object": "list", "data": listed})
    if path not in APIS or request.method != "POST":
        size = len(request.body)
        return whole({"cluster": site.cluster, "method": request.method, "path": path, "bytes": size})
    asked = read(site.cluster, path, request.body)
    if asked is None:
        is_anthropic = APIS[path] == "anthropic_messages"
        return failing.error(HTTPStatus.BAD_REQUEST, f"{site.cluster} cannot read this", anthropic=is_anthropic)
    return failing.refused(asked, behaviour, site.served) or _answered(site, behaviour, request, asked)


def _answered(site: Site, behaviour: Behaviour, request: Received, asked: Asked) -> Answer:
    if asked.api == "embeddings":
        return structs.replace(whole(embeddings(asked)), headers=load.orca(request, behaviour))
    in_one, in_events = _SHAPES[asked.api]
    said = saying.say(asked, behaviour, site.outcomes)
    if asked.stream:
        return Answer(content_type="text/event-stream", events=tuple(in_events(asked, said)))
    found = whole(in_one(asked, said), tokens=len(said.tokens))
    return structs.replace(found, headers=load.orca(request, behaviour))
