from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.config import loader
from extproc_router.errors import ArtefactError, ConfigError, StartupError
from extproc_router.server import state
from extproc_router.server.reloader import Applied, Rejected, Unchanged
from extproc_router.server.state import State
from extproc_router.wiring import building, renewal
from extproc_router.wiring.renewal import Files, Renewal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHIPPED = Path(__file__).parents[2] / "models/minilm-l4-router"
TEXT = "metadata: {owner: us}\nmodels: [{name: a, cluster: c}]\nrouting: {default: a}\n"
LIMITED = TEXT + "limits: {max_body_bytes: 2000}\n"


class Prover:
    """Stands in for the proof."""

    answers: tuple[str, ...] = ()
    asked: list[bytes]

    def __init__(self, envoy: Path, model: Path, *, allow_unproved: bool, trusted: tuple[str, ...]) -> None:
        self.arguments = envoy, model, allow_unproved, trusted
        self.stopped = False
        type(self).asked = []

    def mistakes(self, text: bytes, file: str) -> tuple[str, ...]:
        self.asked.append(text)
        return self.answers

    def stop(self) -> None:
        self.stopped = True


class Desk:
    """Files that are edited, and the renewal that looks at them."""

    def __init__(self, directory: Path, sinks: Any) -> None:
        self.config, self.model = directory / "router.yaml", directory / "model"
        self.envoy, self.kept = directory / "envoy.yaml", directory / "state"
        self.sinks = sinks
        self.opened: list[Renewal] = []
        self.meanwhile: list[Callable[[], object]] = []  # happens between two looks
        self.model.mkdir()
        self.envoy.write_text("one")
        (self.model / "manifest.json").write_text("one")
        self.config.write_text(TEXT)

    def renewal(self, *, prove: bool = False) -> Renewal:
        files = Files(self.config, self.model, self.envoy if prove else None)
        self.opened.append(Renewal(files, self.sinks, State(self.kept), worker=3, workers=4, pause=self.pause))
        return self.opened[-1]

    def pause(self, _: float) -> bool:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return False

    def close(self) -> None:
        for each in self.opened:
            if each._running:
                each._running.parts.executor.drop()

    def look(self, of: Renewal) -> Any:
        outcome = of.renew()
        of.settle(outcome)
        return outcome

    def reported(self) -> state.WorkerState:
        [seen] = state.workers(self.kept)
        return seen.state


