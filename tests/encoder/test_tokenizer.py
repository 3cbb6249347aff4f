from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.encoder.tokenizer import Tokenizer
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.encoder.manifest import Geometry

CLS, SEP, UNK = 101, 102, 100


@pytest.fixture(scope="module")
def tokenizer(shipped: Path, geometry: Geometry) -> Tokenizer:
    return Tokenizer(shipped / "tokenizer.json", geometry)


def test_ids_are_berts(tokenizer: Tokenizer) -> None:
    tokens = tokenizer("What is the capital of France?")
    assert tokens.ids == [CLS, 2054, 2003, 1996, 3007, 1997, 2605, 1029, SEP]
    assert (tokens.windowed, tokens.legible) == (False, True)


@pytest.mark.parametrize("text", ["", " \n\t", "\x00\x01", "\ud800"])
def test_nothing_to_read(tokenizer: Tokenizer, text: str) -> None:
    tokens = tokenizer(text)
    assert (tokens.ids, tokens.legible) == ([CLS, SEP], False)


def test_unknown_symbols_alone_are_not_legible(tokenizer: Tokenizer) -> None:
    tokens = tokenizer("🎉 🎉")
    assert set(tokens.ids) == {CLS, UNK, SEP}
    assert not tokens.legible


def test_a_long_text_is_windowed_to_the_token(tokenizer: Tokenizer, geometry: Geometry) -> None:
    whole = tokenizer("word " * (geometry.max_tokens - 2))
    over = tokenizer("word " * (geometry.max_tokens - 1))
    assert (len(whole.ids), whole.windowed) == (geometry.max_tokens, False)
    assert (len(over.ids), over.windowed) == (geometry.max_tokens, True)


def test_head_and_tail_are_read(tokenizer: Tokenizer) -> None:
    words = tokenizer("first " + "middle " * 5000 + "last").ids
    first, last = tokenizer("first last").ids[1:3]
    assert (words[1], words[-2]) == (first, last)


@given(st.text(st.characters(exclude_categories=()), max_size=3000))
def test_any_text_fits(tokenizer: Tokenizer, geometry: Geometry, text: str) -> None:
    tokens = tokenizer(text)
    assert 2 <= len(tokens.ids) <= geometry.max_tokens
    assert (tokens.ids[0], tokens.ids[-1]) == (CLS, SEP)
    assert all(0 <= token < geometry.vocabulary for token in tokens.ids)


def test_not_a_tokenizer(tmp_path: Path, geometry: Geometry) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ArtefactError, match=r"tokenizer\.json: not a tokenizer"):
        Tokenizer(tmp_path / "tokenizer.json", geometry)


def test_another_vocabulary(shipped: Path, geometry: Geometry) -> None:
    with pytest.raises(ArtefactError, match="30522 tokens, but the encoder has 30000"):
        Tokenizer(shipped / "tokenizer.json", msgspec.structs.replace(geometry, vocabulary=30_000))


def test_a_vocabulary_without_special_tokens(tmp_path: Path, geometry: Geometry) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text('{"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}')
    with pytest.raises(ArtefactError, match=r"no token \[CLS\]"):
        Tokenizer(path, msgspec.structs.replace(geometry, vocabulary=1))
