"""Commands killed at random moments, again and again: nothing is lost, nothing left, and the end is the same.

A life is a folder in which a command is killed some times, by SIGKILL, SIGTERM or SIGHUP, and then let through. The
seed is printed; XLSER_KILLS_SEED gives one anew. Moments are drawn as shares of the processor time that the undisturbed
command took with its children, so that the same seed strikes at near the same places, on a busy machine too.
"""

import hashlib
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ragged import make_ragged

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
KINDS = ("run", "transfer", "extract", "predict", "fetch")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
FEW = {"run": 2, "extract": 3, "predict": 2, "fetch": 3}  # of two processes, see tests/experiment/test_bench_shards.py
EACH = 20
KEPT = (".lock", ".xlser-files.json")  # the second has hashes of pages, which say when they were made
A_LIFE = (3, 6)  # kills, if there are as many left
SECONDS = 5  # after which no process of a killed command may be left
# What says when and how long, or by which command; and logs of sessions, of which a killed run has more.
TIMES = {"about", "seconds", "times", "finished", "command"}


class Server(ThreadingHTTPServer):
    """Sends one archive in drops, from where it is asked to."""

    def __init__(self, data: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Drops)
        self.data, self.tag = data, f'"{hashlib.md5(data).hexdigest()}"'
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, *_):
        """Say nothing of those who hang up."""


class Drops(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        data, wanted = self.server.data, self.headers.get("Range")
        begins = int(wanted[6:-1]) if wanted and self.headers.get("If-Range") == self.server.tag else 0
        if begins >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if begins else 200)
        self.send_header("Content-Length", str(len(data) - begins))
        self.send_header("Content-Range", f"bytes {begins}-{len(data) - 1}/{len(data)}")
        self.send_header("ETag", self.server.tag)
        self.end_headers()
        for place in range(begins, len(data), 2**14):
            self.wfile.write(data[place : min(place + 2**14, len(data))])
            time.sleep(0.004)


class Player:
    """Starts commands, and knows how they ended."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        command = [sys.executable, Path(__file__).with_name("zygote.py")]
        log = (folder / "zygote.log").open("w")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | environment
        )
        assert self.answer() == "ready", (folder / "zygote.log").read_text()
        self.log = folder / "log"

    def answer(self) -> str:
        return self.process.stdout.readline().strip()

    def start(self, argv: list, cache: Path) -> int:
        request = {"argv": [str(word) for word in argv], "log": str(self.log)}
        request["environment"] = self.environment | {"XLSER_CACHE": str(cache)}
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return int(self.answer())

    def through(self, argv: list, cache: Path) -> float:
        """Let a command come to its end, and return the seconds that it computed."""
        pid, seconds = self.start(argv, cache), 0.0
        while not _ended(pid):
            seconds = max(seconds, _computed(pid))
            time.sleep(_LOOK)
        status = int(self.answer())
        assert status == 0, self.log.read_text()[-3000:]
        assert "Traceback" not in self.log.read_text()
        return seconds

    def killed(self, argv: list, cache: Path, delay: float, number: int, group: bool) -> bool:
        """Kill a command, alone or with its children, when it computed so many seconds; False where it was through."""
        pid = self.start(argv, cache)
        while not _ended(pid) and _computed(pid) < delay:
            time.sleep(_LOOK)
        with suppress(ProcessLookupError):
            if not _ended(pid):
                (os.killpg if group else os.kill)(pid, number)
        status, said = int(self.answer()), self.log.read_text()
        hit = status != 0
        assert not hit or status in (-number, 128 + number), said[-3000:]
        assert "Traceback" not in said
        deadline = time.monotonic() + SECONDS
        while (left := _session(pid)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left, f"still there {SECONDS} s after its parent: {left}"
        return hit

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


_LOOK = 0.01
_TICKS = os.sysconf("SC_CLK_TCK")


def _computed(leader: int) -> float:
    """Return how many seconds the living processes of a session have computed."""
    return sum(int(ticks) for _, stat in _processes(leader) for ticks in stat[11:13]) / _TICKS


def _ended(pid: int) -> bool:
    try:
        return _stat(pid)[0] in "ZX"
    except OSError:
        return True


def _stat(pid) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _session(leader: int) -> list[str]:
    """Return the processes of a session, by number and command."""
    found = []
    for number, _ in _processes(leader):
        with suppress(OSError):
            found.append(f"{number} {Path(f'/proc/{number}/cmdline').read_text()[:80]}")
    return found


def _processes(leader: int) -> list[tuple[str, list[str]]]:
    """Return the living processes of a session by number, and what /proc says of each."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError, ValueError):
            stat = _stat(number)
            if int(stat[3]) == leader and stat[0] not in "ZX":
                found.append((number, stat))
    return found


