from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from extproc_router.bulk import jsonl
from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable


def test_plain_and_gzipped_are_told_apart_by_content(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf{}\r\n\n  \n[1]"
    plain, zipped = tmp_path / "a.gz", tmp_path / "b.jsonl"
    plain.write_bytes(content)
    zipped.write_bytes(gzip.compress(content))
    assert list(jsonl.read_lines(plain)) == list(jsonl.read_lines(zipped)) == [(1, b"{}"), (4, b"[1]")]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_pipe_is_read_from_its_first_byte(pack: Callable[[bytes], bytes]) -> None:
    reader, writer = os.pipe()
    try:
        os.write(writer, pack(b"{}\n[1]\n"))
        os.close(writer)
        assert list(jsonl.read_lines(Path(f"/dev/fd/{reader}"))) == [(1, b"{}"), (2, b"[1]")]
    finally:
        os.close(reader)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"missing.*No such file"):
        list(jsonl.read_lines(tmp_path / "missing"))
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"{}\n" * 1000)[:-20])
    with pytest.raises(StartupError, match=r"broken\.gz"):
        list(jsonl.read_lines(broken))


def test_lines_and_files_have_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows"
    path.write_bytes(b"12345678901\n")
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 10)
    with pytest.raises(StartupError, match="rows:1: longer than 10 bytes"):
        list(jsonl.read_lines(path))
    path.write_bytes(b"1\n2\n3\n")
    monkeypatch.setattr(jsonl, "MAX_LINES", 2)
    with pytest.raises(StartupError, match="more than 2 lines"):
        list(jsonl.read_lines(path))


def test_faults_keep_the_first_and_count_all() -> None:
    faults = jsonl.Faults("f", strict=False)
    for line in range(1, 31):
        faults.add(line, "bad")
    assert faults.count == 30
    assert str(faults).splitlines()[0] == "f:1: bad"
    assert str(faults).endswith("... and 10 more rows")
    with pytest.raises(StartupError, match="f:3: bad"):
        jsonl.Faults("f", strict=True).add(3, "bad")
