"""Downloads resume, verify, unpack safely, and fail in words; all against a server on this machine."""

import hashlib
import io
import json
import tarfile
import zipfile
from urllib.parse import urlsplit

import pooch
import pytest
import yaml

from datamodules.fetch.command import HOMES, fetch, main, read_homes
from datamodules.fetch.unpack import unpack
from tests.datamodules.file_server import FileServer

CONTENT = bytes(range(256)) * 4000  # 1 MB


@pytest.fixture
def server():
    server = FileServer({"set.bin": CONTENT})
    yield server
    server.stop()


def zipped(**files: bytes | str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def homes(tmp_path, server):
    """Write a homes file with one set "mine" of one file; gives its path as text."""

    def write(name="set.bin", **file) -> str:
        known = hashlib.sha256(server.files.get(name, b"")).hexdigest()
        entry = {"url": server.url(name), "sha256": known, **file}
        path = tmp_path / "homes.yaml"
        path.write_text(yaml.safe_dump({"mine": {"home": "here", "licence": "MIT", "files": [entry]}}))
        return str(path)

    return write


def run(homes, tmp_path, *flags, accept=True):
    accepted = ["--accept-licence"] if accept else []
    return main(["mine", "--homes", homes, "--to", str(tmp_path / "data"), *accepted, *flags])


def test_a_file_arrives_with_its_receipt(homes, tmp_path, server, capsys):
    assert run(homes(), tmp_path) == 0
    folder = tmp_path / "data" / "mine"
    assert (folder / "set.bin").read_bytes() == CONTENT
    receipt = json.loads((folder / "FETCHED.json").read_text())
    assert receipt["sha256"] == {"set.bin": hashlib.sha256(CONTENT).hexdigest()} and receipt["unverified"] == []
    assert receipt["home"] == "here" and receipt["downloaded_from"] == [f"{urlsplit(server.url('')).netloc}/set.bin"]
    assert "sha256 as published" in capsys.readouterr().out


def test_nothing_is_asked_of_the_server_before_the_licence_is_accepted(homes, tmp_path, server, capsys):
    assert run(homes(), tmp_path, accept=False) == 1
    shown = capsys.readouterr().out
    assert "MIT" in shown and "--accept-licence" in shown and server.requests == []


def test_fetching_again_asks_for_nothing(homes, tmp_path, server, capsys):
    assert (run(homes(), tmp_path), run(homes(), tmp_path)) == (0, 0)
    assert len(server.requests) == 1 and "already there, 1 files" in capsys.readouterr().out


def test_an_unverified_file_needs_a_flag_and_is_called_so(homes, tmp_path, server, capsys):
    path = homes(sha256=None)
    assert run(path, tmp_path) == 1
    assert "UNVERIFIED: nobody has published a sha256 of set.bin" in capsys.readouterr().out and not server.requests
    assert run(path, tmp_path, "--allow-unverified") == 0
    assert "UNVERIFIED: set.bin" in capsys.readouterr().out


def test_a_broken_line_costs_only_what_was_not_yet_there(homes, tmp_path, server, capsys):
    server.break_after = 600_000
    assert run(homes(), tmp_path) == 1
    shown = capsys.readouterr().out
    assert "broke off" in shown and "0.5 MB are kept; run the same command again" in shown
    assert not (tmp_path / "data" / "mine").exists()
    assert run(homes(), tmp_path) == 0
    (_, first), (_, second) = server.requests
    assert first is None and int(second.removeprefix("bytes=").removesuffix("-")) > 0
    assert (tmp_path / "data" / "mine" / "set.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("change", ["content", "ranges", "tags"])
def test_a_resumed_file_is_never_a_mixture(homes, tmp_path, server, change):
    server.has_tags = change != "tags"
    server.break_after = 600_000
    assert run(homes(), tmp_path) == 1
    if change == "content":
        server.files["set.bin"] = CONTENT[::-1]
    server.has_ranges = change != "ranges"
    assert run(homes(), tmp_path) == 0
    assert (tmp_path / "data" / "mine" / "set.bin").read_bytes() == server.files["set.bin"]


def test_a_corrupted_file_is_refused_and_the_next_try_starts_clean(homes, tmp_path, server, capsys):
    path = homes()
    server.files["set.bin"] = CONTENT[:-1] + b"?"
    assert run(path, tmp_path) == 1
    assert "hash" in capsys.readouterr().out.lower() and not (tmp_path / "data" / "mine").exists()
    server.files["set.bin"] = CONTENT
    assert run(path, tmp_path) == 0


def test_a_missing_file_and_a_machine_offline_are_said_so(homes, tmp_path, server, capsys):
    assert run(homes("gone.bin"), tmp_path) == 1
    assert "the server says 404" in capsys.readouterr().out
    path = homes()
    server.stop()
    assert run(path, tmp_path) == 1
    shown = capsys.readouterr().out
    assert "cannot reach" in shown and "is this machine offline?" in shown


def test_a_file_larger_than_allowed_is_not_kept(homes, tmp_path, capsys):
    assert run(homes(max_mb=0.5), tmp_path) == 1
    assert "is larger than 0.5 MB" in capsys.readouterr().out


def test_an_archive_is_unpacked_to_what_is_kept_of_it(homes, tmp_path, server):
    server.files["a.zip"] = zipped(**{"top-123/data/a.csv": "1", "top-123/data/sub/b.csv": "2", "top-123/x.exe": "3"})
    assert run(homes("a.zip", keep=["data/*"], strip=2), tmp_path) == 0
    folder = tmp_path / "data" / "mine"
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*.*")} == {"a.csv", "sub/b.csv", "FETCHED.json"}


def test_an_archive_of_another_layout_is_named(homes, tmp_path, server, capsys):
    server.files["a.zip"] = zipped(**{"top/b.csv": "1"})
    assert run(homes("a.zip", keep=["data/*"], strip=1), tmp_path) == 1
    assert "no file that matches ['data/*']; its layout has changed" in capsys.readouterr().out


def test_a_bad_archive_leaves_no_set_behind(homes, tmp_path, server, capsys):
    server.files["a.zip"] = zipped(**{"good.csv": "1", "../evil.csv": "2"})
    assert run(homes("a.zip", keep=[], strip=0), tmp_path) == 1
    assert "leads out of its folder" in capsys.readouterr().out
    assert not (tmp_path / "data" / "mine").exists() and not list(tmp_path.rglob("evil.csv"))


def test_what_is_there_already_is_not_overwritten(homes, tmp_path, capsys):
    path = homes()
    (tmp_path / "data" / "mine").mkdir(parents=True)
    assert run(path, tmp_path) == 1
    assert "exists and did not come from here" in capsys.readouterr().out


def test_a_fetched_set_that_was_changed_or_repinned_is_named(homes, tmp_path, server, capsys):
    path = homes()
    assert run(path, tmp_path) == 0
    (tmp_path / "data" / "mine" / "set.bin").write_bytes(b"")
    assert run(path, tmp_path) == 1
    assert "is missing or changed since it was fetched" in capsys.readouterr().out
    server.files["other.bin"] = b"1"
    assert run(homes("other.bin"), tmp_path) == 1
    assert "holds another version of it" in capsys.readouterr().out


def test_one_failure_does_not_stop_the_others(tmp_path, server, capsys):
    good = {"url": server.url("set.bin"), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    sets = {"bad": {**good, "url": server.url("no")}, "good": good}
    path = tmp_path / "homes.yaml"
    path.write_text(yaml.safe_dump({n: {"home": "h", "licence": "l", "files": [f]} for n, f in sets.items()}))
    assert main(["all", "--homes", str(path), "--to", str(tmp_path / "data"), "--accept-licence"]) == 1
    assert (tmp_path / "data" / "good" / "set.bin").exists() and "bad: failed" in capsys.readouterr().out


def test_an_unknown_set_is_named_with_those_there_are(capsys):
    assert main(["emodbb"]) == 1
    assert "no set 'emodbb'; there are annomi, basicmotions" in capsys.readouterr().out
    assert main(["ucr"]) == 1
    assert "ucr comes with a package and is read from there: pip install --no-deps aeon" in capsys.readouterr().out


def test_a_set_is_fetched_by_the_name_it_trains_under_and_shows_where_its_files_come_from(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["lifesnaps"]) == 1
    assert "lifesnaps_daily" in capsys.readouterr().out
    assert main(["depresjon"]) == 1
    shown = capsys.readouterr().out
    assert "https://datasets.simula.no/depresjon" in shown and "downloaded from github.com/ruplsingh/" in shown


def test_every_public_set_has_a_home_and_a_licence(capsys):
    homes = read_homes(HOMES)
    assert len(homes) >= 20 and all(home.licence and home.files for home in homes.values())
    assert main(["list"]) == 0
    assert all(name in capsys.readouterr().out for name in ["stress_predict"])


def test_a_package_gives_its_file_or_says_how_to_get_it(tmp_path):
    homes = tmp_path / "homes.yaml"

    def packaged(package, path, **more):
        file = {"package": package, "path": path, **more}
        homes.write_text(yaml.safe_dump({"p": {"home": "h", "licence": "l", "files": [file]}}))
        return read_homes(homes)["p"]

    there = f"pooch=={pooch.__version__.removeprefix('v')}"
    fetch("p", packaged(there, "pooch/core.py"), tmp_path / "data", allow_unverified=True)
    assert "def retrieve" in (tmp_path / "data" / "p" / "core.py").read_text()
    for package, path, more, message in (
        ("no-such-package==1", "x.npy", {}, "pip install no-such-package==1"),
        ("pooch==0.1", "pooch/core.py", {}, "is pinned to pooch==0.1, but"),
        (there, "pooch/none.py", {}, "has no pooch/none.py"),
        (there, "pooch/core.py", {"sha256": "0" * 64}, "is not the published file"),
    ):
        with pytest.raises(ValueError, match=message):
            fetch("q", packaged(package, path, **more), tmp_path / "data", allow_unverified=True)
    with pytest.raises(ValueError, match="either a url, or a package and a path"):
        packaged(there, None)


def tarred(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


def zip_link(name: str, to: str) -> bytes:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, to)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped(**{"../evil": "x"}), "leads out"),
        (zipped(**{"/etc/evil": "x"}), "leads out"),
        (zipped(**{"a/../../evil": "x"}), "leads out"),
        (zipped(**{"..\\evil": "x"}), "leads out"),
        (zipped(**{"C:/evil": "x"}), "leads out"),
        (zip_link("evil", "/etc"), "a link or device"),
        (tarred((tarfile.TarInfo("../evil"), b"x")), "leads out"),
        (tarred((link("evil", "/etc"), b"")), "a link or device"),
        (tarred((link("evil", "good", tarfile.LNKTYPE), b"")), "a link or device"),
        (tarred((link("evil", "", tarfile.FIFOTYPE), b"")), "a link or device"),
        (tarred((tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("a"), b"2")), "twice"),
        (zipped(bomb=bytes(50_000_000)), "may be a zip bomb"),
        (tarred((tarfile.TarInfo("bomb"), bytes(50_000_000))), "may be a zip bomb"),
        (zipped(good="x" * 1000)[:-30], "no zip or tar, or is damaged"),
        (b"no archive at all", "no zip or tar, or is damaged"),
    ],
)
def test_a_hostile_or_damaged_archive_writes_nothing(tmp_path, content, message):
    (tmp_path / "archive").write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match=message):
        unpack(tmp_path / "archive", tmp_path / "out", keep=[], strip=0, max_mb=100)
    assert not list((tmp_path / "out").iterdir()) and not (tmp_path / "evil").exists()


