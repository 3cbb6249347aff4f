from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from extproc_router import encoder
from extproc_router.encoder import manifest, words
from extproc_router.encoder.manifest import FileRecord, Geometry, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).parent / "fixtures"
GEOMETRY = Geometry(dimension=4, vocabulary=13, max_tokens=16, head_share=0.5)
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "law", "sue", "sum", "root", "ann", "##a", "lee", "lives", "."]
# One direction for law, one for mathematics, one for names; the last says nothing.
VECTORS = {"law": (1, 0, 0, 0), "sue": (1, 0, 0, 1), "sum": (0, 1, 0, 0), "root": (0, 1, 0, 1), "ann": (0, 0, 1, 0)}
VECTORS |= {"##a": (0, 0, 1, 0), "lee": (0, 0, 1, 0), "lives": (0, 0, 0, 1), ".": (0, 0, 0, 1), "[CLS]": (0, 0, 0, 1)}


def reading(weights: list[list[float]], **changes: Any) -> dict[str, Any]:
    fields = {"weights": weights, "bias": [0.0] * len(weights), "temperature": 1.0, "trust": None}
    return fields | {"exit_above": None, "exit_below": None} | changes


def head(kind: str, labels: list[str], **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"kind": kind, "labels": labels, "inputs": ["mean"], "surface": None, "readings": []}
    fields |= {"threshold": None, "confidence_floor": 0.0, "floor_precision": 0.0, "models": None, "enabled": True}
    return fields | {"card": {}} | changes


LAW_OR_MATH = [[6.0, 0.0, 0.0, 0.0], [0.0, 6.0, 0.0, 0.0]]
LAW_OR_MATH_LAST = [[6.0, 0.0, 0.0, 0.0], [0.0, -6.0, 0.0, 0.0]]  # the second stage turns that direction round
SPAN_ROWS = [[0.0] * 12, [0.0, 0.0, 9.0, -9.0, *[0.0] * 8], [0.0, 0.0, 9.5, -9.0, *[0.0] * 8]]
SPAN_BIAS = [3.0, 0.0, 0.0]
HEADS: dict[str, dict[str, Any]] = {
    "domain": head(
        "choice",
        ["law", "math"],
        readings=[
            reading(LAW_OR_MATH, exit_above=0.99),
            reading(LAW_OR_MATH, exit_above=0.9),
            reading(LAW_OR_MATH_LAST),
        ],
        confidence_floor=0.6,
        floor_precision=0.9,
    ),
    "alarm": head(
        "flag",
        ["alarm"],
        inputs=["mean", "focus"],
        readings=[None, reading([[8.0, 0, 0, 0, 0, 0, 0, 0]], bias=[-4.0], exit_below=0.1), reading([[4.0] + [0] * 7])],
        threshold=0.9,
    ),
    "difficulty": head(
        "pair",
        ["both", "strong", "weak", "neither"],
        inputs=["mean", "surface"],
        surface={"mean": [0.0] * 5, "deviation": [1.0] * 5},
        readings=[
            reading([[1.0] * 9] * 4, trust={"weights": [0.0] * 9, "bias": 9.0}, exit_above=0.99),
            None,
            reading([[1.0] * 9] * 4, bias=[0.0, 1.0, 0.0, 0.0]),
        ],
        models={"strong": "big", "weak": "small"},
    ),
    "names": head(
        "spans",
        ["O", "B-NAME", "I-NAME"],
        inputs=["token", "shape"],
        readings=[None, None, reading(SPAN_ROWS, bias=SPAN_BIAS)],
    ),
    "tone": head("choice", ["kind", "rude"], readings=[None, None, reading(LAW_OR_MATH_LAST)], enabled=False),
}


def tokenizer_file() -> str:
    return json.dumps(
        {
            "version": "1.0",
            "added_tokens": [],
            "normalizer": {
                "type": "BertNormalizer",
                "clean_text": True,
                "handle_chinese_chars": True,
                "strip_accents": None,
                "lowercase": True,
            },
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "model": {
                "type": "WordPiece",
                "unk_token": "[UNK]",
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
                "vocab": {token: number for number, token in enumerate(VOCABULARY)},
            },
        }
    )


def word_table() -> np.ndarray[Any, np.dtype[np.int8]]:
    vectors = np.array([VECTORS.get(token, (0, 0, 0, 0)) for token in VOCABULARY], np.int8) * 100
    idf = [0.0 if token in {".", "lives"} else 1.0 for token in VOCABULARY]
    trailers = np.array([(0.01, weight) for weight in idf], words.TRAILER_TYPE)
    return np.concatenate([vectors.astype(np.int8), trailers.view(np.int8)], axis=1)


def seal_directory(directory: Path, contents: Manifest) -> Manifest:
    """Write a manifest with the checksums and the version of what is there."""
    files = {
        name: FileRecord(
            sha256=hashlib.sha256((directory / name).read_bytes()).hexdigest(), size=(directory / name).stat().st_size
        )
        for name in contents.paths()
    }
    contents = msgspec.structs.replace(contents, files=files)
    contents = msgspec.structs.replace(contents, version=manifest.content_version(contents))
    (directory / manifest.FILE_NAME).write_bytes(msgspec.json.encode(contents))
    return contents


@pytest.fixture(scope="session")
def shipped(root: Path) -> Path:
    return root / "models" / "minilm-l4-router"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model directory of thirteen words and four dimensions; not to be changed."""
    directory = tmp_path_factory.mktemp("tiny") / "model"
    (directory / "heads").mkdir(parents=True)
    stages = ["stage-1.onnx", "stage-2.onnx"]
    for name in stages:
        shutil.copy(FIXTURES / name, directory / name)
    (directory / "tokenizer.json").write_text(tokenizer_file())
    np.save(directory / "words.npy", word_table())
    for name, file in HEADS.items():
        (directory / f"heads/{name}.json").write_text(json.dumps(file))
    heads = {name: f"heads/{name}.json" for name in HEADS}
    contents = Manifest(
        format=manifest.FORMAT,
        name="tiny",
        version="",
        tokenizer="tokenizer.json",
        words="words.npy",
        stages=stages,
        heads=heads,
        geometry=GEOMETRY,
        files={},
        provenance={},
    )
    seal_directory(directory, contents)
    return directory


@pytest.fixture(scope="session")
def model(tiny: Path) -> encoder.Encoder:
    return encoder.load(tiny)


@pytest.fixture(scope="session")
def geometry() -> Geometry:
    """The shipped tokenizer's."""
    return Geometry(dimension=384, vocabulary=30_522, max_tokens=128, head_share=0.5)


@pytest.fixture
def directory(tiny: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(tiny, tmp_path / "model")


@pytest.fixture
def reseal() -> Callable[..., Manifest]:
    """Write the manifest anew after a change, so that checksums and version are right and something else is wrong."""

    def seal(directory: Path, **changes: Any) -> Manifest:
        return seal_directory(directory, msgspec.structs.replace(manifest.read(directory), **changes))

    return seal


@pytest.fixture
def change_head() -> Callable[..., None]:
    """Change members of a head's file."""

    def change(directory: Path, name: str, **changes: Any) -> None:
        path = directory / f"heads/{name}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change
