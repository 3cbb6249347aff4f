"""What makes one model's body of another's, where both were edited out of the same original.

The body that is sent was made for the first model. Where a later one gets it, these bytes alone give way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.dialects.edits import settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from extproc_router.attempts import Splice
    from extproc_router.dialects.edits import Edit, Settled


def splices(body: bytes, sent: Iterable[Edit], wanted: Iterable[Edit]) -> tuple[Splice, ...]:
    """Say how the body as sent becomes the one that is wanted.

    Args:
        body: the original; UTF-8, and no edit divides a character.
        sent: the edits by which it became the body that is sent.
        wanted: those by which it would have become the other one.

    Returns:
        Splices with offsets in `apply(body, sent)`, ascending, that do not overlap; they make `apply(body, wanted)` of
        it. What both sets of edits change alike is in none of them.
    """
    return tuple(_splices(body, settle(body, sent), settle(body, wanted)))


def _splices(body: bytes, sent: Sequence[Settled], wanted: Sequence[Settled]) -> Iterator[Splice]:
    longer = 0  # by how many bytes the body as sent is ahead of the original
    for start, end, ours, theirs in _regions(sent, wanted):
        old, new = _pieces(body, start, end, ours), _pieces(body, start, end, theirs)
        size = sum(map(len, old))
        if old != new:
            begin = start + longer
            while old and new and old[0] == new[0]:
                begin += len(old.pop(0))
                del new[0]
            while old and new and old[-1] == new[-1]:
                del old[-1], new[-1]
            yield begin, begin + sum(map(len, old)), b"".join(new).decode()
        longer += size - (end - start)


def _regions(
    sent: Sequence[Settled], wanted: Sequence[Settled]
) -> Iterator[tuple[int, int, list[Settled], list[Settled]]]:
    """Yield the parts of the original, each with its edits of both sets, that no edit reaches out of or adjoins."""
    first = second = 0
    while first < len(sent) or second < len(wanted):
        start = end = min(edits[place][0] for edits, place in ((sent, first), (wanted, second)) if place < len(edits))
        begun = first, second
        grows = True
        while grows:
            grows = False
            while first < len(sent) and sent[first][0] <= end:
                end, first, grows = max(end, sent[first][1]), first + 1, True
            while second < len(wanted) and wanted[second][0] <= end:
                end, second, grows = max(end, wanted[second][1]), second + 1, True
        yield start, end, list(sent[begun[0] : first]), list(wanted[begun[1] : second])


def _pieces(body: bytes, start: int, end: int, edits: Iterable[Settled]) -> list[bytes]:
    """What a part of the original becomes: the texts of its edits, and what stands between them."""
    pieces: list[bytes] = []
    position = start
    for begin, stop, text in edits:
        pieces += (body[position:begin], text)
        position = stop
    pieces.append(body[position:end])
    return [piece for piece in pieces if piece]
