// The server's answers: JSON, or an event a line as a long recording is read.

export class Refused extends Error {}

// What went wrong, in the server's words where it gave any.
const reason = async (response) => {
  let detail = "";
  try {
    detail = (await response.json()).detail;
  } catch {
    detail = "";
  }
  if (typeof detail === "string" && detail) return detail;
  if (response.status === 413) return "The recording is larger than this server takes.";
  if (response.status === 503) return "The server is busy. Try again in a moment.";
  return `The server answered with an error (${response.status}).`;
};

const ask = async (address, options) => {
  let response;
  try {
    response = await fetch(address, { credentials: "omit", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server cannot be reached, or closed the connection. Is xlser serve still running?");
  }
  if (!response.ok) throw new Refused(await reason(response));
  return response;
};

export const getModel = async () => (await ask("/api/model")).json();

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) if (part.trim()) yield part;
  }
  if (rest.trim()) yield rest;
}

// JSON has no NaN: a number that is none is null. Such a window has no answer.
const numbered = (event) => {
  const numbers = [...Object.values(event.probabilities ?? {}), ...Object.values(event.ratings ?? {})];
  return numbers.includes(null) ? { ...event, fault: "no number comes out of this window" } : event;
};

// Yield the events of a recording's timeline; an answer that stops short of its end is an error.
export async function* timeline(recording, name, every, window, signal) {
  const query = new URLSearchParams({ every, window, name });
  const response = await ask(`/api/timeline?${query}`, {
    method: "POST", body: recording, signal, headers: { "Content-Type": "application/octet-stream" },
  });
  try {
    for await (const line of lines(response.body)) {
      const event = JSON.parse(line);
      if (event.event === "error") throw new Refused(event.detail);
      if (event.event === "end") return;
      yield numbered(event);
    }
  } catch (error) {
    if (error instanceof Refused || error.name === "AbortError") throw error;
    throw new Refused("The connection broke before the recording was read to its end. What was read so far is shown.");
  }
  throw new Refused("The answer stopped before the recording was read to its end. What was read so far is shown.");
}
