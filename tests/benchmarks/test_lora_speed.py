"""Adapters against full fine-tuning of the shapes of wav2vec 2.0 base: peak memory and clips a second.

Measured as each is trained by default: the checkpoint's dropout in full fine-tuning, none but their own in adapters.
"""

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.bench]

CLIPS, SECONDS, STEPS = 16, 4, 4
# Steps on a batch of the default 64 s whose convolutions are kept; a process of its own, for its peak of memory.
PROGRAM = """
import json, resource, statistics, sys, time, torch
from xlser.models.checkpoints import load_encoder
from xlser.models.classifier import Inputs
from xlser.training import gradcache
from xlser.training.encoder_recipe import EncoderChoice, Terms
from xlser.training.encoder_step import assemble
choice, clips, frames, steps = json.loads(sys.argv[1])
network = assemble(load_encoder("random:base"), EncoderChoice(**choice), Terms(), 4, 0).train()
batch, labels = [torch.randn(frames, 512) for _ in range(clips)], torch.arange(clips) % 4
learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
optimizer, times = torch.optim.AdamW(learnt, 1e-5, fused=True), []
for number in range(steps):
    began = time.perf_counter()
    gradcache.backward(
        lambda chunk, _: network.embed(Inputs("frames", chunk)), [batch],
        lambda e: {"loss": torch.nn.functional.cross_entropy(network.classes(e["embedding"]), labels)}, seed=number,
    )
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    times.append(time.perf_counter() - began)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"MiB": peak, "clips": clips / statistics.median(times[1:])}))
"""


def measured(**choice):
    given = json.dumps([choice, CLIPS, 50 * SECONDS - 1, STEPS])
    command = [sys.executable, "-c", PROGRAM, given]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux alone")
def test_adapters_take_less_memory_and_time_than_full_fine_tuning(table):
    full, lora = measured(), measured(lora=8)
    memory, speed = lora["MiB"] / full["MiB"], lora["clips"] / full["clips"]
    what = f"LoRA of rank 8 against full fine-tuning (wav2vec 2.0 base, float32, {CLIPS} clips of {SECONDS} s)"
    table(f"{what}: peak memory", f"{memory:.2f} times ({lora['MiB']:.0f} / {full['MiB']:.0f} MiB)", "≤ 0.6")
    table(f"{what}: clips a second", f"{speed:.2f} times ({lora['clips']:.2f} / {full['clips']:.2f})", "≥ 1.2")
    assert memory <= 0.6
    assert speed >= 1.2