class Works:
    """What is killed: commands, by kind, that work in a folder of their own, and what they leave there."""

    def __init__(self, base: Path, address: str) -> None:
        self.base, self.data = base, make_ragged(base / "data")
        self.recipes = {"run": RUN, "transfer": TRANSFER}
        for name, recipe in self.recipes.items():
            (base / f"{name}.yaml").write_text(json.dumps(COMMON | recipe | {"name": name}))
        card = CARD | {"source": {"url": address, "download": [f"{address}/some.zip"]}}
        (base / "toy.yaml").write_text(json.dumps(card))

    def argv(self, kind: str, life: Path) -> list:
        """Return the words of a command."""
        out, data = life / "out", ["--data-root", self.data, "--out", life / "out"]
        if kind == "run":
            return ["run", self.base / "run.yaml", *data, "--jobs", 2]
        if kind == "transfer":
            names = ["--sources", "synthetic-de", "--targets", "synthetic-tr", "--jobs", 2]
            return ["transfer", "--recipe", self.base / "transfer.yaml", *names, *data]
        if kind == "predict":
            model = self.base / "model" / "out"
            return ["predict", model, self.data / "synthetic-tr", "--out", out / "said.csv", "--adapt"]
        if kind == "fetch":
            return ["corpora", "fetch", self.base / "toy.yaml", "--root", out, "--accept-licence"]
        return ["extract", self.data / "synthetic-de", life / "cache"]


COMMON = {"source": "synthetic-de", "targets": ["synthetic-tr"], "split": {"folds": 4}, "evaluation": {"draws": 100}}
COMMON |= {"features": {"extractor": "logmel"}}
RUN = {
    "training": {"epochs": 4, "seeds": 1, "checkpoint_every": 1, "batch": 16},
    "methods": {"activation": {"metric": "signed", "on": "activation"}},
}
TRANSFER = {"model": "none", "training": {"seeds": 2}}
CARD = {
    "name": "toy",
    "title": "Toy",
    "languages": ["de"],
    "licence": "CC0",
    "elicitation": "acted",
    "audio": "wav/*.wav",
    "grammar": r"(?P<speaker>s\d+)_(?P<emotion>[a-z]+)_(?P<take>\d+)",
    "emotion": {"ang": "anger", "sad": "sadness"},
}


def archive() -> bytes:
    """Return a zip of 400 files that no packing makes smaller."""
    path, noise = Path(os.environ.get("TMPDIR", "/tmp")) / f"{secrets.token_hex(8)}.zip", random.Random(0)
    with zipfile.ZipFile(path, "w") as packed:
        for number in range(400):
            packed.writestr(f"toy/wav/s{number % 7}_{('ang', 'sad')[number % 2]}_{number}.wav", noise.randbytes(2000))
    data = path.read_bytes()
    path.unlink()
    return data


def contents(life: Path) -> dict[str, object]:
    """Return every file that is a result, without what says when and how long."""
    found: dict[str, object] = {}
    for path in sorted(life.rglob("*")):
        name = path.relative_to(life).as_posix()
        if not path.is_file() or path.name in KEPT or "tfevents" in name or path.suffix == ".html":
            continue
        if name.startswith(("cache/scans/", "out/manifests/")):  # Parquet; what it says decides the rest
            continue
        if path.name == "CKPT.yaml":
            continue
        if path.suffix == ".ckpt":  # in a folder named after the time
            name = f"{path.parent.parent.relative_to(life).as_posix()}/{path.name}"
        found[name] = _content(path)
    return found


def _content(path: Path) -> object:
    data = path.read_bytes()
    if path.suffix in (".json", ".jsonl"):
        return [_timeless(json.loads(line)) for line in (data.splitlines() if path.suffix == ".jsonl" else [data])]
    if path.suffix == ".safetensors":  # a header whose keys have no order, then the tensors
        begins = 8 + int.from_bytes(data[:8], "little")
        return json.loads(data[8:begins]), data[begins:]
    return data


def _timeless(value):
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in TIMES}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value


def debris(*folders: Path) -> list[str]:
    """Return what nobody needs any more: whatever is hidden, or named as half."""
    paths = [path for folder in folders for path in folder.rglob("*")]
    hidden = [path for path in paths if path.name.startswith(".") and path.name not in KEPT]
    return [
        str(path) for path in (*hidden, *(path for path in paths if path.suffix == ".part" or ".kept-" in path.name))
    ]


