from __future__ import annotations

from extproc_router import dialects
from extproc_router.envoyconf import samples

TIERS = ("public", "internal", "restricted")


def tiers(found: object) -> list[str | None]:
    return [sample.headers["x-privacy-tier"] for sample in found]  # type: ignore[attr-defined]  # an iterator of samples


def test_every_path_that_the_router_reads_is_tried() -> None:
    assert all(dialects.find(path) for path in samples.API_PATHS)
    assert len(samples.API_PATHS) >= 5


def test_decided_requests_go_to_every_cluster_and_are_of_every_tier() -> None:
    found = list(samples.decided("/x", ("a", "b"), TIERS))
    assert [sample.headers["x-selected-cluster"] for sample in found] == ["a", "b", "a", "a", "a"]
    assert tiers(found) == [None, None, *TIERS]


def test_what_the_router_lets_pass_has_its_word_and_no_cluster() -> None:
    headers = samples.passed("/x").headers
    assert (headers["x-selected-cluster"], headers["x-privacy-tier"]) == (None, None)
    assert headers["x-llm-decision"]


def test_private_is_all_but_the_lowest_tier_misspelt_and_joined_ones_too() -> None:
    assert tiers(samples.unmarked("/x", TIERS)) == [None, "public"]
    assert tiers(samples.private("/x", TIERS)) == ["internal", "restricted", "public,internal", "a-misspelt-tier"]
    assert tiers(samples.undecided("/x", ("public",))) == [None, "public"]
    assert tiers(samples.undecided("/x", ())) == [None]
