"""The drawings of the reports, by matplotlib: each as SVG for the page and as PNG beside it."""

from __future__ import annotations

import io
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from msgspec import Struct

from extproc_router.errors import StartupError
from extproc_router.evaluation.histograms import milli_edges
from extproc_router.evaluation.strategies import BASELINES, ORACLE, RANDOM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from extproc_router.evaluation.cascades import Cascades
    from extproc_router.evaluation.drift import Drift
    from extproc_router.evaluation.findings import CostHistogram, Routing
    from extproc_router.evaluation.heads import HeadFindings
    from extproc_router.evaluation.many import ManyRouting

# Okabe and Ito's palette: told apart by colour-blind readers too.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_QUIET = {RANDOM: ("#8a939f", ":"), ORACLE: ("#8a939f", "--")}
_STYLE = {
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#5b6573",
    "axes.labelcolor": "#1c2430",
    "axes.grid": True,
    "grid.color": "#e6e9ee",
    "axes.axisbelow": True,
    "xtick.color": "#5b6573",
    "ytick.color": "#5b6573",
    "legend.frameon": False,
    "svg.fonttype": "none",
}
_PNG_DPI = 144
_NAMED_MODELS = 3  # the best; more would overlap
_SHOWN_NAME = 32


class Drawing(Struct, frozen=True):
    """One figure: its file name without ending, SVG markup, PNG bytes."""

    name: str
    svg: str
    png: bytes


def check() -> None:
    """Import matplotlib.

    Raises:
        StartupError: it is not installed.
    """
    try:
        for name in ("matplotlib", "matplotlib.figure"):
            import_module(name)
    except ImportError as error:
        raise StartupError("a report needs matplotlib: pip install 'extproc-router[evaluate]'") from error


def frontier(found: Routing) -> Drawing:
    """Quality over the share of strong calls: every strategy, bands, and fixed policies as points."""
    with _Canvas("frontier", 9.0, 5.4) as canvas:
        axes = canvas.axes
        loud = iter(_COLOURS * 10)
        order = sorted(found.strategies.items(), key=lambda item: -(item[1].apgr or 0.0))
        for name, ranked in order:
            x, y = np.array(ranked.frontier).T
            colour, dash = _QUIET[name] if name in _QUIET else (next(loud), "-")
            width = 1.4 if name in (*BASELINES, ORACLE) else 2.2
            suffix = "" if ranked.apgr is None else f", APGR {ranked.apgr:.3f}"
            axes.plot(100 * x, y, color=colour, linestyle=dash, linewidth=width, label=f"{name}{suffix}")
            if ranked.band and name not in _QUIET:
                at, low, high = np.array(ranked.band).T
                axes.fill_between(100 * at, low, high, color=colour, alpha=0.13, linewidth=0)
        for name, fixed in found.fixed.items():
            if name in ("always-weak", "always-strong", "best-single"):
                continue
            low, high = fixed.interval or (fixed.point.quality, fixed.point.quality)
            errors = [[fixed.point.quality - low], [high - fixed.point.quality]]
            axes.errorbar(
                [100 * fixed.point.share], [fixed.point.quality], yerr=errors, fmt="D", color="#1c2430", label=name
            )
        for quality, label in ((found.weak.quality, "weak"), (found.strong.quality, "strong")):
            axes.axhline(quality, color="#c3cad3", linewidth=1, zorder=0)
            offset: Any = {"xytext": (4, 0), "textcoords": "offset points"}
            axes.annotate(label, (100, quality), va="center", color="#5b6573", **offset)
        axes.set(xlabel="calls to the strong model, %", ylabel="mean quality", xlim=(0, 100))
        axes.legend(loc="lower right")
        return canvas.drawing()


def many_frontier(found: ManyRouting) -> Drawing:
    """Quality over mean cost: every strategy, and each model as a point."""
    with _Canvas("frontier", 9.0, 5.4) as canvas:
        axes = canvas.axes
        loud = iter(_COLOURS * 10)
        for name, mixed in found.strategies.items():
            x, y = np.array(mixed.frontier).T
            colour, dash = _QUIET[name] if name in _QUIET else (next(loud), "-")
            axes.plot(x, y, color=colour, linestyle=dash, linewidth=2, label=f"{name}, {mixed.quality:.3f}")
        points = [(model.cost or 0.0, model.quality) for model in found.models]
        axes.scatter(*zip(*points, strict=True), color="#1c2430", s=22, zorder=3, label="one model alone")
        middle = (min(points)[0] + max(points)[0]) / 2
        for model, point in list(zip(found.models, points, strict=True))[:_NAMED_MODELS]:
            side = -1 if point[0] > middle else 1
            offset: Any = {"xytext": (6 * side, -12), "textcoords": "offset points"}
            axes.annotate(_short(model.name), point, ha="left" if side > 0 else "right", fontsize=8, **offset)
        axes.set(xlabel="mean cost per request", ylabel="mean quality")
        axes.legend(loc="best")
        return canvas.drawing()


