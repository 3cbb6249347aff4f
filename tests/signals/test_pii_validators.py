from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.signals import pii_validators as checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Check = Callable[[bytes, int, int], Iterator[tuple[int, int]]]

# A match stands between brackets.
CASES = [
    (checks.email, "[bob@example.com]", "bob@example.com"),
    (checks.email, "[git@git.example.com]:team/repo", ""),
    (checks.email, "[git@git.example.com]", "git@git.example.com"),
    (checks.email, "[logo@2x.png]", ""),
    (checks.email, f"[{'a' * 65}@example.com]", ""),
    (checks.card, "[4111111111111111]", "4111111111111111"),
    (checks.card, "[4111 1111 1111 1111 123]", "4111 1111 1111 1111"),
    (checks.card, "[3782-822463-10005]", "3782-822463-10005"),
    (checks.card, "[4111111111111112]", ""),
    (checks.card, "[9111111111111111]", ""),
    (checks.card, "0.[4111111111111111]", ""),
    (checks.iban, "[GB29 NWBK 6016 1331 9268 19 and so]", "GB29 NWBK 6016 1331 9268 19"),
    (checks.iban, "[de89370400440532013000]", "de89370400440532013000"),
    (checks.iban, "[DE88370400440532013000]", ""),
    (checks.iban, "[XX89370400440532013000]", ""),
    (checks.iban, "[DE89370400440532013000]1", ""),
    (checks.ssn, "[536-22-8726]", "536-22-8726"),
    (checks.ssn, "[536 22 8726]", "536 22 8726"),
    (checks.ssn, "[536228726]", "536228726"),
    (checks.ssn, "[000-22-8726]", ""),
    (checks.ssn, "[666-22-8726]", ""),
    (checks.ssn, "[936-22-8726]", ""),
    (checks.ssn, "[536-00-8726]", ""),
    (checks.ssn, "[536-22-0000]", ""),
    (checks.ssn, "[078-05-1120]", ""),
    (checks.ssn, "1-[536-22-8726]", ""),
    (checks.ipv4, "[203.0.113.7]", "203.0.113.7"),
    (checks.ipv4, "[203.0.113.7].", "203.0.113.7"),
    (checks.ipv4, "[203.0.113.7].5", ""),
    (checks.ipv4, "v[1.2.3.4]", ""),
    (checks.ipv4, "version [1.2.3.4]", ""),
    (checks.ipv4, "Section [4.2.1.3]", ""),
    (checks.ipv4, "[127.0.0.1]", ""),
    (checks.ipv4, "[0.0.0.0]", ""),
    (checks.ipv4, "[255.255.255.0]", ""),
    (checks.ipv4, "[224.0.0.1]", ""),
    (checks.ipv4, "[300.1.1.1]", ""),
    (checks.ipv4, "[01.02.03.04]", ""),
    (checks.ipv6, "[2001:db8::1]", "2001:db8::1"),
    (checks.ipv6, "[fe80::1]", "fe80::1"),
    (checks.ipv6, "[::1]", ""),
    (checks.ipv6, "[::0:0:0]", ""),
    (checks.ipv6, "[ff02::1:2]", ""),
    (checks.ipv6, "[a::b]", ""),
    (checks.ipv6, "[a::b:c]", ""),
    (checks.ipv6, "[12:30:45]", ""),
    (checks.ipv6, "[00:1a:2b:3c:4d:5e]", ""),
    (checks.ipv6, "x[2001:db8::1]", ""),
    (checks.birth, "[12 March 1985]", "12 March 1985"),
    (checks.birth, "[12 March 1985]6", ""),
]


@pytest.mark.parametrize(("check", "marked", "found"), CASES)
def test_what_must_hold_beside_the_form(check: Check, marked: str, found: str) -> None:
    start, end = marked.index("["), marked.index("]") - 1
    page = marked.replace("[", "").replace("]", "").encode()
    assert [page[first:last].decode() for first, last in check(page, start, end)] == ([found] if found else [])
