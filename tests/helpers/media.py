"""Recordings as telephones, cameras and browsers make them, by PyAV."""

import numpy as np
import pytest


class Pipe:
    """Somewhere to write to, but not to go back in."""

    def __init__(self):
        self.data = bytearray()

    def write(self, data):
        self.data += data
        return len(data)


def encode(path, samples, rate, codec, *, kind=None, film=False, pipe=False, **options):
    """Write float samples (S,) or (S, 2) with a codec of FFmpeg, beside a grey picture where it is a ``film``."""
    av = pytest.importorskip("av")
    try:
        av.Codec(codec, "w")
    except (av.error.FFmpegError, ValueError):
        pytest.skip(f"this PyAV cannot encode {codec}")
    samples = np.asarray(samples, dtype=np.float32).reshape(len(samples), -1)
    layout = {1: "mono", 2: "stereo"}[samples.shape[1]]
    target = Pipe() if pipe else str(path)
    with av.open(target, "w", format=kind, options=options) as out:
        picture = out.add_stream("mpeg4", rate=25) if film else None
        stream = out.add_stream(codec, rate=rate, layout=layout)
        if codec.startswith(("aac", "wma")):
            stream.bit_rate = 96_000
        if picture:
            picture.width = picture.height = 64
            for number in range(int(25 * len(samples) / rate)):
                frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8), format="rgb24")
                frame.pts = number
                out.mux(picture.encode(frame))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        out.mux(stream.encode(frame))
        if picture:
            out.mux(picture.encode(None))
        out.mux(stream.encode(None))
    if pipe:
        path.write_bytes(target.data)
    return path
