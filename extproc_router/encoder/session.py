"""One stage of the encoder on ONNX Runtime: hidden states in, hidden states and two poolings of them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import onnxruntime
from msgspec import Struct

from extproc_router.errors import ArtefactError, EncoderFailed

if TYPE_CHECKING:
    from pathlib import Path

WORDS = "words"  # the first stage's input
HIDDEN_IN = "hidden_in"  # every later stage's
OUTPUTS = ("hidden", "mean", "focus")
_RANKS = (3, 3, 2, 2)  # of the input and the outputs
_FLOAT = "tensor(float)"
_ERRORS_ONLY = 3


class Output(Struct, frozen=True):
    """What a stage made of a text.

    Attributes:
        hidden: float32 [1, tokens, dimension], the next stage's input.
        mean: float32 [dimension], of length 1.
        focus: float32 [dimension], of length 1: the mean weighted by what the stage looks for.
    """

    hidden: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]
    focus: npt.NDArray[np.float32]


class Stage:
    """A stage's graph, loaded by path. `run` computes in the caller's thread and may be called from several.

    Args:
        path: an ONNX file with one input float32 [1, tokens, dimension] and the outputs `hidden` of the same shape,
            `mean` and `focus`, both float32 [1, dimension].
        source: name of the input, `WORDS` or `HIDDEN_IN`.
        dimension: as the manifest has it.

    Raises:
        ArtefactError: ONNX Runtime cannot load the file, or its inputs or outputs differ from the above.
    """

    def __init__(self, path: Path, source: str, dimension: int) -> None:
        try:
            self._session = onnxruntime.InferenceSession(str(path), _options(), providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise ArtefactError(f"{path}: ONNX Runtime cannot load it: {error}") from error
        values = (*self._session.get_inputs(), *self._session.get_outputs())
        signature = [(value.name, value.type, len(value.shape)) for value in values]
        if signature != [(name, _FLOAT, rank) for name, rank in zip((source, *OUTPUTS), _RANKS, strict=True)]:
            raise ArtefactError(f"{path}: the graph's inputs and outputs are {signature}")
        sizes = {value.name: value.shape[-1] for value in values}
        if set(sizes.values()) != {dimension}:
            raise ArtefactError(f"{path}: the graph's dimensions are {sizes}, the manifest says {dimension}")
        self._source = source

    def run(self, hidden: npt.NDArray[np.float32]) -> Output:
        """Run on one text.

        Args:
            hidden: float32 [1, tokens, dimension]: word vectors, or what the stage before gave; at least one token.

        Raises:
            EncoderFailed: ONNX Runtime raised, or gave what is no number.
        """
        try:
            states, mean, focus = self._session.run(OUTPUTS, {self._source: hidden})
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise EncoderFailed(f"ONNX Runtime: {error}") from error
        if not np.isfinite(mean).all():
            raise EncoderFailed("the graph gave what is no number")
        return Output(states, mean[0], focus[0])


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # One thread a request: a sidecar shares its cores with Envoy, and the server decides how many run at once.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Every length is another shape: arena and memory patterns would keep the peak of each, for no time gained.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = _ERRORS_ONLY
    return options
