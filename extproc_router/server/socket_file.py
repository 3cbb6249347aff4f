"""A unix socket's file, held on to.

gRPC binds a path and removes it when it stops, whoever's it is by then. So gRPC gets a private name, and the public one
is a link to it: it can be made anew when somebody removes it, and a successor's is never taken away.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class SocketFile:
    """The public name of a socket that is bound under a private one.

    Args:
        public: where Envoy connects.
    """

    def __init__(self, public: str) -> None:
        self._public = Path(public)
        self.private = f"{public}.{os.getpid()}"

    def publish(self) -> None:
        """Link the public name to the bound socket, in place of whatever is there."""
        spare = f"{self.private}.new"
        with contextlib.suppress(FileNotFoundError):
            Path(spare).unlink()
        os.link(self.private, spare)
        Path(spare).replace(self._public)
        # Renaming one link of a file over another does nothing, and leaves both.
        Path(spare).unlink(missing_ok=True)

    @property
    def is_ours(self) -> bool:
        """Whether the public name leads to our socket."""
        with contextlib.suppress(OSError):
            return self._public.samefile(self.private)
        return False

    @property
    def is_missing(self) -> bool:
        """Whether the public name leads nowhere."""
        return not self._public.exists()

    def withdraw(self) -> None:
        """Remove the public name, where it is still ours."""
        if self.is_ours:
            self._public.unlink(missing_ok=True)
