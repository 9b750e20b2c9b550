// The audio thread's part of a recording: samples go to the page as they come.

class Recorder extends AudioWorkletProcessor {
  process([input]) {
    if (input.length) {
      const mixed = new Float32Array(input[0].length);
      for (const channel of input) for (let i = 0; i < mixed.length; i++) mixed[i] += channel[i] / input.length;
      this.port.postMessage(mixed, [mixed.buffer]);
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
