from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra [train]")
torch = pytest.importorskip("torch", reason="needs the extra [train]")
transformers = pytest.importorskip("transformers", reason="needs the extra [train]")

from extproc_router.encoder.session import Session  # noqa: E402  after the skips
from extproc_router.training import graph  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = graph.Shape(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    layer_norm_eps=1e-12,
    vocab_size=100,
    max_position_embeddings=64,
    hidden_act="gelu",
)


@pytest.fixture(scope="module")
def original() -> Any:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=SHAPE.hidden_size,
        num_hidden_layers=SHAPE.num_hidden_layers,
        num_attention_heads=SHAPE.num_attention_heads,
        intermediate_size=64,
        vocab_size=SHAPE.vocab_size,
        max_position_embeddings=SHAPE.max_position_embeddings,
        layer_norm_eps=SHAPE.layer_norm_eps,
        initializer_range=0.5,  # so that every part of the arithmetic shows
    )
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            parameter.data += 0.1 * torch.randn_like(parameter) if "weight" in name else 0.3
    return model


def test_the_graph_computes_what_transformers_does(original: Any, tmp_path: Path) -> None:
    weights = {name: value.numpy() for name, value in original.state_dict().items()}
    onnx.save(graph.build(weights, SHAPE, 16), tmp_path / "small.onnx")
    session = Session(tmp_path / "small.onnx", SHAPE.hidden_size)
    for length in (1, 2, 7, 16):
        ids = np.random.default_rng(length).integers(0, SHAPE.vocab_size, length).tolist()
        with torch.inference_mode():
            mean = original(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(dim=0).numpy()
        # Word embeddings are int8, with one scale a row; all else is float.
        assert session.run(ids) @ mean / np.linalg.norm(mean) > 0.999