def cascades(found: Cascades) -> Drawing:
    """Quality over cost: every way to operate, with the point at which it aims."""
    with _Canvas("cascades", 9.0, 5.4) as canvas:
        axes = canvas.axes
        for colour, (name, curve) in zip(_COLOURS, found.curves.items(), strict=False):
            x, y = np.array(curve).T
            row = found.assumed.operations[name]
            suffix = "" if row.recovered is None else f", recovers {row.recovered.mean:.3f}"
            axes.plot(100 * x, y, color=colour, linewidth=2.2, label=f"{name}{suffix}")
            axes.plot([100 * row.cost.mean], [row.quality.mean], marker="D", color=colour)
        fixed = [(name, row) for name, row in found.assumed.operations.items() if name not in found.curves]
        for name, row in fixed:
            axes.plot([100 * row.cost.mean], [row.quality.mean], marker="o", color="#1c2430")
            offset: Any = {"xytext": (6, -12), "textcoords": "offset points"}
            axes.annotate(name, (100 * row.cost.mean, row.quality.mean), fontsize=8, **offset)
        goal = found.goal * found.assumed.operations["always strong"].quality.mean
        axes.axhline(goal, color="#c3cad3", linewidth=1, linestyle="--", zorder=0)
        axes.set(xlabel="cost, % of always-strong", ylabel="mean quality", xlim=(0, 106))
        axes.legend(loc="lower right")
        return canvas.drawing()


def models_bars(found: ManyRouting) -> Drawing:
    """Quality of each model and strategy, where costs are unknown."""
    rows = [(_short(model.name), model.quality, model.interval, "#8a939f") for model in found.models]
    rows += [(name, mixed.quality, mixed.interval, "#0072b2") for name, mixed in found.strategies.items()]
    rows.sort(key=lambda row: row[1])
    with _Canvas("models", 9.0, 1.2 + 0.26 * len(rows)) as canvas:
        names, values, _, colours = zip(*rows, strict=True)
        below, above = zip(
            *((0.0, 0.0) if bounds is None else (value - bounds[0], bounds[1] - value) for _, value, bounds, _ in rows),
            strict=True,
        )
        errors = [np.maximum(below, 0.0), np.maximum(above, 0.0)]
        canvas.axes.barh(names, values, color=colours, xerr=errors, error_kw={"elinewidth": 1, "ecolor": "#1c2430"})
        canvas.axes.set(xlabel="mean quality", ylim=(-0.6, len(rows) - 0.4))
        canvas.axes.grid(visible=False, axis="y")
        return canvas.drawing()


def costs(histogram: CostHistogram) -> Drawing:
    """Requests per cost, for both models."""
    with _Canvas("costs", 9.0, 3.4) as canvas:
        for label, counts, colour in (("weak", histogram.weak, _COLOURS[0]), ("strong", histogram.strong, _COLOURS[1])):
            canvas.axes.stairs(counts, histogram.edges, fill=True, alpha=0.55, color=colour, label=label)
        canvas.axes.set(xlabel="cost of a request", ylabel="requests")
        canvas.axes.legend()
        return canvas.drawing()


def reliability(found: HeadFindings) -> Drawing:
    """Accuracy over confidence; the bars below show how many answers stand behind each point."""
    with _Canvas("reliability", 6.4, 6.0, rows=(3, 1)) as canvas:
        axes, below = canvas.all_axes
        confidence = [part.confidence for part in found.reliability]
        axes.plot([0, 1], [0, 1], color="#8a939f", linestyle="--", linewidth=1.2, label="as sure as right")
        axes.plot(
            confidence,
            [part.accuracy for part in found.reliability],
            marker="o",
            color=_COLOURS[0],
            linewidth=1.8,
            label=f"the head, ECE {found.ece.value or 0.0:.3f}",
        )
        axes.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
        axes.legend(loc="upper left")
        below.bar(confidence, [part.n for part in found.reliability], width=0.045, color=_COLOURS[0])
        below.set(xlabel="confidence", ylabel="answers", xlim=(0, 1))
        return canvas.drawing()


