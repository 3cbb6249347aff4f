"""One ONNX Runtime session: token ids to a sentence embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from extproc_router.errors import ArtefactError, EncoderFailed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

INPUT = "input_ids"
OUTPUT = "embedding"
_ERRORS_ONLY = 3


class Session:
    """The encoder's graph, loaded by path. `run` computes in the caller's thread and may be called from several.

    Args:
        path: an ONNX file with one input `input_ids` int32 [1, tokens] and one output `embedding` float32
            [1, dimension], pooled and L2-normalised in the graph.
        dimension: of the embedding, as the manifest has it.

    Raises:
        ArtefactError: ONNX Runtime cannot load the file, or its input or output differ from the above.
    """

    def __init__(self, path: Path, dimension: int) -> None:
        try:
            self._session = onnxruntime.InferenceSession(str(path), _options(), providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise ArtefactError(f"{path}: ONNX Runtime cannot load it: {error}") from error
        signature = [(value.name, value.type) for value in (*self._session.get_inputs(), *self._session.get_outputs())]
        if signature != [(INPUT, "tensor(int32)"), (OUTPUT, "tensor(float)")]:
            raise ArtefactError(f"{path}: the graph's inputs and outputs are {signature}")
        shape = self._session.get_outputs()[0].shape
        if shape != [1, dimension]:
            raise ArtefactError(f"{path}: the embedding's shape is {shape}, the manifest says [1, {dimension}]")

    def run(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """Embed one text.

        Args:
            ids: token ids with special tokens, at least one, each below the vocabulary's size.

        Returns:
            float32 [dimension], of length 1.

        Raises:
            EncoderFailed: ONNX Runtime raised.
        """
        try:
            (embedding,) = self._session.run([OUTPUT], {INPUT: np.asarray([ids], dtype=np.int32)})
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise EncoderFailed(f"ONNX Runtime: {error}") from error
        row: npt.NDArray[np.float32] = embedding[0]
        return row


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
