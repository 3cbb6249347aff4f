"""How training goes, on validation rows, after each epoch and each stage: quick figures, not the card's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from extproc_router.training import batches, metrics
from extproc_router.training.data import Split
from extproc_router.training.rows import DIFFICULTY, DOMAIN, JAILBREAK, LABELS, REASONING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from extproc_router.encoder.tokenizer import Tokenizer
    from extproc_router.training.batches import Vocabulary
    from extproc_router.training.model import Trunk
    from extproc_router.training.rows import Row

_AT_MOST = 500  # rows of a source
_BATCH = 24


def measure(
    trunk: Trunk, rows: Sequence[Row], tokenizer: Tokenizer, words: Vocabulary, device: torch.device
) -> dict[str, Any]:
    """Figures per depth: name -> value, rounded."""
    kept = _some(rows)
    trunk.eval()
    logits: list[dict[str, list[npt.NDArray[np.float32]]]] = [{} for _ in trunk.depths]
    tagged = np.zeros((len(trunk.depths), 3))
    items = [batches.item(row, row.text, tokenizer) for row in kept]
    order = sorted(range(len(items)), key=lambda place: len(items[place].ids))
    for start in range(0, len(order), _BATCH):
        batch = batches.collate([items[place] for place in order[start : start + _BATCH]], words)
        with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
            said = trunk(batch.ids.to(device), batch.mask.to(device), batch.shapes.to(device))
        for depth, (answers, tags, _) in enumerate(said):
            for task, value in answers.items():
                logits[depth].setdefault(task, []).append(value.float().cpu().numpy())
            tagged[depth] += _tag_counts(tags.float().argmax(2).cpu().numpy(), batch.tags.numpy())
    ordered = [kept[place] for place in order]
    return {
        f"depth {depth}": _figures(ordered, {task: np.concatenate(parts) for task, parts in answers.items()}, words)
        | {"pii token f1": _f1(*tagged[number])}
        for number, (depth, answers) in enumerate(zip(trunk.depths, logits, strict=True))
    }


def line(entry: Mapping[str, Any]) -> str:
    """One epoch's figures for people."""
    parts = [f"epoch {entry['epoch']}, step {entry['step']}"]
    for name, figures in entry.items():
        if name.startswith("depth"):
            parts.append(f"  {name}: " + ", ".join(f"{what} {value:.3f}" for what, value in figures.items()))
    return "\n".join(parts)


def _some(rows: Sequence[Row]) -> list[Row]:
    counts: dict[str, int] = {}
    kept = []
    for row in rows:
        if row.split is Split.VALIDATION and counts.get(row.source, 0) < _AT_MOST:
            counts[row.source] = counts.get(row.source, 0) + 1
            kept.append(row)
    return kept


def _figures(rows: Sequence[Row], logits: Mapping[str, npt.NDArray[np.float32]], words: Vocabulary) -> dict[str, float]:
    figures: dict[str, float] = {}

    def of(source: Callable[[Row], bool]) -> npt.NDArray[np.intp]:
        return np.array([place for place, row in enumerate(rows) if source(row)], np.intp)

    for source in ("exam", "half_a", "mmlu_pro", "natural", "arena", "own/domain_multilingual"):
        if len(kept := of(lambda row, source=source: row.source == source and row.domain is not None)):  # type: ignore[misc]
            truth = np.array([LABELS.index(rows[place].domain or "") for place in kept])
            figures[f"domain {source}"] = float((logits[DOMAIN][kept].argmax(1) == truth).mean())
    if len(kept := of(lambda row: row.source == "own/reasoning")):
        truth = np.array([rows[place].reasoning == 1.0 for place in kept])
        figures["reasoning auc"] = metrics.auc(truth, logits[REASONING][kept, 0])
    if len(kept := of(lambda row: row.source in ("own/jailbreak", "own/lookalikes"))):
        truth = np.array([rows[place].jailbreak == 1.0 for place in kept])
        figures["jailbreak own auc"] = metrics.auc(truth, logits[JAILBREAK][kept, 0])
    if len(kept := of(lambda row: row.jailbreak is not None)):
        truth = np.array([rows[place].jailbreak == 1.0 for place in kept])
        figures["jailbreak recall at 1%"] = metrics.recall_at(truth, logits[JAILBREAK][kept, 0], 0.01)
    for source in ("half_a", "llmrouter/gsm8k", "mmlu_pro"):
        if len(kept := of(lambda row, source=source: row.source == source)):  # type: ignore[misc]
            truth = np.array([[(rows[p].outcomes or {}).get(model, np.nan) for model in words.models] for p in kept])
            said = 1 / (1 + np.exp(-logits[DIFFICULTY][kept]))
            figures[f"outcomes {source} corr"] = _correlation(
                np.nanmean(truth, 1), np.where(np.isnan(truth), np.nan, said)
            )
            if source == "half_a":
                columns = np.flatnonzero(~np.isnan(truth).all(0))
                gains = truth[:, columns] @ np.array([1.0, -1.0])
                figures["half_a gain corr"] = abs(
                    float(np.corrcoef(gains, said[:, columns] @ np.array([1.0, -1.0]))[0, 1])
                )
    return {name: round(float(value), 4) for name, value in figures.items()}


def _correlation(truth: npt.NDArray[np.float64], said: npt.NDArray[np.float64]) -> float:
    return float(np.corrcoef(truth, np.nanmean(said, 1))[0, 1])


def _tag_counts(said: npt.NDArray[np.int64], truth: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    known = truth != batches.UNKNOWN
    right = (said == truth) & known & (truth > 0)
    return np.array([right.sum(), ((said > 0) & known).sum(), ((truth > 0) & known).sum()], np.float64)


def _f1(right: float, said: float, true: float) -> float:
    return round(2 * float(right) / max(1.0, float(said + true)), 4)
