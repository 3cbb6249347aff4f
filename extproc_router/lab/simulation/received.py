"""Requests as they reached a simulated model server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it reached a model server; header names are lower case, repeated ones are repeated."""

    cluster: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, the values joined where it is repeated, or None."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None
