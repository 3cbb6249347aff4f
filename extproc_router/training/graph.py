"""The encoder's ONNX graph, written down rather than traced.

BERT (Devlin et al. 2019) with mean pooling and L2 normalisation, as all-MiniLM-L6-v2 uses it. Tracing transformers 5
yields a graph in which ONNX Runtime's optimiser finds no attention to fuse; the same arithmetic in the operators that
are fast on a CPU is shorter than the patterns would be (docs/decisions/0005-encoder-window.md has the figures).

The graph takes one text and no padding. Dynamic quantisation scales by the extremes of all it sees, so that in a
batch one text would change the embedding of another; alone, training and serving see the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from msgspec import Struct
from onnx import TensorProto, helper, numpy_helper

from extproc_router.encoder import session, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Array: TypeAlias = npt.NDArray[np.float32]

_OPSET = 17
_IR_VERSION = 8  # the oldest that opset 17 needs: every ONNX Runtime we allow reads it
_MICROSOFT = "com.microsoft"


class Shape(Struct, frozen=True):
    """What `config.json` says of the model."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    layer_norm_eps: float
    vocab_size: int
    max_position_embeddings: int
    hidden_act: str


class Built(Struct, frozen=True):
    """An encoder in parts.

    Attributes:
        words: int8 [vocabulary, hidden_size + words.TRAILER], the word vectors as `encoder.words` reads them.
        stages: a graph each, in the order in which they run. Input float32 [1, tokens, hidden_size]; outputs `hidden`
            of the same shape, `mean` and `focus` float32 [1, hidden_size], of length 1.
    """

    words: npt.NDArray[np.int8]
    stages: list[onnx.ModelProto]


def build(
    weights: Mapping[str, Array],
    shape: Shape,
    *,
    max_tokens: int,
    stages: Sequence[int],
    idf: Array,
    queries: Sequence[Array] | None,
) -> Built:
    """Build the word vectors and the graph of each stage.

    Args:
        weights: as named in the checkpoint, e.g. `encoder.layer.0.output.dense.weight` [out, in].
        shape: of the model.
        max_tokens: positions beyond it are left out.
        stages: how many layers have run when each stage ends, ascending, e.g. (2, 6). Later layers are left out.
        idf: float32 [vocabulary], >= 0.
        queries: for each stage float32 [hidden_size], what its focus looks for; None: nothing, the focus is the mean.

    Returns:
        Word vectors as int8 with one scale a row, all else float32.
    """
    built = []
    start = 0
    for number, end in enumerate(stages):
        graph = _Graph(shape)
        hidden = _embeddings(graph, weights, max_tokens) if start == 0 else session.HIDDEN_IN
        for layer in range(start, end):
            hidden = _layer(graph, weights, layer, hidden)
        _outputs(graph, hidden, queries[number] if queries else np.zeros(shape.hidden_size, np.float32))
        built.append(graph.model(session.HIDDEN_IN if start else session.WORDS))
        start = end
    return Built(_words(weights["embeddings.word_embeddings.weight"], idf), built)


def _words(vectors: Array, idf: Array) -> npt.NDArray[np.int8]:
    # A row of zeros (padding) would have no scale.
    scale = (np.maximum(np.abs(vectors).max(axis=1, keepdims=True), np.finfo(np.float32).tiny) / 127).astype(np.float32)
    trailer = np.concatenate([scale, idf.astype(np.float32)[:, None]], axis=1).astype(words.TRAILER_TYPE)
    return np.concatenate([np.round(vectors / scale).astype(np.int8), trailer.view(np.int8)], axis=1)


class _Graph:
    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: npt.NDArray[np.generic]) -> str:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: object) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def model(self, source: str) -> onnx.ModelProto:
        size = self.shape.hidden_size
        states = [1, "tokens", size]
        shapes = dict(zip(session.OUTPUTS, (states, [1, size], [1, size]), strict=True))
        inputs = [helper.make_tensor_value_info(source, TensorProto.FLOAT, states)]
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
        graph = helper.make_graph(self._nodes, "sentence_encoder", inputs, outputs, self._constants)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)


def _embeddings(graph: _Graph, weights: Mapping[str, Array], max_tokens: int) -> str:
    # One text is one segment: its type embedding is a constant, added to the positions.
    segment = weights["embeddings.token_type_embeddings.weight"][0]
    positions = graph.constant("positions", (weights["embeddings.position_embeddings.weight"] + segment)[:max_tokens])
    length = graph.add("Shape", [session.WORDS], "length", start=1, end=2)
    start = graph.constant("start", np.zeros(1, np.int64))
    axis = graph.constant("axis", np.zeros(1, np.int64))
    position = graph.add("Slice", [positions, start, length, axis], "position")
    return _norm(graph, weights, "embeddings.LayerNorm", graph.add("Add", [session.WORDS, position], "embedded"))


