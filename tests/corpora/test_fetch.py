"""Downloads from a server on this machine: broken off, resumed, changed, refused; archives that mean harm."""

import hashlib
import io
import json
import random
import shutil
import socket
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from xlser.corpora import unpack as unpacking
from xlser.corpora.addresses import remotes
from xlser.corpora.download import CHECKSUMS, Remote, download
from xlser.corpora.fetch import fetch, licence_text, where_to_ask
from xlser.corpora.unpack import unpack
from xlser.errors import CorpusError


class Site:
    """Files to serve, and how badly: `breaks_after` bytes the connection is cut, once."""

    def __init__(self, address):
        self.address, self.files, self.asked = address, {}, []
        self.breaks_after, self.ranges, self.tagged = None, True, True

    def url(self, name):
        return f"{self.address}/{name}"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        site = self.server.site
        site.asked.append((self.path, self.headers.get("Range")))
        data = site.files.get(self.path.lstrip("/"))
        if data is None:
            self.send_error(404)
            return
        tag = f'"{hashlib.md5(data).hexdigest()}"'
        begins = self.begins(site, tag)
        if begins >= len(data) > 0:
            self.send_error(416)
            return
        self.send_response(206 if begins else 200)
        self.send_header("Content-Length", str(len(data) - begins))
        if begins:
            self.send_header("Content-Range", f"bytes {begins}-{len(data) - 1}/{len(data)}")
        if site.tagged:
            self.send_header("ETag", tag)
        self.end_headers()
        ends, site.breaks_after = site.breaks_after, None
        self.wfile.write(data[begins : len(data) if ends is None else begins + ends])

    def begins(self, site, tag):
        wanted = self.headers.get("Range")
        fits = self.headers.get("If-Range") == tag
        return int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and fits and site.ranges else 0


