from __future__ import annotations

from html.parser import HTMLParser

from extproc_router.evaluation.page import Page

VOID = {"meta", "br"}


class Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_what_users_wrote_is_escaped_and_tags_are_closed() -> None:
    evil = "<script>alert(1)</script>&\"'"
    page = Page(evil, evil)
    page.heading(evil)
    page.text(evil)
    page.warnings([evil])
    page.facts([(evil, evil, evil)])
    page.table([evil, evil], [[evil, evil]], left=(0, 1))
    page.figure("<svg></svg>", evil)
    html = page.html()
    assert "<script" not in html
    balance = Balance()
    balance.feed(html)
    assert balance.open == []


def test_nothing_comes_from_outside() -> None:
    html = Page("t", "s").html()
    assert "default-src 'none'" in html
    assert "http://" not in html
    assert "https://" not in html
