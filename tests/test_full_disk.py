"""A full disk or a read-only folder: one line, exit 2, and what was there before stays."""

import errno
import os
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest
from marked_study import STAGES, STUDY, finished_project, marked_panel, run
from workspace import contents

from pipeline.datasets.complete import write_file
from pipeline.errors import DataError
from stages import check, index
from stages.run import Folders, report, reported
from stages.start import start

resource = pytest.importorskip("resource", reason="no limits on file sizes here")


@contextmanager
def no_space():
    """Let no file grow beyond ten bytes, as where the disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Run every stage of the small study once."""
    return finished_project(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def here(finished, monkeypatch):
    monkeypatch.chdir(finished)
    monkeypatch.setattr("sys.argv", ["stage", STUDY])
    return finished


def refused(work, capsys):
    """Run what must stop with exit 2; return the one line that it says."""
    with pytest.raises(SystemExit) as stop:
        work()
    said = capsys.readouterr()
    assert (stop.value.code, said.out) == (2, "")
    lines = said.err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("verb", STAGES)
def test_a_full_disk_is_one_line_and_earlier_results_stay(verb, here, capsys):
    before = contents(here)

    def work():
        with no_space():
            run(verb)

    assert f"{verb} {STUDY}: cannot use" in (line := refused(work, capsys))
    assert os.strerror(errno.EFBIG) in line
    assert contents(here) == before


@pytest.mark.parametrize("command", [check, index])
def test_a_full_disk_stops_the_commands_without_a_study(command, here, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["command"])
    before = contents(here)

    def work():
        with no_space():
            command.main()

    assert os.strerror(errno.EFBIG) in refused(work, capsys)
    assert contents(here) == before


@pytest.mark.parametrize(
    ("verb", "number"),
    [
        ("obtain", errno.ENOSPC),
        ("obtain", errno.EDQUOT),
        ("obtain", errno.EROFS),
        ("obtain", errno.EACCES),
        ("estimate", errno.EROFS),
        ("exhibit", errno.EACCES),
    ],
)
def test_whatever_the_machine_refuses_is_told_with_its_place(
    verb, number, here, capsys, monkeypatch
):
    def refuse(path, *_, **__):
        raise OSError(number, os.strerror(number), str(path.absolute()))

    before = contents(here)
    monkeypatch.setattr(Path, "mkdir", refuse)
    line = refused(lambda: run(verb), capsys)
    place = f"data/{STUDY}" + ("" if verb == "exhibit" else f"/{verb}")
    assert line.startswith(f"{verb} {STUDY}: cannot use {place}")
    remedy = "free space" if number in {errno.ENOSPC, errno.EDQUOT} else "writ"
    assert os.strerror(number) in line and remedy in line.split(";")[1]
    assert contents(here) == before


@pytest.mark.parametrize("n_moves", [0, 1, 2, 5, 9])
def test_results_stay_where_one_of_them_cannot_be_exchanged(n_moves, here, capsys, monkeypatch):
    """Nothing is moved back in pieces: other results would stand beside their tables."""
    rename, left = Path.rename, [n_moves]

    def refuse(path, target):
        places = {Path(path).parent.resolve(), Path(target).parent.resolve()}
        if (here / "reports" / STUDY).resolve() in places:
            left[0] -= 1
            if left[0] == -1:
                raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return rename(path, target)

    before = contents(here)
    monkeypatch.setattr(Path, "rename", refuse)
    assert os.strerror(errno.EACCES) in refused(lambda: run("exhibit"), capsys)
    assert left[0] < 0
    assert contents(here) == before


@pytest.mark.parametrize("verb", STAGES)
def test_a_read_only_folder_is_one_line(verb, here, capsys):
    written = {"exhibit": f"reports/{STUDY}", "obtain": f"data/{STUDY}/obtained"}
    place = here / written.get(verb, f"data/{STUDY}/{verb}")
    before = contents(here)
    place.chmod(0o555)
    try:
        if os.access(place, os.W_OK):
            pytest.skip("whoever runs this may write to read-only folders")
        assert os.strerror(errno.EACCES) in refused(lambda: run(verb), capsys)
        assert contents(here) == before
    finally:
        place.chmod(0o755)


def test_other_faults_of_the_system_keep_their_traceback():
    with pytest.raises(FileNotFoundError), reported("here"):
        Path("nowhere").read_bytes()


def test_rows_that_cannot_be_kept_are_said_to_be_lost(here, capsys):
    with no_space():
        code = report(DataError("a rule", marked_panel()), "clean", Folders(STUDY))
    said = capsys.readouterr().err
    assert code == 2
    assert "The rows concerned are not kept" in said
    assert os.strerror(errno.EFBIG) in said
    assert not (here / "data" / STUDY / "problems.csv").exists()


def test_a_start_that_finds_no_space_leaves_nothing_behind(here, tmp_path):
    delivered = tmp_path / "delivered.csv"
    marked_panel().rename(columns={"firm": "firm_id", "entry": "entry_year"}).to_csv(
        delivered, index=False
    )
    before = contents(here)
    with pytest.raises(OSError), no_space():
        start("nueva", [delivered])
    assert contents(here) == before
    assert not (here / "data" / "raw" / "nueva").exists()


def test_a_file_half_written_never_stands_in_its_place(tmp_path):
    write_file(tmp_path / "folder" / "table.csv", b"old")
    with pytest.raises(OSError), no_space():
        write_file(tmp_path / "folder" / "table.csv", b"new" * 10)
    assert contents(tmp_path) == {"folder/table.csv": b"old"}