@pytest.fixture
def site(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.site = Site(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server.site
    server.shutdown()
    server.server_close()


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return buffer.getvalue()


def tarred(*members, mode="w:gz"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as packed:
        for info, data in members:
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def info(name, kind=tarfile.REGTYPE, link=""):
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


NOISE = random.Random(0).randbytes(100_000)  # which no archive makes smaller
GOOD = {"wav/s1_ang_1.wav": b"a" * 1000, "wav/s2_sad_1.wav": b"b" * 1000}


@pytest.fixture
def card(make_card, site):
    """Return a function: a card whose download is these addresses of the site."""

    def make(*names, **source):
        download = [site.url(name) for name in names]
        return make_card(audio="wav/*.wav", source={"url": "https://example.org", "download": download, **source})

    return make


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_corpus_is_fetched_unpacked_and_asked_for_once(card, site, tmp_path):
    site.files = {"a.zip": zipped(**GOOD), "ratings.csv": b"file,valence\n"}
    for name in ("one", "two"):
        assert fetch(card("a.zip", "ratings.csv"), tmp_path / name, tmp_path / "cache", accepted=True) == 2
        assert names_in(tmp_path / name) == ["ratings.csv", "wav"]
    assert len(site.asked) == 2, "the second corpus came from the first download"
    assert names_in(tmp_path) == ["cache", "one", "two"], "nothing may be left beside the corpus"


def test_a_folder_around_everything_is_taken_off_where_the_card_needs_it(card, site, tmp_path):
    inner = {f"repo-main/x/{name}": data for name, data in GOOD.items()}
    site.files = {"a.zip": zipped(**inner, **{"__MACOSX/x": b""})}
    assert fetch(card("a.zip"), tmp_path / "root", tmp_path / "cache", accepted=True) == 2
    assert names_in(tmp_path / "root" / "wav") == ["s1_ang_1.wav", "s2_sad_1.wav"]


def test_a_tar_is_unpacked_too(card, site, tmp_path):
    site.files = {"a.tar.gz": tarred(*((info(f"./{name}"), data) for name, data in GOOD.items()))}
    assert fetch(card("a.tar.gz"), tmp_path / "root", tmp_path / "cache", accepted=True) == 2


def test_a_download_that_broke_off_goes_on(card, site, tmp_path):
    site.files, site.breaks_after = {"a.zip": zipped(**{"wav/s1_ang_1.wav": NOISE})}, 50_000
    with pytest.raises(CorpusError, match=r"broke off .* 50,000 bytes are kept: the same command goes on"):
        fetch(card("a.zip"), tmp_path / "root", tmp_path / "cache", accepted=True)
    assert not (tmp_path / "root").exists()
    assert fetch(card("a.zip"), tmp_path / "root", tmp_path / "cache", accepted=True) == 1
    assert [asked for _, asked in site.asked] == [None, "bytes=50000-"]
    assert names_in(tmp_path / "cache" / "downloads" / "toy") == sorted(
        [Remote(site.url("a.zip"), "a.zip").stored, CHECKSUMS]
    )


@pytest.mark.parametrize("change", ["no ranges", "no tag", "another file"])
def test_a_part_that_cannot_be_continued_is_begun_anew(site, tmp_path, change):
    site.files, site.breaks_after, site.tagged = {"a": NOISE}, 50_000, change != "no tag"
    with pytest.raises(CorpusError, match="kept"):
        download(Remote(site.url("a"), "a"), tmp_path)
    site.ranges = change != "no ranges"
    site.files["a"] = NOISE[::-1] if change == "another file" else site.files["a"]
    assert download(Remote(site.url("a"), "a"), tmp_path).read_bytes() == site.files["a"]


def test_a_part_longer_than_the_file_is_begun_anew(site, tmp_path):
    site.files, remote = {"a": b"x" * 100}, Remote(site.url("a"), "a")
    (tmp_path / f"{remote.stored}.part").write_bytes(b"y" * 100)
    tag = f'"{hashlib.md5(site.files["a"]).hexdigest()}"'
    (tmp_path / f"{remote.stored}.part.json").write_text(json.dumps({"tag": tag}))
    assert download(remote, tmp_path).read_bytes() == b"x" * 100
    assert len(site.asked) == 2


def test_the_first_checksum_is_kept_and_checked(site, tmp_path):
    site.files, remote = {"a": b"first"}, Remote(site.url("a"), "a")
    path = download(remote, tmp_path)
    recorded = json.loads((tmp_path / CHECKSUMS).read_text())[remote.url]
    assert recorded == {"sha256": f"sha256:{hashlib.sha256(b'first').hexdigest()}", "bytes": 5}
    path.write_bytes(b"damaged on this disk")
    assert download(remote, tmp_path).read_bytes() == b"first"
    path.unlink()
    site.files["a"] = b"other"
    with pytest.raises(CorpusError, match=r"differs from the first download's, in .*checksums\.json"):
        download(remote, tmp_path)
    assert names_in(tmp_path) == [CHECKSUMS]


def test_the_cards_checksum_is_held_to(card, site, tmp_path):
    site.files = {"a.zip": zipped(**GOOD)}
    wrong, right = "0" * 64, hashlib.sha256(site.files["a.zip"]).hexdigest()
    with pytest.raises(CorpusError, match="differs from the published one: sha256:0000"):
        fetch(card("a.zip", sha256={site.url("a.zip"): wrong}), tmp_path / "r", tmp_path / "c", accepted=True)
    assert not (tmp_path / "r").exists()
    assert fetch(card("a.zip", sha256={site.url("a.zip"): right}), tmp_path / "r", tmp_path / "c", accepted=True) == 2


def test_a_record_stands_for_its_files_and_their_checksums(card, site, tmp_path):
    data = zipped(**GOOD)
    listed = {"key": "My a.zip", "checksum": f"md5:{hashlib.md5(data).hexdigest()}"}
    site.files = {"api/records/12": json.dumps({"files": [listed]}).encode()}
    site.files["api/records/12/files/My%20a.zip/content"] = data
    assert fetch(card("records/12"), tmp_path / "root", tmp_path / "cache", accepted=True) == 2
    listed["checksum"] = "md5:" + "0" * 32
    site.files["api/records/12"] = json.dumps({"files": [listed]}).encode()
    with pytest.raises(CorpusError, match="differs from the published one"):
        fetch(card("records/12"), tmp_path / "again", tmp_path / "other cache", accepted=True)


@pytest.mark.parametrize("text", [b"{}", b"no json", b'{"files": []}', b'{"files": [{}]}', b"[]"])
def test_a_record_that_lists_nothing_is_told(site, text):
    site.files = {"api/records/12": text}
    with pytest.raises(CorpusError, match=r"records/12 (does not list|lists no)"):
        remotes(site.url("records/12"))


def test_a_server_that_is_not_there_or_refuses_is_told(card, site, tmp_path):
    with pytest.raises(CorpusError, match=r"a\.zip: the server says 404 Not Found"):
        fetch(card("a.zip"), tmp_path / "r", tmp_path / "c", accepted=True)
    with pytest.raises(CorpusError, match=r"cannot list the files of .*404"):
        remotes(site.url("records/12"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CorpusError, match="cannot be reached"):
            download(Remote(f"{address}/a", "a"), tmp_path)


def test_a_full_disk_is_told_before_it_is_full(site, tmp_path, monkeypatch):
    site.files = {"a": b"x" * 1000}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 50, 50))
    with pytest.raises(CorpusError, match="needs 1,000 bytes, more than the disk has left"):
        download(Remote(site.url("a"), "a"), tmp_path)


def test_nothing_is_asked_for_before_the_licence_is_accepted(card, site, tmp_path):
    with pytest.raises(CorpusError, match=r"nothing was downloaded: the licence of toy was not accepted"):
        fetch(card("a.zip"), tmp_path / "r", tmp_path / "c")
    assert site.asked == []
    assert names_in(tmp_path) == []
    assert "licence: CC0" in licence_text(card("a.zip"))


def test_a_corpus_that_is_not_open_says_where_to_ask(make_card, tmp_path):
    card = make_card(source={"ask": "https://example.org/form"})
    with pytest.raises(CorpusError, match=r"no open download .* Ask for it: https://example.org/form"):
        fetch(card, tmp_path / "r", tmp_path / "c", accepted=True)
    assert "Its licence: CC0" in where_to_ask(card)


def test_a_folder_that_holds_something_is_not_touched(card, site, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(CorpusError, match="holds something already"):
        fetch(card("a.zip"), tmp_path, tmp_path / "c", accepted=True)
    assert site.asked == []


def test_a_download_without_the_cards_files_is_refused(card, site, tmp_path):
    site.files = {"a.zip": zipped(**{"x/1.txt": "", "y/2.txt": ""})}
    with pytest.raises(CorpusError, match=r"nothing in its download fits 'wav/\*\.wav'.*it holds x, y"):
        fetch(card("a.zip"), tmp_path / "r", tmp_path / "c", accepted=True)
    assert names_in(tmp_path) == ["c"]


UNSAFE = {
    "dots": (tarred((info("a/../../evil"), b"x")), "leads out"),
    "absolute": (tarred((info("/tmp/evil"), b"x")), "leads out"),
    "drive": (tarred((info("C:\\evil"), b"x")), "leads out"),
    "back strokes": (tarred((info("a\\..\\..\\evil"), b"x")), "leads out"),
    "link": (tarred((info("wav", tarfile.SYMTYPE, "/etc"), b"")), "a link"),
    "hard link": (tarred((info("wav", tarfile.LNKTYPE, "/etc/passwd"), b"")), "a link"),
    "device": (tarred((info("wav", tarfile.CHRTYPE), b"")), "neither file nor folder"),
    "pipe": (tarred((info("wav", tarfile.FIFOTYPE), b"")), "neither file nor folder"),
    "twice": (tarred((info("a"), b"x"), (info("./a"), b"y")), "in the folder already"),
    "zip dots": (zipped(**{"../evil": b"x"}), "leads out"),
    "zip absolute": (zipped(**{"/evil": b"x"}), "leads out"),
    "damaged zip": (zipped(a=NOISE).replace(NOISE[500:600], bytes(100)), "damaged"),
    "damaged tar": (tarred((info("a"), NOISE))[:-400], "damaged"),
    "half a zip": (zipped(a=NOISE)[:-400], "nothing in its download fits"),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_an_unsafe_archive_is_refused_whole(card, site, tmp_path, case):
    data, said = UNSAFE[case]
    site.files = {"a": data}
    with pytest.raises(CorpusError, match=said):
        fetch(card("a"), tmp_path / "r", tmp_path / "c", accepted=True)
    assert names_in(tmp_path) == ["c"], "neither a half corpus nor a file outside it"


def test_a_link_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        link = zipfile.ZipInfo("wav")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, "/etc")
    (tmp_path / "out").mkdir()
    with pytest.raises(CorpusError, match="a link"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_bomb_is_refused_before_it_blows_up(card, site, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(unpacking, "HARMLESS", 100_000)
    zeros = bytes(3_000_000)
    site.files = {"a": zipped(a=b"x", b=zeros) if kind == "zip" else tarred((info("a"), b"x"), (info("b"), zeros))}
    written = []
    real = unpacking._write
    monkeypatch.setattr(unpacking, "_write", lambda member, *rest: (written.append(member.name), real(member, *rest)))
    with pytest.raises(CorpusError, match=r"not unpacked: it grows from .* to more than 100 times"):
        fetch(card("a"), tmp_path / "r", tmp_path / "c", accepted=True)
    assert written == ["a"]
    assert names_in(tmp_path) == ["c"]


def test_many_small_bombs_are_one(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "HARMLESS", 100_000)
    (tmp_path / "a").write_bytes(zipped(**{str(n): bytes(50_000) for n in range(40)}))
    (tmp_path / "out").mkdir()
    with pytest.raises(CorpusError, match="grows from"):
        unpack(tmp_path / "a", tmp_path / "out")


def test_more_than_the_disk_has_left_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(zipped(a=NOISE))
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10_000, 5_000, 5_000))
    with pytest.raises(CorpusError, match="the 5,000 bytes free"):
        unpack(tmp_path / "a", tmp_path / "out")


def test_a_member_longer_than_it_says_is_refused(tmp_path):
    packed = bytearray(zipped(a=bytes(100_000)))
    for signature, place in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        at = packed.index(signature) + place
        packed[at : at + 4] = (10).to_bytes(4, "little")
    (tmp_path / "a").write_bytes(packed)
    (tmp_path / "out").mkdir()
    with pytest.raises(CorpusError, match="damaged"):
        unpack(tmp_path / "a", tmp_path / "out")


def test_a_second_process_waits_its_turn(site, tmp_path):
    import fcntl

    remote = Remote(site.url("a"), "a")
    with (tmp_path / f"{remote.stored}.part").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(CorpusError, match="another process is downloading"):
            download(remote, tmp_path)
