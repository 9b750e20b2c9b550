// A recording from the microphone as a WAV file, 16 bits, mono, made here: the server needs no further decoder.

const REASONS = {
  NotAllowedError: "The browser was not allowed to use the microphone. Allow it beside the address, then record again.",
  NotFoundError: "There is no microphone. Connect one, or choose a file.",
  NotReadableError: "The microphone is in use by another program, or does not answer.",
};

// Sound as it is: what makes calls pleasant (a steady loudness, no noise) takes away what emotion is heard by.
const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

// Start to record; `onLevel` gets the loudness, 0 to 1, and the seconds so far.
export const startRecording = async (onLevel) => {
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) {
    throw new Error(
      "Browsers give the microphone only to pages of this very machine or over https. Open http://localhost " +
        "on the machine that runs xlser serve, or choose a file.",
    );
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: PLAIN });
  } catch (error) {
    throw new Error(REASONS[error.name] ?? `The microphone cannot be used: ${error.message}`);
  }
  const context = new AudioContext(), pieces = [];
  let samples = 0;
  const release = async () => {
    for (const track of stream.getTracks()) track.stop();
    await context.close();
  };
  try {
    await context.audioWorklet.addModule("/static/recorder.js");
    await context.resume();
  } catch (error) {
    await release();
    throw new Error(`The recorder cannot be started: ${error.message}`);
  }
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  node.port.onmessage = ({ data }) => {
    let loudest = 0;
    const piece = new Int16Array(data.length);
    for (let i = 0; i < data.length; i++) {
      const value = Math.max(-1, Math.min(1, data[i]));
      loudest = Math.max(loudest, Math.abs(value));
      piece[i] = Math.round(value * 32767);
    }
    pieces.push(piece);
    samples += piece.length;
    onLevel(loudest, samples / context.sampleRate);
  };
  context.createMediaStreamSource(stream).connect(node);
  return {
    // Stop, and return the file.
    stop: async () => {
      node.port.onmessage = null;
      await release();
      return wav(pieces, samples, context.sampleRate);
    },
  };
};

const wav = (pieces, samples, rate) => {
  const head = new DataView(new ArrayBuffer(44));
  const text = (at, word) => [...word].forEach((letter, i) => head.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  head.setUint32(4, 36 + 2 * samples, true);
  text(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true); // PCM
  head.setUint16(22, 1, true); // channels
  head.setUint32(24, rate, true);
  head.setUint32(28, 2 * rate, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  text(36, "data");
  head.setUint32(40, 2 * samples, true);
  return new Blob([head, ...pieces], { type: "audio/wav" });
};
