"""Whether each heavy library loads and does one small thing, in another process: a crash there stays there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap

from xlser.environment.check import Check

SECONDS = 120
# What is printed last is the detail. `assert` says that a library loads and computes nonsense.
_TASKS = {
    "torch": """
        import torch
        assert torch.equal(torch.eye(2) @ torch.full((2, 2), 3.0), torch.full((2, 2), 3.0)), "a product is wrong"
        print("multiplies, on", torch.get_num_threads(), "threads")
    """,
    "torchaudio": """
        import torchaudio
        print("imports")
    """,
    "speechbrain": """
        from xlser.training import brain
        print("imports")
    """,
    "transformers": """
        import torch
        from transformers import Wav2Vec2Config, Wav2Vec2Model
        sizes = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
        model = Wav2Vec2Model(Wav2Vec2Config(**sizes, num_conv_pos_embeddings=2, num_conv_pos_embedding_groups=1))
        with torch.inference_mode():
            assert model.eval()(torch.zeros(1, 800)).last_hidden_state.isfinite().all(), "a state is not finite"
        print("a small encoder with random weights runs")
    """,
    "faiss": """
        import faiss, numpy as np
        index = faiss.IndexFlatL2(2)
        index.add(np.eye(2, dtype=np.float32))
        assert index.search(np.array([[0, 1]], np.float32), 1)[1][0, 0] == 1, "the nearest is wrong"
        print("searches")
    """,
    "soxr": """
        import numpy as np, soxr
        assert len(soxr.resample(np.zeros(441, np.float32), 44100, 16000)) == 160, "a length is wrong"
        print("resamples")
    """,
    "opensmile": """
        import numpy as np
        from xlser.features.egemaps import Egemaps
        tone = 0.5 * np.sin(2 * np.pi * 150 * np.arange(8000) / 16000)
        assert np.isfinite(Egemaps()(tone.astype(np.float32))).all(), "a functional is not finite"
        print("88 functionals of a tone")
    """,
    "scikit-learn": """
        from sklearn.linear_model import LogisticRegression
        assert LogisticRegression().fit([[0.0], [1.0]], [0, 1]).predict([[9.0]])[0] == 1, "a class is wrong"
        print("fits")
    """,
    "espeak": """
        from xlser.corpora.espeak import speak
        assert speak("eins", "de")[0].any(), "silence"
        print("says a word")
    """,
    "soundfile": """
        import io, numpy as np, soundfile
        lacking = []
        for name in ("WAV", "FLAC", "OGG", "MP3"):
            file = io.BytesIO()
            try:
                soundfile.write(file, 0.1 * np.ones(1600), 16000, format=name)
                file.seek(0)
                assert len(soundfile.read(file)[0]) >= 1600, name + " loses samples"
            except soundfile.SoundFileError:
                lacking.append(name)
        assert not {"WAV", "FLAC"} & set(lacking), "writes and reads no " + ", ".join(lacking)
        print("writes and reads WAV, FLAC, OGG, MP3" + (", but not " + ", ".join(lacking) if lacking else ""))
    """,
}
# Each task prints one line: its name, whether it went well, and what it says.
_RUN = """
import sys
sys.path = [place for place in sys.path if place]  # not the working folder, which the command does not look in either
import contextlib, io, json, warnings
warnings.simplefilter("ignore")
from xlser.ending import follow
from xlser.errors import MachineError
from xlser.machine import loading
follow(int(sys.argv[2]))
for name, code in json.loads(sys.argv[1]).items():
    said, well = io.StringIO(), True
    try:
        with loading(name), contextlib.redirect_stdout(said):
            exec(code, {})
    except MachineError as error:
        said, well = io.StringIO(str(error)), False
    print(json.dumps([name, well, said.getvalue().strip()]), flush=True)
"""
_AGAIN = (
    "Install what xlser was locked with: `make` in a checkout, or an environment of its own with `pip install xlser`"
)


def check_libraries(names: tuple[str, ...] = tuple(_TASKS)) -> list[Check]:
    """Return a check for each library.

    All are tried in one process, since most of the time goes into importing torch. Where that process ends before it is
    through, those that are left are tried each in its own, so that the one to blame is known.

    >>> [check.status for check in check_libraries(("soxr",))]
    ['ok']
    """
    checks, _ = _tried(names)
    for name in names[len(checks) :]:
        alone, ended = _tried((name,))
        checks += alone or [Check(f"{name} works", "fail", f"the library ends Python ({ended})", _AGAIN)]
    return checks


def _tried(names: tuple[str, ...]) -> tuple[list[Check], str]:
    """Return the checks that one process came to, and how it ended."""
    tasks = {name: textwrap.dedent(_TASKS[name]) for name in names}
    path = os.pathsep.join(filter(None, sys.path))  # where this process looks, and in this order
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, json.dumps(tasks), str(os.getpid())],
        env=os.environ | {"PYTHONPATH": path, "TOKENIZERS_PARALLELISM": "false"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        try:
            said, problems = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            said, problems = process.communicate()
            return _checks(said), f"no answer within {SECONDS} s"
        except BaseException:
            process.kill()
            raise
    return _checks(said), _ended(process.returncode, problems)


def _checks(said: str) -> list[Check]:
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("[")]
    return [
        Check(f"{name} works", "ok" if well else "fail", (text.splitlines() or [""])[-1].rstrip("."))
        for name, well, text in rows
    ]


def _ended(status: int, problems: str) -> str:
    if status < 0:
        return signal.Signals(-status).name
    return (problems.strip().splitlines() or [f"exit status {status}"])[-1]
