from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra [train]")
torch = pytest.importorskip("torch", reason="needs the extra [train]")
transformers = pytest.importorskip("transformers", reason="needs the extra [train]")

from extproc_router.encoder.manifest import Geometry  # noqa: E402  after the skips
from extproc_router.encoder.session import HIDDEN_IN, WORDS, Output, Stage  # noqa: E402
from extproc_router.encoder.words import Words  # noqa: E402
from extproc_router.training import graph  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

SHAPE = graph.Shape(
    hidden_size=32,
    num_hidden_layers=3,
    num_attention_heads=4,
    layer_norm_eps=1e-12,
    vocab_size=100,
    max_position_embeddings=64,
    hidden_act="gelu",
)
GEOMETRY = Geometry(dimension=32, vocabulary=100, max_tokens=16, head_share=0.5)
STAGES = (1, 3)
IDF = np.linspace(0, 3, 100, dtype=np.float32)


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


def run(built: graph.Built, folder: Path, ids: list[int]) -> list[Output]:
    np.save(folder / "words.npy", built.words)
    hidden = Words(folder / "words.npy", GEOMETRY).look_up(ids)[0][None]
    outputs = []
    for number, model in enumerate(built.stages):
        onnx.checker.check_model(model)
        onnx.save(model, folder / f"{number}.onnx")
        stage = Stage(folder / f"{number}.onnx", HIDDEN_IN if number else WORDS, SHAPE.hidden_size)
        outputs.append(stage.run(hidden))
        hidden = outputs[-1].hidden
    return outputs


def cosine(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float:
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.mark.parametrize("length", [1, 2, 7, 16])
def test_the_stages_compute_what_transformers_does(original: Any, tmp_path: Path, length: int) -> None:
    weights = {name: value.numpy() for name, value in original.state_dict().items()}
    queries = [np.random.default_rng(stage).normal(size=32).astype(np.float32) for stage in STAGES]
    built = graph.build(weights, SHAPE, max_tokens=16, stages=STAGES, idf=IDF, queries=queries)
    ids = np.random.default_rng(length).integers(0, SHAPE.vocab_size, length).tolist()
    with torch.inference_mode():
        states = original(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states
    for depth, query, output in zip(STAGES, queries, run(built, tmp_path, ids), strict=True):
        hidden = states[depth][0].numpy()
        # Word vectors are int8, with one scale a row, and GELU is its tanh form; all else is the same arithmetic.
        assert cosine(output.hidden.ravel(), hidden.ravel()) > 0.999
        assert cosine(output.mean, hidden.mean(axis=0)) > 0.999
        scores = output.hidden[0] @ query
        attention = np.exp(scores - scores.max())
        assert cosine(output.focus, attention @ output.hidden[0]) == pytest.approx(1, abs=1e-4)
        assert np.linalg.norm(output.focus) == pytest.approx(1, abs=1e-5)


def test_without_queries_the_focus_is_the_mean(original: Any, tmp_path: Path) -> None:
    weights = {name: value.numpy() for name, value in original.state_dict().items()}
    built = graph.build(weights, SHAPE, max_tokens=16, stages=(2,), idf=IDF, queries=None)
    (output,) = run(built, tmp_path, [1, 2, 3])
    np.testing.assert_allclose(output.focus, output.mean, atol=1e-5)


def test_the_table_holds_vectors_and_idf(original: Any, tmp_path: Path) -> None:
    weights = {name: value.numpy() for name, value in original.state_dict().items()}
    built = graph.build(weights, SHAPE, max_tokens=16, stages=(1,), idf=IDF, queries=None)
    np.save(tmp_path / "words.npy", built.words)
    vectors, idf = Words(tmp_path / "words.npy", GEOMETRY).look_up(list(range(100)))
    wanted = weights["embeddings.word_embeddings.weight"]
    assert np.abs(vectors - wanted).max() <= np.abs(wanted).max() / 254 + 1e-6
    np.testing.assert_array_equal(idf, IDF)