def test_what_is_there_is_never_overwritten_and_a_locked_archive_is_named(tmp_path):
    (tmp_path / "archive").write_bytes(tarred((tarfile.TarInfo("top/a"), b"1")))
    (tmp_path / "out").mkdir()
    given = {"keep": [], "strip": 1, "max_mb": 1}
    assert unpack(tmp_path / "archive", tmp_path / "out", **given) == [tmp_path / "out" / "a"]
    with pytest.raises(ValueError, match=r"archive has 'top/a' twice, or .*out has it; it is not unpacked"):
        unpack(tmp_path / "archive", tmp_path / "out", **given)
    locked = bytearray(zipped(b="2"))
    for header, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(header) + at] |= 1
    (tmp_path / "archive").write_bytes(locked)
    with pytest.raises(ValueError, match="'b' of archive is encrypted; it is not unpacked"):
        unpack(tmp_path / "archive", tmp_path / "out", **given)
    assert (tmp_path / "out" / "a").read_bytes() == b"1"


def test_a_header_that_lies_about_the_size_does_not_help_a_bomb(tmp_path):
    content = bytearray(zipped(bomb=bytes(50_000_000)))
    size = (50_000_000).to_bytes(4, "little")
    while (at := bytes(content).find(size)) >= 0:
        content[at : at + 4] = (1000).to_bytes(4, "little")
    (tmp_path / "archive").write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match="is damaged"):
        unpack(tmp_path / "archive", tmp_path / "out", keep=[], strip=0, max_mb=100)
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= 20_000_000


def test_a_damaged_member_is_named(tmp_path):
    content = bytearray(zipped(a=CONTENT))
    content[200:210] = b"0123456789"
    (tmp_path / "archive").write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match="is damaged"):
        unpack(tmp_path / "archive", tmp_path / "out", keep=[], strip=0, max_mb=100)
