"""Keys, tokens and passwords: those with a form of their own, and those that somebody assigns to a telling name."""

from __future__ import annotations

import re
from collections import Counter
from math import log2
from typing import TYPE_CHECKING

from extproc_router.signals.pii_page import BLANK

if TYPE_CHECKING:
    from collections.abc import Iterator

    Places = Iterator[tuple[int, int]]

# Forms as their issuers publish them (secret scanning of GitHub and GitLab lists the same).
TOKENS = "|".join((  # noqa: FLY002  one a line
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",  # AWS access key ids
    r"gh[pousr]_[A-Za-z0-9]{36,}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{36,}",
    r"gl(?:pat|dt|rt|ptt|cbt|oas)-[A-Za-z0-9_\-]{20,}",  # GitLab
    r"xox[abeoprs]-[A-Za-z0-9\-]{10,}",  # Slack
    r"xapp-[0-9]-[A-Za-z0-9\-]{10,}",
    r"sk-(?:ant-|proj-|svcacct-|admin-|or-)?[A-Za-z0-9_\-]{20,}",  # OpenAI, Anthropic, and who followed them
    r"AIza[A-Za-z0-9_\-]{35}",  # Google
    r"GOCSPX-[A-Za-z0-9_\-]{28}",
    r"ya29\.[A-Za-z0-9_\-]{20,}",
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
    r"whsec_[A-Za-z0-9]{16,}",
    r"hf_[A-Za-z0-9]{30,}",  # Hugging Face
    r"npm_[A-Za-z0-9]{36}",
    r"eyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*",  # JSON Web Tokens
))  # fmt: skip
PEM = r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
# The password of `scheme://user:password@host`.
USERINFO = r"[A-Za-z][A-Za-z0-9+.\-]{1,20}://[^\s:/@<>\x00\"']{0,64}:([^\s/@<>\x00\"']{3,})@"
_NAMES = (
    r"pass(?:word|wd|phrase|code)|pwd|secret|api[_\- ]?key|access[_\- ]?key|private[_\- ]?key|secret[_\- ]?key"
    r"|signing[_\- ]?key|encryption[_\- ]?key|auth[_\- ]?token|access[_\- ]?token|refresh[_\- ]?token|api[_\- ]?token"
)
_GIVES = r"[\"'`\]]{0,2}\s{0,3}(?:=>|:=|={1,3}|:|\bis\b:?)\s{0,3}"
QUOTED = rf"(?i)(?:{_NAMES}){_GIVES}[\"'`]([^\s\"'`<>\x00]{{6,}})[\"'`]"
BARE = rf"(?i)(?:{_NAMES}){_GIVES}([^\s\"'`<>\x00,;(){{}}\[\]]{{6,}})"
BEARER = r"(?i)\bbearer\s{1,3}([A-Za-z0-9_\-.=+/~]{20,})"

_PEM_END = b"-----END "
_DASHES = b"-----"
_PEM_BODY = re.compile(rb"[A-Za-z0-9+/=\s]*")
_LONGEST_PEM = 16_384
# What stands where a secret will: documentation, templates, code that fetches it.
_STAND_INS = (
    b"your", b"example", b"placeholder", b"changeme", b"change_me", b"change-me", b"replace", b"redacted", b"dummy",
    b"insert", b"xxx", b"***", b"...", b"${", b"{{", b"$(", b"%(", b"environ", b"getenv", b"process.env", b"secrets.",
    b"config.", b"settings.", b"self.", b"this.", b"args.", b"request.", b"http://", b"https://",
)  # fmt: skip
_BITS_OF_PASSWORDS = 1.5  # per character, Shannon's: `aaaaaa` and `------` have less
_BITS_OF_TOKENS = 3.0


def token(page: bytes, start: int, end: int) -> Places:
    """A token of a known form; a name that merely begins like one (`sk-learn-contrib-...`) has no digit."""
    if any(48 <= byte <= 57 for byte in page[start:end]) and not _stands_in(page[start:end]):  # noqa: PLR2004  a digit
        yield start, end


def pem(page: bytes, start: int, end: int) -> Places:
    """A private key, to the end of its last line; without such a line, as far as it may go on."""
    limit = min(end + _LONGEST_PEM, len(page))
    closing = page.find(_PEM_END, end, limit)
    last = page.find(_DASHES, closing + len(_PEM_END), limit) if closing >= 0 else -1
    body = _PEM_BODY.match(page, end, limit)
    stop = last + len(_DASHES) if last >= 0 else body.end() if body else end
    blanked = page.find(BLANK, end, stop)
    yield start, stop if blanked < 0 else blanked


def quoted(page: bytes, start: int, end: int) -> Places:
    """What stands in quotes after a telling name."""
    if not _stands_in(page[start:end]) and _bits(page[start:end]) >= _BITS_OF_PASSWORDS:
        yield start, end


def bare(page: bytes, start: int, end: int) -> Places:
    """What stands after a telling name without quotes: no word of prose and no type, so more than letters."""
    while end > start and page[end - 1] in b".:!?":
        end -= 1
    value = page[start:end]
    if len(value) >= 6 and not value.replace(b"_", b"").replace(b"-", b"").replace(b".", b"").isalpha():  # noqa: PLR2004
        yield from quoted(page, start, end)


def bearer(page: bytes, start: int, end: int) -> Places:
    """A bearer token (RFC 6750), of any issuer."""
    if not _stands_in(page[start:end]) and _bits(page[start:end]) >= _BITS_OF_TOKENS:
        yield start, end


def userinfo(page: bytes, start: int, end: int) -> Places:
    """The password in a URL."""
    if not _stands_in(page[start:end]) and page[start:end].lower() not in {b"password", b"pass", b"pwd"}:
        yield start, end


def _stands_in(value: bytes) -> bool:
    lower = value.lower()
    return any(sign in lower for sign in _STAND_INS)


def _bits(value: bytes) -> float:
    """Return Shannon's entropy of the bytes, in bits a byte."""
    return sum(count / len(value) * log2(len(value) / count) for count in Counter(value).values())
