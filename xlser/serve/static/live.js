// The page's flow: recordings come in, one after the other is read, the chosen one is shown.

import { csv, json, save, textGrid } from "./exports.js";
import { startRecording } from "./microphone.js";
import { Shown } from "./shown.js";
import { getModel, Refused, timeline } from "./stream.js";
import { byId, clock, el, size, visible } from "./words.js";

const state = { model: null, recordings: [], chosen: null, busy: false, recorder: null };
const clip = new Audio();
const shown = new Shown((address, button) => {
  byId("audio").pause();
  clip.src = address;
  clip.play().catch(() => complain(`This clip cannot be played: ${button.getAttribute("aria-label")}.`));
});
byId("audio").addEventListener("play", () => clip.pause());

const say = (text) => (byId("status").textContent = visible(text));
const complain = (text) => {
  byId("fault").hidden = !text;
  byId("fault").textContent = visible(text);
};

const introduce = (model) => {
  state.model = model;
  const learnt = list([...new Set((model.corpora ?? []).map((one) => one.title || one.corpus))]);
  const told = model.classes.length ? `tells apart ${list(model.classes)}` : `rates ${list(model.ratings)}`;
  byId("model").textContent = visible(`It ${told}${learnt && `, learnt from ${learnt}`}.`);
  byId("protocol").textContent = visible(`Protocol: ${model.protocol}`);
  const corpora = (model.corpora ?? []).map((one) => el("li", {}, `${one.title || one.corpus}, ${one.language}: ${one.utterances} clips of ${one.speakers} speakers` + (one.licence ? `; licence ${one.licence}` : "")));
  byId("about").replaceChildren(
    ...[...(model.protocol_lines ?? []), `model: ${model.text || model.name}`].map((text) => el("p", {}, text)),
    ...(corpora.length ? [el("p", {}, "It compares with clips of:"), el("ul", {}, ...corpora)] : []),
    el("p", {}, `This server takes recordings of up to ${size(model.limits.bytes)} and ${clock(model.limits.seconds)}. xlser ${model.version}`),
  );
  const { every, window, shortest, longest } = model.windows;
  for (const [id, value] of [["every", every], ["window", window]]) {
    Object.assign(byId(id), { value, min: shortest, max: longest });
  }
};

const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

const add = (blob, name) => {
  const limit = state.model?.limits.bytes ?? Infinity;
  if (blob.size > limit) return complain(`${name} holds ${size(blob.size)}; this server takes ${size(limit)} at most. Send it as FLAC or MP3, or in parts.`);
  if (!blob.size) return complain(`${name} is empty.`);
  state.recordings.push({ blob, name, address: URL.createObjectURL(blob), state: "waits", reading: null });
  choose(state.recordings.at(-1));
  void readAll();
};

const choose = (recording) => {
  state.chosen = recording;
  complain(recording.fault ?? "");
  byId("again").hidden = state.busy;
  if (recording.reading?.windows.length) shown.show(recording.reading, recording.address);
  else byId("result").hidden = true;
  const nav = byId("recordings");
  nav.hidden = state.recordings.length < 2;
  nav.replaceChildren(...state.recordings.map((one) => {
    const button = el("button", { type: "button", "aria-current": one === recording && "true" }, one.name, el("small", {}, ` ${one.state}`));
    button.addEventListener("click", () => choose(one));
    return button;
  }));
};

const readAll = async () => {
  if (state.busy) return;
  state.busy = true;
  for (let next; (next = state.recordings.find((one) => one.state === "waits")); ) await readOne(next);
  state.busy = false;
  byId("again").hidden = !state.chosen;
};

