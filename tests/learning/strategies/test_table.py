from __future__ import annotations

import numpy as np

from extproc_router import surface
from extproc_router.learning.base import Features, Outcomes
from extproc_router.learning.strategies.table import Table


def with_domains(*domains: tuple[float, float]) -> Features:
    rows = len(domains)
    return Features(np.ones((rows, 1), dtype=np.float32), np.array(domains), np.zeros((rows, surface.SIZE)))


def test_a_cell_is_the_shrunken_mean_of_its_domain() -> None:
    quality = np.array([[1.0], [1.0], [0.0], [0.0]])
    outcomes = Outcomes(("a",), quality, np.arange(4, dtype=np.intp))
    fitted = Table(prior=2.0).fit(outcomes, with_domains((1, 0), (1, 0), (1, 0), (0, 1)), 0)
    mean = (2 + 0.5) / 5
    np.testing.assert_allclose(fitted.cells[:, 0], [(2 + 2 * mean) / 5, (0 + 2 * mean) / 3])


def test_a_prompt_between_domains_is_between_their_cells() -> None:
    outcomes = Outcomes(("a",), np.array([[1.0], [0.0]]), np.arange(2, dtype=np.intp))
    fitted = Table(prior=1e-9).fit(outcomes, with_domains((1, 0), (0, 1)), 0)
    np.testing.assert_allclose(fitted.quality(with_domains((0.3, 0.7)))[0], [0.3], atol=1e-6)


def test_an_empty_domain_has_the_overall_mean() -> None:
    outcomes = Outcomes(("a",), np.array([[1.0], [np.nan]]), np.arange(2, dtype=np.intp))
    fitted = Table().fit(outcomes, with_domains((1, 0), (0, 1)), 0)
    assert fitted.cells[1, 0] == outcomes.means()[0]
