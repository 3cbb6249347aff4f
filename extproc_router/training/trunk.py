"""Fine-tune the trunk for every task at once: hours on two cores at most, with checkpoints, less on a GPU.

A run that was cut off goes on from its last checkpoint and ends as it would have (on the same machine): what is shown
in an epoch depends on the seed and the epoch's number alone.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from msgspec import Struct
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm
from transformers import BertModel

from extproc_router.encoder.manifest import Geometry
from extproc_router.encoder.tokenizer import Tokenizer
from extproc_router.errors import StartupError
from extproc_router.training import batches, export, losses, pool, watch
from extproc_router.training.model import Trunk
from extproc_router.training.rows import TAGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from extproc_router.training.batches import Batch
    from extproc_router.training.rows import Row

CHECKPOINT: Final = "checkpoint.pt"
EPOCHS: Final = 2.1
MAX_TOKENS: Final = 128
HEAD_SHARE: Final = 0.5
REPORT: Final = "trunk.json"
STAGES: Final = "stages.safetensors"
_SAVE_EVERY: Final = 240.0  # seconds
_DEPTH_WEIGHTS: Final = {2: 0.3, 3: 0.4, 4: 0.6}  # of the losses after earlier layers; the last counts 1
_LIKENESS: Final = 4.0
_LIKENESS_EVERY: Final = 4  # steps: the original model runs beside ours


class Options(Struct, frozen=True, kw_only=True):
    """What the command line says.

    Attributes:
        data: directory of `pool.FILES`.
        out: directory of the trunk, made if missing.
        seed: of every choice.
        epochs: how often the data is gone through; may be a fraction.
        depths: cumulative layer counts after which heads read.
        resume: whether to go on from the checkpoint in `out`.
        device: `cpu`, `cuda`, or `auto`.
        tokens: bound on a batch, padding included.
        rate: peak learning rate of the encoder; heads learn ten times as fast.
        noisy: share of the rows shown with noise.
        composed: attacks in harmless material, and as many harmless texts, per epoch.
        max_tokens: window.
        head_share: part of it for the head of a text.
    """

    data: Path
    out: Path
    seed: int = 0
    epochs: float = EPOCHS
    depths: tuple[int, ...] = (2, 4)
    resume: bool = False
    device: str = "auto"
    tokens: int = 4096
    rate: float = 2e-4
    noisy: float = 0.4
    composed: int = 1200
    max_tokens: int = MAX_TOKENS
    head_share: float = HEAD_SHARE


def train(options: Options, say: Callable[[str], None]) -> Path:
    """Train, and write the trunk to `options.out`.

    Args:
        options: see there.
        say: is told what happens, a line at a time.

    Returns:
        The directory: `config.json`, `model.safetensors` and `tokenizer.json` as of a BERT checkpoint, `STAGES` with
        queries, heads, tagger and inverse document frequencies, and `REPORT`.

    Raises:
        StartupError: a data file is missing or malformed, or there is a checkpoint of another run.
    """
    torch.manual_seed(options.seed)
    _Run(options, pool.collect(options.data, options.seed), say).go()
    return options.out


def _tokenizer(source: Path, options: Options) -> Tokenizer:
    config = json.loads((source / "config.json").read_text("utf-8"))
    geometry = Geometry(
        dimension=config["hidden_size"],
        vocabulary=config["vocab_size"],
        max_tokens=options.max_tokens,
        head_share=options.head_share,
    )
    return Tokenizer(source / "tokenizer.json", geometry)


class _Run:
    def __init__(self, options: Options, rows: Sequence[Row], say: Callable[[str], None]) -> None:
        self.options, self.rows, self.say = options, rows, say
        self.source = export.source().directory
        self.words, self.tokenizer = batches.vocabulary(rows), _tokenizer(self.source, options)
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(wanted if options.device == "auto" else options.device)
        self.trunk = Trunk(self.source, options.depths, self.words.sizes, len(TAGS)).to(self.device)
        self.original = BertModel.from_pretrained(self.source, add_pooling_layer=False).to(self.device).eval()
        fast = [value for name, value in self.trunk.named_parameters() if name.startswith("stages.")]
        # The word vectors stay as they are: half of all weights, most of them of tokens that these rows hardly show.
        self.trunk.bert.embeddings.word_embeddings.requires_grad_(False)
        slow = [v for name, v in self.trunk.named_parameters() if name.startswith("bert.") and v.requires_grad]
        self.optimiser = torch.optim.AdamW(
            [{"params": slow, "lr": options.rate}, {"params": fast, "lr": options.rate * 10}],
            weight_decay=0.01,
            fused=True,
        )
        self.rates = [options.rate, options.rate * 10]
        self.step, self.history = 0, list[dict[str, Any]]()
        self.plan = [self._epoch(number) for number in range(math.ceil(options.epochs))]
        self.steps = sum(map(len, self.plan))

    def _epoch(self, number: int) -> list[Callable[[], Batch]]:
        """The batches of an epoch; of the last one, as many as are asked for."""
        options = self.options
        shown = batches.epoch(self.rows, number, seed=options.seed, noisy=options.noisy, composed=options.composed)
        made = list(
            batches.batches(shown, self.tokenizer, self.words, tokens=options.tokens, seed=options.seed + number)
        )
        return made[: round(len(made) * min(1.0, options.epochs - number))]

    def go(self) -> None:
        if self.options.resume:
            self._resume()
        started, saved, first = time.monotonic(), time.monotonic(), self.step
        self.say(f"{len(self.rows)} rows, {self.steps} steps on {self.device}, from step {self.step}")
        with tqdm(total=self.steps, initial=self.step, unit="step", mininterval=10, dynamic_ncols=True) as bar:
            place = 0
            for number, part in enumerate(self.plan):
                for make in part:
                    place += 1
                    if place <= self.step:
                        continue
                    value = self._learn(make())
                    self.step = place
                    bar.update()
                    bar.set_postfix_str(f"loss {value:.3f}", refresh=False)
                    if time.monotonic() - saved > _SAVE_EVERY:
                        self._save()
                        saved = time.monotonic()
                if place == self.step and place > first:
                    figures = watch.measure(self.trunk, self.rows, self.tokenizer, self.words, self.device)
                    self.history.append({"epoch": number + 1, "step": self.step, **figures})
                    self.say(watch.line(self.history[-1]))
                    self._save()
        self._finish(time.monotonic() - started)

    def _learn(self, batch: Batch) -> float:
        self.trunk.train()
        for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
            group["lr"] = rate * self._schedule()
        on = self._to_device(batch)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            said = self.trunk(on.ids, on.mask, on.shapes)
        total = torch.zeros((), device=self.device)
        for depth, (logits, tags, _) in zip(self.options.depths, said, strict=True):
            weight = 1.0 if depth == self.options.depths[-1] else _DEPTH_WEIGHTS.get(depth, 0.5)
            total = total + weight * losses.loss({k: v.float() for k, v in logits.items()}, tags.float(), on)
        if self.step % _LIKENESS_EVERY == 0:
            total = total + _LIKENESS * self._likeness(on, [mean.float() for *_, mean in said[-2:]])
        self.optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.trunk.parameters(), 1.0)
        self.optimiser.step()
        return float(total.detach())

    def _schedule(self) -> float:
        """Share of the peak rate: up for a twentieth of the steps, then down in a line."""
        warm = max(1, self.steps // 20)
        return (self.step + 1) / warm if self.step < warm else max(0.02, (self.steps - self.step) / (self.steps - warm))

    def _likeness(self, batch: Batch, means: Sequence[Tensor]) -> Tensor:
        kept = [place for place, text in enumerate(batch.clean) if text]
        if len(kept) < 2:  # noqa: PLR2004  no pairs
            return torch.zeros((), device=self.device)
        encoded = [self.tokenizer(batch.clean[place]).ids for place in kept]
        width = max(map(len, encoded))
        ids = torch.zeros((len(kept), width), dtype=torch.int64)
        for number, one in enumerate(encoded):
            ids[number, : len(one)] = torch.tensor(one)
        mask = torch.arange(width)[None] < torch.tensor([len(one) for one in encoded])[:, None]
        ids, mask = ids.to(self.device), mask.to(self.device)
        with torch.no_grad(), torch.autocast(self.device.type, dtype=torch.bfloat16):
            hidden = self.original(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask.unsqueeze(2)
        target = torch.nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)
        return torch.stack([losses.likeness(mean[kept], target) for mean in means]).mean()

    def _to_device(self, batch: Batch) -> Batch:
        if self.device.type == "cpu":
            return batch
        moved = {
            name: value.to(self.device) if isinstance(value := getattr(batch, name), Tensor) else value
            for name in batch.__struct_fields__
        }
        return type(batch)(**moved)

    def _identity(self) -> dict[str, Any]:
        options = self.options
        return {
            "seed": options.seed,
            "steps": self.steps,
            "depths": list(options.depths),
            "rows": len(self.rows),
            "rate": options.rate,
        }

    def _save(self) -> None:
        self.options.out.mkdir(parents=True, exist_ok=True)
        path = self.options.out / CHECKPOINT
        state = {
            "identity": self._identity(),
            "step": self.step,
            "history": self.history,
            "trunk": self.trunk.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        torch.save(state, path.with_suffix(".partial"))
        path.with_suffix(".partial").replace(path)

    def _resume(self) -> None:
        path = self.options.out / CHECKPOINT
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["identity"] != self._identity():
            raise StartupError(f"{path}: a checkpoint of another run: {state['identity']}, not {self._identity()}")
        self.trunk.load_state_dict(state["trunk"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.history = state["step"], state["history"]

    def _finish(self, seconds: float) -> None:
        out = self.options.out
        out.mkdir(parents=True, exist_ok=True)
        bert = self.trunk.bert.eval().cpu()
        bert.config.to_json_file(out / "config.json")
        save_file({name: value.contiguous() for name, value in bert.state_dict().items()}, out / "model.safetensors")
        shutil.copyfile(self.source / "tokenizer.json", out / "tokenizer.json")
        stages = {name: value.cpu().contiguous() for name, value in self.trunk.stages.state_dict().items()}
        stages["idf"] = torch.from_numpy(_idf(self.rows, self.tokenizer, bert.config.vocab_size))
        save_file(stages, out / STAGES)
        report = {
            **self._identity(),
            "epochs": self.options.epochs,
            "noisy": self.options.noisy,
            "composed": self.options.composed,
            "device": str(self.device),
            "seconds": round(seconds),
            "topics": self.words.topics,
            "models": self.words.models,
            "history": self.history,
        }
        (out / REPORT).write_text(json.dumps(report, indent=1), "utf-8")


def _idf(rows: Sequence[Row], tokenizer: Tokenizer, size: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """log((1 + texts) / (1 + texts with the token)), float32 [vocabulary]; one text of seven is counted."""
    counted = rows[::7]
    seen = np.zeros(size)
    for row in counted:
        seen[list(set(tokenizer(row.text).ids))] += 1
    return np.log((1 + len(counted)) / (1 + seen)).astype(np.float32)