const readOne = async (recording) => {
  const cancel = new AbortController(), stop = () => cancel.abort();
  Object.assign(recording, { state: "is read", reading: null, fault: "" });
  choose(recording);
  byId("cancel").addEventListener("click", stop);
  byId("work").hidden = false;
  byId("progress").removeAttribute("value");
  say(`${recording.name}: is sent`);
  try {
    await hear(recording, timeline(recording.blob, recording.name, byId("every").value, byId("window").value, cancel.signal));
    recording.state = "read";
    say(`${recording.name}: read, ${recording.reading?.windows.length ?? 0} windows.`);
  } catch (error) {
    recording.state = error.name === "AbortError" ? "cancelled" : "failed";
    if (!(error instanceof Refused) && error.name !== "AbortError") console.error(error);
    recording.fault = error.name === "AbortError" ? "" : `${recording.name}: ${error.message}`;
    say(error.name === "AbortError" ? `${recording.name}: cancelled.` : "");
  }
  byId("cancel").removeEventListener("click", stop);
  byId("work").hidden = true;
  if (state.chosen === recording) choose(recording);
  else choose(state.chosen);
};

// Take a recording's events as they come; the page is drawn a few times a second at most.
const hear = async (recording, events) => {
  let drawn = 0;
  for await (const event of events) {
    if (event.event === "queued") say(`${recording.name}: waits, ${event.ahead} ahead of it`);
    if (event.event === "start") recording.reading = { name: recording.name, model: state.model?.name ?? "", start: event, windows: [], summary: null };
    if (event.event === "summary") recording.reading.summary = event;
    if (event.event !== "window") continue;
    const { windows, start } = recording.reading;
    windows.push(event);
    // Drawing all that is there takes the longer the more there is.
    const last = windows.length === start.windows;
    if (!last && performance.now() - drawn < 250 + windows.length / 4) continue;
    drawn = performance.now();
    byId("progress").max = start.windows || windows.length;
    byId("progress").value = windows.length;
    say(`${recording.name}: ${last ? "all windows are there; the answer to the whole is awaited" : `${clock(event.end)} of ${clock(start.seconds)}`}`);
    if (state.chosen === recording) shown.show(recording.reading, recording.address);
  }
};

const stopRecording = async () => {
  if (!state.recorder) return;
  const recorder = state.recorder;
  state.recorder = null;
  const blob = await recorder.stop();
  for (const id of ["stop", "clock", "level"]) byId(id).hidden = true;
  byId("record").hidden = false;
  byId("record").focus();
  const taken = state.recordings.filter((one) => one.name.startsWith("microphone")).length;
  add(blob, `microphone ${taken + 1}.wav`);
};

byId("record").addEventListener("click", async () => {
  complain("");
  byId("record").disabled = true;
  try {
    state.recorder = await startRecording((level, seconds) => {
      byId("level").value = Math.sqrt(level);
      byId("clock").textContent = clock(seconds);
      if (seconds >= (state.model?.limits.seconds ?? 3600)) void stopRecording();
    });
    for (const id of ["stop", "clock", "level"]) byId(id).hidden = false;
    byId("record").hidden = true;
    byId("stop").focus();
    say("Records. It is read when you stop.");
  } catch (error) {
    complain(error.message);
  }
  byId("record").disabled = false;
});
byId("stop").addEventListener("click", () => void stopRecording());

const addFiles = (files) => {
  complain("");
  for (const file of files) add(file, file.name);
};
byId("file").addEventListener("change", (event) => {
  addFiles(event.target.files);
  event.target.value = "";
});
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", name === "dragenter" || name === "dragover");
    if (name === "drop") addFiles(event.dataTransfer.files);
  });
}
byId("options").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!state.chosen || state.busy) return;
  state.chosen.state = "waits";
  void readAll();
});

const exported = { "export-csv": [csv, ".csv", "text/csv"], "export-json": [json, ".json", "application/json"], "export-textgrid": [textGrid, ".TextGrid", "text/plain"] };
for (const [id, [write, suffix, type]] of Object.entries(exported)) {
  byId(id).addEventListener("click", () => save(write(shown.reading), shown.reading.name, suffix, type));
}

getModel().then(introduce, (error) => {
  byId("model").textContent = "The model cannot be read.";
  complain(error.message);
});
