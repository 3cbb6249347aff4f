"""A graph of the shape of ModernBERT-base with random weights: what others run, to be timed beside ours.

Shape by Warner et al. 2024 (arXiv 2412.13663), table 4, and the checkpoint's config.json: 22 layers of 768, 12 heads,
GeGLU of 1,152, pre-norm, no biases, rotary positions, global attention in every third layer from the first on, and a
window of 128 tokens in the others. How long a graph takes does not depend on its weights. Where ModernBERT's own code
skips what lies outside of the window (flash attention on a GPU), ONNX exports of it mask it, and so does this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
from msgspec import Struct
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

INPUT: Final = "input_ids"
OUTPUT: Final = "last_hidden_state"
_OPSET: Final = 17
_IR: Final = 8
_EPSILON: Final = 1e-5
_FAR: Final = -1e9  # what attention gets outside of the window


class Shape(Struct, frozen=True):
    """Sizes; by default those of ModernBERT-base.

    Attributes:
        layers: how many.
        hidden: width of the residual stream.
        heads: of attention; hidden / heads is even.
        intermediate: of the gated feed-forward part.
        vocabulary: tokens.
        window: tokens that local attention sees, half on each side.
        every: each n-th layer, from the first on, attends to all tokens.
        theta: base of the rotary frequencies, (global, local).
    """

    layers: int = 22
    hidden: int = 768
    heads: int = 12
    intermediate: int = 1152
    vocabulary: int = 50_368
    window: int = 128
    every: int = 3
    theta: tuple[float, float] = (160_000.0, 10_000.0)


def parameters(shape: Shape) -> int:
    """Count weights: embeddings, attention, feed-forward, norms."""
    layer = 4 * shape.hidden**2 + 3 * shape.hidden * shape.intermediate + 2 * shape.hidden
    # The first layer has no norm before its attention: that of the embeddings stands there.
    return shape.vocabulary * shape.hidden + shape.layers * layer + shape.hidden


def write(path: Path, shape: Shape | None = None, seed: int = 0) -> None:
    """Write the graph as ONNX: `input_ids` int64 [1, tokens] to `last_hidden_state` float32 [1, tokens, hidden]."""
    shape = shape or Shape()
    graph = _Graph(shape, seed)
    graph.build()
    made = helper.make_graph(
        graph.nodes,
        "modernbert",
        [helper.make_tensor_value_info(INPUT, TensorProto.INT64, [1, "tokens"])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, "tokens", shape.hidden])],
        graph.weights,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


class _Graph:
    """Nodes and weights as they are added; every method returns the name of what it computes."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._shape = shape
        self._random = np.random.default_rng(seed)

    def build(self) -> None:
        shape = self._shape
        tables = [self._rotary(theta) for theta in shape.theta]
        mask = self._local_mask()
        table = self._weight(shape.vocabulary, shape.hidden)
        stream = self._norm(self._add("Gather", table, INPUT))
        for layer in range(shape.layers):
            is_global = layer % shape.every == 0
            inputs = self._norm(stream) if layer else stream
            attended = self._attention(inputs, tables[0 if is_global else 1], None if is_global else mask)
            stream = self._add("Add", stream, attended)
            stream = self._add("Add", stream, self._gated(self._norm(stream)))
        self._add("LayerNormalization", stream, self._ones(shape.hidden), output=OUTPUT, epsilon=_EPSILON)

    def _attention(self, inputs: str, rotary: tuple[str, str], mask: str | None) -> str:
        shape = self._shape
        size = shape.hidden // shape.heads
        joint = self._add("MatMul", inputs, self._weight(shape.hidden, 3 * shape.hidden))
        split = self._add("Reshape", joint, self._integers(0, 0, 3, shape.heads, size))
        parts = self._add("Transpose", split, perm=[2, 0, 3, 1, 4])  # [3, 1, heads, tokens, size]
        query, key, value = (self._add("Gather", parts, self._integer(place), axis=0) for place in range(3))
        query, key = self._rotated(query, rotary), self._rotated(key, rotary)
        across = self._add("Transpose", key, perm=[0, 1, 3, 2])
        scores = self._add("Mul", self._add("MatMul", query, across), self._floats(size**-0.5))
        if mask is not None:
            scores = self._add("Add", scores, mask)
        mixed = self._add("MatMul", self._add("Softmax", scores, axis=-1), value)
        joined = self._add("Transpose", mixed, perm=[0, 2, 1, 3])
        flat = self._add("Reshape", joined, self._integers(0, 0, shape.hidden))
        return self._add("MatMul", flat, self._weight(shape.hidden, shape.hidden))

    def _rotated(self, states: str, rotary: tuple[str, str]) -> str:
        cosine, sine = rotary
        half = self._shape.hidden // self._shape.heads // 2
        low = self._add("Slice", states, self._integers(0), self._integers(half), self._integers(3))
        high = self._add("Slice", states, self._integers(half), self._integers(2 * half), self._integers(3))
        turned = self._add("Concat", self._add("Neg", high), low, axis=3)
        return self._add("Add", self._add("Mul", states, cosine), self._add("Mul", turned, sine))

    def _gated(self, inputs: str) -> str:
        """GeGLU: gelu(a) * b, by the error function."""
        shape = self._shape
        joint = self._add("MatMul", inputs, self._weight(shape.hidden, 2 * shape.intermediate))
        width = shape.intermediate
        gate = self._add("Slice", joint, self._integers(0), self._integers(width), self._integers(2))
        value = self._add("Slice", joint, self._integers(width), self._integers(2 * width), self._integers(2))
        erf = self._add("Erf", self._add("Div", gate, self._floats(2**0.5)))
        gelu = self._add("Mul", self._add("Mul", gate, self._add("Add", erf, self._floats(1.0))), self._floats(0.5))
        return self._add("MatMul", self._add("Mul", gelu, value), self._weight(width, shape.hidden))

    def _rotary(self, theta: float) -> tuple[str, str]:
        """Cosines and sines float32 [tokens, size] of this input's positions."""
        size = self._shape.hidden // self._shape.heads
        frequencies = theta ** (-np.arange(0, size, 2) / size)
        positions = self._add(
            "Unsqueeze", self._add("Cast", self._positions(), to=TensorProto.FLOAT), self._integers(1)
        )
        angles = self._add("Mul", positions, self._constant(np.tile(frequencies, 2).astype(np.float32)[None]))
        return self._add("Cos", angles), self._add("Sin", angles)

    def _local_mask(self) -> str:
        """0 within half a window to each side and `_FAR` beyond, float32 [tokens, tokens]."""
        positions = self._positions()
        down, across = (self._add("Unsqueeze", positions, self._integers(axis)) for axis in (1, 0))
        distance = self._add("Abs", self._add("Sub", down, across))
        beyond = self._add("Greater", distance, self._integer(self._shape.window // 2))
        return self._add("Where", beyond, self._floats(_FAR), self._floats(0.0))

    def _positions(self) -> str:
        tokens = self._add("Gather", self._add("Shape", INPUT), self._integer(1))
        return self._add("Range", self._integer(0), tokens, self._integer(1))

    def _norm(self, inputs: str) -> str:
        return self._add("LayerNormalization", inputs, self._ones(self._shape.hidden), epsilon=_EPSILON)

    def _weight(self, rows: int, columns: int) -> str:
        values = self._random.standard_normal((rows, columns), dtype=np.float32) * np.float32(rows**-0.5)
        return self._constant(values)

    def _ones(self, size: int) -> str:
        return self._constant(np.ones(size, np.float32))

    def _floats(self, value: float) -> str:
        return self._constant(np.float32(value))

    def _integer(self, value: int) -> str:
        return self._constant(np.int64(value))

    def _integers(self, *values: int) -> str:
        return self._constant(np.array(values, np.int64))

    def _constant(self, value: npt.NDArray[Any] | np.generic) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _add(self, kind: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        name = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name