@pytest.fixture
def desk(tmp_path: Path, sinks: Any, make_encoder: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(renewal, "Prover", Prover)
    monkeypatch.setattr(Prover, "answers", ())
    monkeypatch.setattr(building, "load_encoder", lambda *_, **__: make_encoder())
    desk = Desk(tmp_path, sinks)
    yield desk
    desk.close()


def test_the_first_one_is_applied_and_kept(desk: Desk) -> None:
    first = desk.renewal()
    assert first.version == ""
    runtime = first.start()
    assert first.version == runtime.router.terms.config_version
    assert desk.sinks.versions == [first.version]
    [entry] = state.history(desk.kept)
    assert (entry.version, entry.previous, entry.metadata, entry.worker) == (first.version, "", {"owner": "us"}, 3)
    assert entry.file == str(desk.config)
    assert state.text_of(desk.kept, first.version)[1] == TEXT.encode()
    assert (desk.reported().version, desk.reported().mistakes) == (first.version, ())
    assert (desk.reported().worker, desk.reported().workers) == (3, 4)


def test_a_start_with_mistakes_says_all_of_them(desk: Desk) -> None:
    desk.config.write_text(TEXT + "x: 1\ny: 2\n")
    with pytest.raises(ConfigError) as caught:
        desk.renewal().start()
    assert [mistake.field for mistake in caught.value.mistakes] == ["x", "y"]
    desk.config.unlink()
    with pytest.raises(StartupError, match="No such file"):
        desk.renewal().start()


def test_nothing_happens_where_nothing_has_changed(desk: Desk) -> None:
    one = desk.renewal()
    one.start()
    desk.config.write_text(TEXT)
    assert desk.look(one) == Unchanged()
    assert desk.sinks.outcomes == [("unchanged", 0)]
    assert len(state.history(desk.kept)) == 1


def test_a_new_config_is_applied(desk: Desk) -> None:
    one = desk.renewal()
    before = one.start()
    first = one.version
    desk.config.write_text(TEXT + "# changed\n")
    outcome = desk.look(one)
    assert isinstance(outcome, Applied)
    assert outcome.version == one.version != first
    assert outcome.runtime.encoder is before.encoder
    assert desk.sinks.outcomes == [("applied", 0)]
    assert [(entry.version, entry.previous) for entry in state.history(desk.kept)] == [
        (first, ""),
        (one.version, first),
    ]
    assert desk.reported().version == one.version
    before.release()
    outcome.runtime.release()


def test_a_bad_config_keeps_the_old_one_and_says_every_mistake(desk: Desk) -> None:
    one = desk.renewal()
    one.start()
    good = one.version
    desk.config.write_text(TEXT + "x: 1\ny: 2\n")
    outcome = desk.look(one)
    assert isinstance(outcome, Rejected)
    assert [line.split(": ")[:2] for line in outcome.mistakes] == [
        [f"{desk.config}:4", "x"],
        [f"{desk.config}:5", "y"],
    ]
    assert one.version == good
    assert desk.sinks.outcomes == [("rejected", 2)]
    told = desk.reported()
    assert (told.version, told.rejected_version, told.mistakes) == (good, outcome.version, outcome.mistakes)

    desk.config.write_text(TEXT)
    assert desk.look(one) == Unchanged()
    assert desk.sinks.outcomes[-1] == ("unchanged", 0)
    assert desk.reported().rejected_version == ""


def test_a_config_that_is_half_written_is_tried_again(desk: Desk) -> None:
    one = desk.renewal()
    one.start()
    whole = TEXT + "rules: [{name: all, use: a}]\n"
    desk.config.write_text(whole[:-10])
    assert isinstance(desk.look(one), Rejected)
    desk.config.write_text(whole)
    assert isinstance(desk.look(one), Applied)


def test_a_config_that_is_being_written_is_applied_whole(desk: Desk) -> None:
    one = desk.renewal()
    one.start()
    whole = TEXT + "rules: [{name: all, use: a}]\n# end\n"
    with desk.config.open("w") as file:
        file.write(TEXT + "# cut off: valid, and not what anybody wrote\n")
        file.flush()

        def finish() -> None:
            file.seek(0)
            file.write(whole)
            file.truncate()
            file.close()

        desk.meanwhile = [lambda: None, lambda: None, finish]
        outcome = desk.look(one)
    assert isinstance(outcome, Applied)
    assert {entry.version for entry in state.history(desk.kept)} == {
        loader.version_of(t.encode()) for t in (TEXT, whole)
    }


def test_a_start_waits_for_what_is_being_written(desk: Desk) -> None:
    desk.meanwhile = [lambda: desk.config.write_text(LIMITED)]
    assert desk.renewal().start().router.max_body_bytes == 2000


def test_a_config_that_vanishes_comes_back(desk: Desk) -> None:
    one = desk.renewal()
    one.start()
    desk.config.unlink()
    assert desk.look(one) == Rejected("", (f"{desk.config}: No such file or directory",))
    desk.config.write_text(TEXT)
    assert desk.look(one) == Unchanged()


def test_a_new_artefact_is_loaded_and_a_bad_one_is_not(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one = desk.renewal()
    before = one.start()

    def fail(*_: object, **__: object) -> None:
        raise ArtefactError("stage-1.onnx: wrong checksum")

    (desk.model / "manifest.json").write_text("two")
    with monkeypatch.context() as patch:
        patch.setattr(building, "load_encoder", fail)
        assert desk.look(one) == Rejected(one.version, ("stage-1.onnx: wrong checksum",))
    outcome = desk.look(one)  # the rest has been written
    assert isinstance(outcome, Applied)
    assert outcome.runtime.encoder is not before.encoder
    assert desk.look(one) == Unchanged()


def test_more_than_the_server_was_started_with_needs_a_restart(desk: Desk) -> None:
    desk.config.write_text(LIMITED)
    one = desk.renewal()
    one.start()
    desk.config.write_text(LIMITED.replace("2000", "3000"))
    outcome = desk.look(one)
    assert isinstance(outcome, Rejected)
    [mistake] = outcome.mistakes
    assert mistake.startswith(f"{desk.config}:4: limits.max_body_bytes: 3000 is more than the 2000")
    assert "restart" in mistake
    for fits in ("1500", "2000"):
        desk.config.write_text(LIMITED.replace("2000", fits) + "# \n")
        assert isinstance(desk.look(one), Applied)


def test_a_tokenizer_that_changes_is_loaded_under_the_same_version(desk: Desk, tmp_path: Path) -> None:
    named = TEXT.replace("cluster: c", "cluster: c, context_window: 100, tokenizer: tokenizer.json")
    one = desk.renewal()
    one.start()
    desk.config.write_text(named)
    assert isinstance(desk.look(one), Rejected)
    assert tmp_path / "tokenizer.json" in one.watched()
    shutil.copy(SHIPPED / "tokenizer.json", tmp_path)
    assert isinstance(desk.look(one), Applied)
    version = one.version
    assert desk.look(one) == Unchanged()
    (tmp_path / "tokenizer.json").write_text((tmp_path / "tokenizer.json").read_text() + "\n")
    assert isinstance(desk.look(one), Applied)
    assert one.version == version


def test_nothing_is_applied_that_is_not_proved(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one = desk.renewal(prove=True)
    one.start()
    assert Prover.asked == [TEXT.encode()]
    with monkeypatch.context() as patch:
        patch.setattr(Prover, "answers", ("leak one", "leak two"))
        desk.config.write_text(TEXT + "# \n")
        outcome = desk.look(one)
        assert isinstance(outcome, Rejected)
        assert outcome.mistakes == ("leak one", "leak two")
        with pytest.raises(StartupError, match="leak one\nleak two"):
            desk.renewal(prove=True).start()
    assert isinstance(desk.look(one), Applied)


def test_another_envoy_file_is_proved_and_swaps_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one = desk.renewal(prove=True)
    one.start()
    desk.envoy.write_text("two")
    with monkeypatch.context() as patch:
        patch.setattr(Prover, "answers", ("leak",))
        assert desk.look(one) == Rejected(one.version, ("leak",))
    assert desk.look(one) == Unchanged()
    assert len(Prover.asked) == 3
    assert desk.look(one) == Unchanged()
    assert len(Prover.asked) == 3


def test_another_envoy_file_that_envoy_may_not_run_yet_is_warned_of_once(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = desk.renewal(prove=True)
    one.start()
    assert "has changed" not in caplog.text
    desk.envoy.write_text("two")
    with monkeypatch.context() as patch:
        patch.setattr(Prover, "answers", ("leak",))
        desk.look(one)
        desk.look(one)
    desk.look(one)
    desk.config.write_text(LIMITED)
    desk.look(one)
    assert caplog.text.count("holds once Envoy runs it") == 1


def test_every_file_that_matters_is_watched(desk: Desk) -> None:
    one = desk.renewal(prove=True)
    assert set(one.watched()) == {desk.config, desk.envoy, desk.model / "manifest.json"}
    shutil.copy(SHIPPED / "manifest.json", desk.model)
    assert desk.model / "heads" / "domain.json" in one.watched()


def test_a_proof_can_be_cut_short(desk: Desk) -> None:
    one = desk.renewal(prove=True)
    one.stop()
    assert one._prover is not None
    assert one._prover.stopped  # type: ignore[attr-defined]  # the double
    assert one._ended.is_set()
    desk.renewal().stop()


class TestLastGood:
    def start(self, desk: Desk, *, last_good: bool = True) -> Renewal:
        files = Files(desk.config, desk.model, last_good=desk.kept if last_good else None)
        desk.opened.append(Renewal(files, desk.sinks, State(desk.kept), worker=3, pause=desk.pause))
        desk.opened[-1].start()
        return desk.opened[-1]

    def test_a_config_that_is_refused_leaves_what_ran_last(self, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
        before = self.start(desk).version
        desk.config.write_text("models: [")
        with pytest.raises(ConfigError):
            self.start(desk, last_good=False)
        again = self.start(desk)
        assert again.version == before
        assert "the version that ran last runs again: " in caplog.text
        assert isinstance(desk.look(again), Rejected)
        desk.config.unlink()
        assert self.start(desk).version == before
        desk.config.write_text(LIMITED)
        assert isinstance(desk.look(again), Applied)

    def test_nothing_is_made_up_where_none_has_run(self, desk: Desk) -> None:
        desk.config.write_text("models: [")
        with pytest.raises(ConfigError):
            self.start(desk)

    def test_another_file_s_versions_are_not_its_own(self, desk: Desk) -> None:
        self.start(desk)
        desk.config = desk.config.with_name("other.yaml")
        desk.config.write_text("models: [")
        with pytest.raises(ConfigError):
            self.start(desk)

    def test_a_path_is_the_same_however_it_is_written(self, desk: Desk) -> None:
        before = self.start(desk).version
        desk.config.write_text("models: [")
        desk.config = desk.model / ".." / desk.config.name
        assert self.start(desk).version == before

    def test_another_host_s_versions_are_not_its_own(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.start(desk)
        desk.config.write_text("models: [")
        monkeypatch.setattr(socket, "gethostname", lambda: "another")
        with pytest.raises(ConfigError):
            self.start(desk)
