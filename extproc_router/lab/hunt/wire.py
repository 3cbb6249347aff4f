"""A chain as Envoy reads it: which cluster gets which body, attempt by attempt; out of the bytes that it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from google.protobuf import json_format

from extproc_router.extproc import codec
from extproc_router.extproc.commands import Mutate, Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from extproc_router.types import Decision, Mutation

CHAIN_HEADER = "x-llm-chain"
"""Envoy walks a chain where it is set."""


def attempts(decision: Decision, mutation: Mutation, body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the cluster and the body of each attempt; nothing where Envoy walks no chain.

    Args:
        decision: what was decided.
        mutation: what Envoy is told of it.
        body: the one that is sent.
    """
    if CHAIN_HEADER not in dict(mutation.set_headers):
        return
    message = pb.ProcessingResponse.FromString(codec.encode(Mutate(Phase.REQUEST_BODY, mutation, decision)))
    metadata = json_format.MessageToDict(message.dynamic_metadata)
    groups = metadata.get(codec.CHAIN_NAMESPACE, {}).get("priority_groups", [])
    told = metadata.get(codec.ATTEMPTS_NAMESPACE, {}).get("attempts", [])
    # What no group names goes by the groups of the route, and what no attempt names keeps its body.
    for place, group in enumerate(groups):
        splices = told[place]["splices"] if place < len(told) else ()
        for entry in group["clusters"]:
            yield entry["cluster_name"], spliced(body, splices)


def spliced(body: bytes, splices: Iterable[Any]) -> bytes:
    """Put texts in the place of bytes, the last ones first."""
    for start, end, text in reversed(list(splices)):
        body = body[: int(start)] + text.encode() + body[int(end) :]
    return body
