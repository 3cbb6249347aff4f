"""What was learnt, as a directory: `strategy.json` says what it is, `strategy.npz` holds the arrays.

It is bound to the features it was fitted on: with another encoder the same numbers would mean something else. So an
artefact names the version of its features, and is refused where they differ, as it is where a checksum does.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct

from extproc_router.errors import ArtefactError
from extproc_router.learning import manifest as manifests
from extproc_router.learning import memory
from extproc_router.learning.base import Fitted, need
from extproc_router.learning.manifest import Data, Manifest
from extproc_router.learning.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from extproc_router.learning.base import Features, Floats

ARRAYS = "strategy.npz"
MAX_ARRAY_BYTES = 1 << 30


class Learnt(Struct, frozen=True):
    """A fitted strategy with its manifest."""

    manifest: Manifest
    fitted: Fitted

    def score(self, features: Features) -> Floats:
        """How much the strong model is needed, float64 [n] in [0, 1], see `base.need`.

        Raises:
            ArtefactError: the artefact names no pair.
        """
        if self.manifest.weak is None or self.manifest.strong is None:
            raise ArtefactError(f"{self.manifest.strategy} {self.manifest.version}: fitted without a pair of models")
        strong, weak = (self.manifest.models.index(name) for name in (self.manifest.strong, self.manifest.weak))
        return need(self.fitted.quality(features), strong, weak)


def save(
    directory: Path,
    fitted: Fitted,
    *,
    strategy: str,
    settings: Mapping[str, Any],
    pair: tuple[str, str] | None,
    features: str,
    encoder: str,
    data: Data,
    seed: int,
    metrics: Mapping[str, Any],
) -> Manifest:
    """Write an artefact; the same arguments give the same bytes.

    The manifest is written last, so that a half-written directory does not load.

    Args:
        directory: made if missing; files of an older artefact are replaced.
        fitted: what was learnt.
        strategy: its name.
        settings: as JSON values.
        pair: (weak, strong), among the models; None where there is none.
        features: version of the features.
        encoder: for people.
        data: what it was fitted on.
        seed: of the fit.
        metrics: JSON values, without clock readings, or the version would change every time.

    Raises:
        ArtefactError: a file cannot be written.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **dict(fitted.arrays()))  # type: ignore[arg-type]  # its stub takes names for allow_pickle
    packed = buffer.getvalue()
    weak, strong = pair or (None, None)
    manifest = Manifest(
        format=manifests.FORMAT,
        version="",
        strategy=strategy,
        settings=dict(settings),
        models=list(fitted.models),
        weak=weak,
        strong=strong,
        features=features,
        encoder=encoder,
        data=data,
        seed=seed,
        metrics=dict(metrics),
        arrays_sha256=hashlib.sha256(packed).hexdigest(),
    )
    manifest = msgspec.structs.replace(manifest, version=manifests.content_version(manifest))
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / ARRAYS).write_bytes(packed)
        (directory / manifests.FILE_NAME).write_bytes(text + b"\n")
    except OSError as error:
        raise ArtefactError(f"{directory}: {error.strerror or error}") from error
    return manifest


def load(directory: Path, *, features: str | None) -> Learnt:
    """Read an artefact, verified.

    Args:
        directory: as `save` wrote it.
        features: version of the features it will be given; None where only the artefact itself is looked at.

    Raises:
        ArtefactError: it is incomplete, altered, malformed, of an unknown format or strategy, or was fitted on other
            features; names the file and says why.
    """
    manifest = manifests.read(directory / manifests.FILE_NAME)
    path = directory / ARRAYS
    if features is not None and manifest.features != features:
        raise ArtefactError(
            f"{directory}: fitted on features {manifest.features} ({manifest.encoder}); "
            f"this encoder gives {features}: fit again"
        )
    family = STRATEGIES.get(manifest.strategy)
    if family is None:
        raise ArtefactError(f"{directory}: unknown strategy {manifest.strategy!r}; known: {', '.join(STRATEGIES)}")
    try:
        strategy = msgspec.convert(manifest.settings, family)
        fitted = strategy.restore(tuple(manifest.models), _arrays(path, manifest))
    except (msgspec.ValidationError, KeyError, ValueError) as error:
        raise ArtefactError(f"{directory}: not a {manifest.strategy}: {error}") from error
    return Learnt(manifest, fitted)


def _arrays(path: Path, manifest: Manifest) -> dict[str, npt.NDArray[np.generic]]:
    packed = manifests.read_bytes(path, MAX_ARRAY_BYTES)
    digest = hashlib.sha256(packed).hexdigest()
    if digest != manifest.arrays_sha256:
        raise ArtefactError(f"{path}: sha256 is {digest}, the manifest says {manifest.arrays_sha256}")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_ARRAY_BYTES:
            raise ArtefactError(f"{path}: {unpacked} bytes of arrays, more than {MAX_ARRAY_BYTES}")
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        raise ArtefactError(f"{path}: {error}") from error
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu" or (not name.endswith(memory.SPARSE) and not np.isfinite(array).all()):
            raise ArtefactError(f"{path}: {name} holds something that is not a number")
    return arrays
