// Numbers and elements as the page shows them. Text from outside is only ever set as text, never as HTML.

// Letters that act and are not seen (escapes, what turns the order of a line, what has no width) are spelled.
const ACTING = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])/gu;
export const visible = (text) => String(text).replace(ACTING, (letter) => `\\u${letter.codePointAt(0).toString(16).padStart(4, "0")}`);

export const el = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, visible(value));
  }
  made.append(...children.map((child) => (child instanceof Node ? child : visible(child))));
  return made;
};

const SVG = "http://www.w3.org/2000/svg";

export const mark = (name, attributes = {}, text = "") => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== "") made.textContent = visible(text);
  return made;
};

export const byId = (id) => document.getElementById(id);

// 75.5 -> 1:15.5; 3661 -> 1:01:01
export const clock = (seconds, digits = 0) => {
  const scale = 10 ** digits;
  const rounded = Math.round(Math.max(0, seconds) * scale) / scale;
  const hours = Math.floor(rounded / 3600), minutes = Math.floor(rounded / 60) % 60;
  const rest = (rounded % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
};

export const percent = (share) => `${Math.round(100 * share)}\u00a0%`;
export const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);

export const size = (bytes) => {
  for (const [unit, scale] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (bytes >= scale) return `${(bytes / scale).toPrecision(3)} ${unit}`;
  }
  return `${bytes} bytes`;
};

// The same emotion has the same colour whichever model is served; others take what is left, in their order.
const COLOURS = {
  anger: "#c94f4f", happiness: "#c98a1b", neutral: "#7d8590", sadness: "#3f74d6", fear: "#8a5cc4",
  disgust: "#15897a", surprise: "#c0528f", boredom: "#8d7d12", calm: "#4f9bb5", contempt: "#9a5b3c",
};
const FURTHER = ["#5a7d2a", "#b04a98", "#2f6f8f", "#a0522d", "#6b6bd0", "#4b8f6b"];

export const colours = (classes) => {
  let next = 0;
  return Object.fromEntries(classes.map((name) => [name, COLOURS[name] ?? FURTHER[next++ % FURTHER.length]]));
};