def confusion(found: HeadFindings) -> Drawing:
    """What is taken for what, as shares of each true label."""
    size = 3.0 + 0.36 * len(found.labels)
    with _Canvas("confusion", size + 1.2, size) as canvas:
        counts = np.array(found.confusion, dtype=np.float64)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes = canvas.axes
        # Squares, not a bitmap: the page allows no images.
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="#ffffff", linewidth=0.5)
        places = range(len(found.labels))
        middles = [place + 0.5 for place in places]
        axes.set_xticks(middles, [_short(label) for label in found.labels], rotation=45, ha="right")
        axes.set_yticks(middles, [_short(label) for label in found.labels])
        for row in places:
            for column in places:
                if shares[row, column] >= 0.005:  # noqa: PLR2004 - would read 0
                    colour = "#ffffff" if shares[row, column] > 0.5 else "#1c2430"  # noqa: PLR2004 - dark cells
                    text = f"{100 * shares[row, column]:.0f}"
                    axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=8, color=colour)
        axes.set(xlabel="read as", ylabel="is", ylim=(len(found.labels), 0))
        axes.grid(visible=False)
        return canvas.drawing()


def drift(found: Drift) -> Drawing:
    """Population stability index of every signal, largest on top; alarms in colour."""
    shifts = sorted(found.shifts, key=lambda shift: shift.psi)[-40:]
    with _Canvas("drift", 9.0, 1.4 + 0.3 * len(shifts)) as canvas:
        axes = canvas.axes
        axes.barh(
            [_short(shift.signal) for shift in shifts],
            [max(shift.psi, 0.0) for shift in shifts],
            color=[_COLOURS[1] if shift.alarm else "#8a939f" for shift in shifts],
            height=0.65,
        )
        for value, label in ((found.least_psi, "alarm from here"), (0.25, "large")):
            axes.axvline(value, color="#1c2430", linewidth=1, linestyle=":")
            offset: Any = {"xycoords": ("data", "axes fraction"), "xytext": (3, 2), "textcoords": "offset points"}
            axes.annotate(label, (value, 1), fontsize=8, **offset)
        axes.set(xlabel="population stability index", ylim=(-0.6, len(shifts) - 0.4))
        axes.set_xlim(0, max(0.3, 1.05 * max(shift.psi for shift in shifts)))
        axes.grid(visible=False, axis="y")
        return canvas.drawing()


def latency(name: str, before: Sequence[int], after: Sequence[int]) -> Drawing:
    """Latency of the router before and now, as shares of the requests."""
    with _Canvas(f"latency-{name}", 9.0, 3.4) as canvas:
        edges = milli_edges()
        edges.append(edges[-1] * edges[1] / edges[0])
        for label, counts, colour in (("reference", before, _COLOURS[0]), ("current", after, _COLOURS[1])):
            total = max(sum(counts), 1)
            shares = [100 * count / total for count in counts]
            canvas.axes.stairs(shares, edges, fill=True, alpha=0.45, color=colour, label=label)
        some = [at for at, pair in enumerate(zip(before, after, strict=True)) if any(pair)]
        canvas.axes.set_xscale("log")
        canvas.axes.xaxis.set_major_formatter("{x:g}")
        canvas.axes.set(xlabel="milliseconds to decide", ylabel="requests, %")
        canvas.axes.set_xlim(edges[min(some)] / 1.2, edges[max(some) + 1] * 1.2)
        canvas.axes.legend()
        return canvas.drawing()


class _Canvas:
    """A figure under our style; nothing global changes, and nothing in it depends on the time."""

    def __init__(self, name: str, width: float, height: float, *, rows: Iterable[int] = (1,)) -> None:
        check()
        import matplotlib as mpl  # noqa: PLC0415 - optional
        from matplotlib.figure import Figure  # noqa: PLC0415 - optional

        self._name = name
        style: Any = {**_STYLE, "svg.hashsalt": name}
        self._style: Any = mpl.rc_context(style)
        self._figure, self._size, self._rows = Figure, (width, height), list(rows)

    def __enter__(self) -> Self:
        self._style.__enter__()
        self._drawn = self._figure(figsize=self._size, layout="constrained")
        grid = self._drawn.subplots(len(self._rows), 1, squeeze=False, height_ratios=self._rows)
        self.all_axes: list[Any] = [line[0] for line in grid]
        self.axes: Any = self.all_axes[0]
        return self

    def __exit__(self, *details: object) -> None:
        self._style.__exit__(*details)

    def drawing(self) -> Drawing:
        """Render."""
        svg, png = io.StringIO(), io.BytesIO()
        self._drawn.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        self._drawn.savefig(png, format="png", dpi=_PNG_DPI, metadata={"Software": None})
        markup = svg.getvalue()
        return Drawing(self._name, markup[markup.index("<svg") :], png.getvalue())


def _short(name: str) -> str:
    return name if len(name) <= _SHOWN_NAME else f"{name[: _SHOWN_NAME - 1]}…"
