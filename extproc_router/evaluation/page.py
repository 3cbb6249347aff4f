"""One self-contained HTML page: no script, no outside asset, the same bytes for the same content."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6573; --line: #d9dee5; --card: #ffffff; --back: #f5f6f8;
  --warn: #8a4b00; --warnback: #fff4e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #a3adba; --line: #39424e; --card: #1e252e;
  --back: #14191f; --warn: #ffcf8a; --warnback: #3a2c14; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { margin: .4rem 0; max-width: 46rem; }
p.soft, figcaption { color: var(--soft); }
p.warning { background: var(--warnback); color: var(--warn); border-left: .25rem solid currentColor;
  padding: .5rem .75rem; border-radius: .2rem; max-width: none; }
dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1rem 0; }
dl.facts div { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; }
dl.facts dt { color: var(--soft); font-size: .85rem; }
dl.facts dd { margin: 0; font-size: 1.2rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
dl.facts dd small { color: var(--soft); font-size: .8rem; display: block; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .35rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
tr:last-child td { border-bottom: 0; }
.left { text-align: left; }
td.wrap { white-space: normal; min-width: 14rem; }
figure { margin: 1rem 0; background: #ffffff; border: 1px solid var(--line); border-radius: .4rem; padding: .75rem;
  overflow-x: auto; }
figure svg { display: block; max-width: 100%; min-width: 34rem; height: auto; margin: 0 auto; }
figcaption { color: #5b6573; font-size: .88rem; margin-top: .5rem; }
""".strip()


class Page:
    """Gathers the parts of a page in order.

    Args:
        title: its heading.
        subtitle: where the figures come from.
    """

    def __init__(self, title: str, subtitle: str) -> None:
        self._title = title
        self._parts = [f"<h1>{escape(title)}</h1>", f'<p class="soft">{escape(subtitle)}</p>']

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._parts.append(f"<h2>{escape(text)}</h2>")

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._parts.append(f"<p>{escape(text)}</p>")

    def warnings(self, texts: Sequence[str]) -> None:
        """Add what the reader must know first."""
        self._parts += [f'<p class="warning">{escape(text)}</p>' for text in texts]

    def facts(self, facts: Sequence[tuple[str, str, str]]) -> None:
        """Add cards of (name, value, remark)."""
        cards = "".join(
            f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(remark)}</small></dd></div>"
            for name, value, remark in facts
        )
        self._parts.append(f'<dl class="facts">{cards}</dl>')

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], *, left: tuple[int, ...] = (0,)) -> None:
        """Add a table; columns in `left` stand to the left, and the last of them may wrap if it is the last column."""
        wraps = len(head) - 1 if len(head) - 1 in left else -1

        def cell(tag: str, column: int, text: str) -> str:
            names = [name for name, given in (("left", column in left), ("wrap", column == wraps)) if given]
            marked = f' class="{" ".join(names)}"' if names else ""
            return f"<{tag}{marked}>{escape(text)}</{tag}>"

        lines = ["".join(cell("th", column, text) for column, text in enumerate(head))]
        lines += ["".join(cell("td", column, text) for column, text in enumerate(row)) for row in rows]
        body = "\n".join(f"<tr>{line}</tr>" for line in lines)
        self._parts.append(f'<div class="scroll"><table>\n{body}\n</table></div>')

    def figure(self, svg: str, caption: str) -> None:
        """Add a drawing; `svg` is markup of our own making."""
        self._parts.append(f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>")

    def html(self) -> str:
        """Return the page."""
        parts = "\n".join(self._parts)
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(self._title)}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<main>\n{parts}\n"
            "</main>\n</body>\n</html>\n"
        )
