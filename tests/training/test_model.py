from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch", reason="needs the extra [train]")
transformers = pytest.importorskip("transformers", reason="needs the extra [train]")

from extproc_router.training.model import SHAPES, Trunk, pool  # noqa: E402  after the skips

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32
    )
    directory = tmp_path_factory.mktemp("bert")
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(directory)
    return directory


def test_poolings_ignore_padding_and_have_length_one() -> None:
    generator = torch.Generator().manual_seed(0)
    hidden, query = torch.randn(1, 5, 8, generator=generator), torch.randn(8, generator=generator)
    mask = torch.tensor([[True, True, True, False, False]])
    for padded, alone in zip(pool(hidden, mask, query), pool(hidden[:, :3], mask[:, :3], query), strict=True):
        assert torch.allclose(padded, alone, atol=1e-6)
        assert float(padded.norm()) == pytest.approx(1.0, abs=1e-5)


def test_a_query_of_nothing_makes_focus_the_mean() -> None:
    hidden = torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(1))
    mean, focus = pool(hidden, torch.ones(2, 4, dtype=torch.bool), torch.zeros(8))
    assert torch.allclose(mean, focus, atol=1e-6)


def test_each_stage_reads_its_depth(checkpoint: Path) -> None:
    trunk = Trunk(checkpoint, (1, 2), {"domain": 3}, 5).eval()
    assert len(trunk.bert.encoder.layer) == 2
    ids, mask = torch.tensor([[1, 2, 3]]), torch.ones((1, 3), dtype=torch.bool)
    said = trunk(ids, mask, torch.zeros((1, 3, SHAPES)))
    assert [answers["domain"].shape for answers, _, _ in said] == [(1, 3)] * 2
    assert [tags.shape for _, tags, _ in said] == [(1, 3, 5)] * 2
    assert not torch.allclose(said[0][2], said[1][2])
