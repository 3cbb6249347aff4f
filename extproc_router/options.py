"""What written options share: strict pydantic sections, and the names that may stand in them.

Field descriptions are the reference that users see, in docs and in their editors.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# Goes into answers, headers of metrics and log lines: no control characters, no line separators, no space at an end.
_INNER = r"[^\p{Cc}\p{Zl}\p{Zp}]"
_OUTER = r"[^\p{Cc}\s]"
Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=rf"^{_OUTER}({_INNER}*{_OUTER})?$")]
# Goes into a header value and must match a cluster in envoy.yaml.
ClusterName = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/|-]*$")
]
# An HTTP header field as Envoy shows it: lower case (RFC 9110, section 5.1, and HTTP/2).
HeaderName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[a-z0-9!#$%&'*+.^_`|~-]+$")]
# What requests are told apart by, for percentages, splits and stickiness.
Key = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=160, pattern=r"^(conversation|request|header:[a-z0-9!#$%&'*+.^_`|~-]+)$"
    ),
]


class Section(BaseModel):
    """A mapping in the config: unknown members, loose types, infinities and NaN are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