class Story:
    """Lives of a kind of work, up to so many kills."""

    def __init__(self, kind: str, works: Works, player: Player, temporary: Path, seed: str, twice: bool) -> None:
        """Let the command come to its end; where asked, once more, which tells how long it takes once it is known."""
        self.kind, self.works, self.player, self.temporary = kind, works, player, temporary
        self.folder, self.random = works.base / kind, random.Random(f"{seed} {kind}")
        undisturbed, again = self.folder / "undisturbed", self.folder / "again"
        undisturbed.mkdir(parents=True)
        self.seconds = player.through(works.argv(kind, undisturbed), undisturbed / "cache")
        self.end = contents(undisturbed)
        assert self.end
        assert not debris(undisturbed)
        if twice:
            again.mkdir()
            self.seconds = player.through(works.argv(kind, again), again / "cache")
            assert contents(again) == self.end
        self.hits: dict[str, int] = {}

    def live(self, kills: int) -> int:
        """Begin anew, be killed at most so many times, come to the end; return how often it was killed."""
        life = self.folder / "life"
        life.mkdir()
        argv, hits = self.works.argv(self.kind, life), 0
        for _ in range(min(kills, self.random.randint(*A_LIFE))):
            share, number, group = self.random.uniform(0, 1), self.random.choice(SIGNALS), self.random.random() < 0.5
            before = self.kept(life)
            hit = self.player.killed(argv, life / "cache", share * self.seconds, number, group)
            print(
                f"  {self.kind} {number.name} at {share:.2f}, {'all' if group else 'alone'}: {'hit' if hit else 'over'}"
            )
            after = self.kept(life)
            assert before.items() <= after.items(), "lost"
            if self.kind == "fetch" and (life / "out").exists():  # whole, and not fetched over
                assert len(list((life / "out").rglob("*.wav"))) == 400
                shutil.rmtree(life / "out")
            hits += hit
            self.hits[number.name] = self.hits.get(number.name, 0) + hit
            if not hit:
                break
        if hit or self.kind == "fetch":
            self.player.through(argv, life / "cache")
        end = contents(life)
        assert end.keys() == self.end.keys()
        assert [name for name, value in end.items() if value != self.end[name]] == []
        assert debris(life, self.temporary) == []
        assert [path.name for path in self.temporary.iterdir() if "torchinductor" not in path.name] == []
        checkpoints = [path.parent for path in life.rglob("CKPT+*")]
        assert len(checkpoints) == len(set(checkpoints)), "two checkpoints of one network"
        shutil.rmtree(life)
        return hits

    def kept(self, life: Path) -> dict[str, object]:
        """Return what is done and must stay: each is what it is at the end, or not there."""
        done = {name: value for name, value in contents(life).items() if _is_kept(name)}
        assert [name for name, value in done.items() if value != self.end.get(name)] == []
        return done


def _is_kept(name: str) -> bool:
    hidden = "/." in name
    return (
        not hidden
        and name.startswith(("cache/features/", "out/cells", "out/models"))
        and name.endswith((".npy", "model.safetensors"))
    )


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    base, temporary = tmp_path_factory.mktemp("kills"), tmp_path_factory.mktemp("temporary")
    server = Server(archive())
    environment = {"TMPDIR": str(temporary), "JOBLIB_TEMP_FOLDER": str(temporary), "OMP_NUM_THREADS": "1"}
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        environment[name] = ""
    works = Works(base, f"http://127.0.0.1:{server.server_port}")
    player = Player(base, environment)
    yield works, player, temporary
    player.stop()
    server.shutdown()


def play(kind: str, kills: int, stage, lives: int = 0) -> None:
    """Play lives of a kind of work until it was killed so often, or has had so many lives."""
    works, player, _ = stage
    seed, began = os.environ.get("XLSER_KILLS_SEED") or secrets.token_hex(4), time.monotonic()
    print(f"\nXLSER_KILLS_SEED={seed} {kind}")
    if kind == "predict":
        player.through(works.argv("run", works.base / "model"), works.base / "model" / "cache")
    story, left, lived = Story(kind, *stage, seed, twice=not lives), kills, 0
    while left > 0 and (lived < lives or not lives):
        left -= story.live(left)
        lived += 1
    told = ", ".join(f"{name} {count}" for name, count in sorted(story.hits.items()))
    print(f"{kind}: {kills - left} kills ({told}) in {lived} lives, {time.monotonic() - began:.0f} s")


@pytest.mark.slow
@pytest.mark.parametrize("kind", FEW)
def test_a_few_kills(stage, kind):
    play(kind, FEW[kind], stage, lives=1)


@pytest.mark.stress
@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_kills_a_fifth_of_each_kind(stage, kind):
    play(kind, EACH, stage)