def _outputs(graph: _Graph, hidden: str, query: Array) -> None:
    graph.add("Identity", [hidden], "hidden")
    graph.add("LpNormalization", [graph.add("ReduceMean", [hidden], "sum", axes=[1], keepdims=0)], "mean", axis=1, p=2)
    # Not a product of matrices, which would be quantised: softmax magnifies what that costs.
    matched = graph.add("Mul", [hidden, graph.constant("query", query.astype(np.float32))], "matched")
    across = graph.constant("across", np.array([2], np.int64))
    score = graph.add("ReduceSum", [matched, across], "score", keepdims=1)
    weighted = graph.add("Mul", [hidden, graph.add("Softmax", [score], "weight", axis=1)], "weighted")
    along = graph.constant("along", np.array([1], np.int64))
    focus = graph.add("ReduceSum", [weighted, along], "focused", keepdims=0)
    graph.add("LpNormalization", [focus], "focus", axis=1, p=2)


def _layer(graph: _Graph, weights: Mapping[str, Array], number: int, hidden: str) -> str:
    prefix = f"encoder.layer.{number}."
    names = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
    weight = graph.constant(f"{prefix}qkv.weight", np.concatenate([weights[f"{name}.weight"].T for name in names], 1))
    bias = graph.constant(f"{prefix}qkv.bias", np.concatenate([weights[f"{name}.bias"] for name in names]))
    attention = graph.add(
        "Attention",
        [hidden, weight, bias],
        f"{prefix}attention",
        _MICROSOFT,
        num_heads=graph.shape.num_attention_heads,
    )
    projected = _linear(graph, weights, f"{prefix}attention.output.dense", attention)
    attended = _norm(
        graph,
        weights,
        f"{prefix}attention.output.LayerNorm",
        graph.add("Add", [projected, hidden], f"{prefix}attention.residual"),
    )
    wide = _product(graph, weights, f"{prefix}intermediate.dense", attended)
    wide_bias = graph.constant(f"{prefix}intermediate.bias", weights[f"{prefix}intermediate.dense.bias"])
    # The tanh form (Hendrycks & Gimpel 2016): 3 % of the whole pass faster than erf, for a cosine that stays 0.993.
    active = graph.add("FastGelu", [wide, wide_bias], f"{prefix}gelu", _MICROSOFT)
    narrow = _linear(graph, weights, f"{prefix}output.dense", active)
    residual = graph.add("Add", [narrow, attended], f"{prefix}residual")
    return _norm(graph, weights, f"{prefix}output.LayerNorm", residual)


def _product(graph: _Graph, weights: Mapping[str, Array], name: str, value: str) -> str:
    weight = graph.constant(f"{name}.weight", weights[f"{name}.weight"].T)
    return graph.add("MatMul", [value, weight], f"{name}.product")


def _linear(graph: _Graph, weights: Mapping[str, Array], name: str, value: str) -> str:
    bias = graph.constant(f"{name}.bias", weights[f"{name}.bias"])
    return graph.add("Add", [_product(graph, weights, name, value), bias], f"{name}.sum")


def _norm(graph: _Graph, weights: Mapping[str, Array], name: str, value: str) -> str:
    # Layer normalisation in elementwise operators: ONNX Runtime's own kernel is scalar and took 3.3 of 14 ms at 128
    # tokens; these take 1.1. Max instead of adding epsilon keeps its optimiser from fusing them into that kernel.
    mean = graph.add("ReduceMean", [value], f"{name}.mean", axes=[-1], keepdims=1)
    centred = graph.add("Sub", [value, mean], f"{name}.centred")
    square = graph.add("Mul", [centred, centred], f"{name}.square")
    variance = graph.add("ReduceMean", [square], f"{name}.variance", axes=[-1], keepdims=1)
    floor = graph.constant(f"{name}.floor", np.array(graph.shape.layer_norm_eps, np.float32))
    deviation = graph.add("Sqrt", [graph.add("Max", [variance, floor], f"{name}.bounded")], f"{name}.deviation")
    unit = graph.add("Div", [centred, deviation], f"{name}.unit")
    scaled = graph.add("Mul", [unit, graph.constant(f"{name}.weight", weights[f"{name}.weight"])], f"{name}.scaled")
    return graph.add("Add", [scaled, graph.constant(f"{name}.bias", weights[f"{name}.bias"])], f"{name}.normed")
