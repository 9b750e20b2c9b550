// What was read as a file: CSV and TextGrid have the columns and tiers of `xlser predict --every`.

const number = (value) => (value === null || value === undefined ? "" : String(Number(value.toPrecision(6))));

// A text that a spreadsheet would take for a formula stands behind an apostrophe; numbers stay as they are.
const neutral = (value) => (/^'*\s*[=+\-@＝＋－＠\t\r\n]/.test(value) && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? `'${value}` : value);
const cell = (value) => (/[",\n\r]/.test(neutral(value)) ? `"${neutral(value).replaceAll('"', '""')}"` : neutral(value));

export const csv = ({ name, start, windows, model }) => {
  const heads = ["file", "start", "end", "emotion", ...start.classes.map((label) => `p_${label}`), ...start.ratings];
  heads.push("percentile", "warning", "fault", "protocol", "model");
  const rows = windows.map((w) => [
    name, w.start.toFixed(3), w.end.toFixed(3), w.emotion ?? "",
    ...start.classes.map((label) => number(w.probabilities?.[label])),
    ...start.ratings.map((rating) => number(w.ratings?.[rating])),
    number(w.percentile), w.warning ?? "", w.fault ?? "", w.fault ? "" : start.protocol, model,
  ]);
  return [heads, ...rows].map((row) => row.map((value) => cell(String(value))).join(",")).join("\n") + "\n";
};

export const json = ({ name, start, windows, summary, model }) => {
  const plain = ({ event, ...rest }) => rest;
  const about = { file: name, model, ...plain({ ...start, name: undefined }) };
  return JSON.stringify({ ...about, windows: windows.map(plain), summary: summary && plain(summary) }, null, 1) + "\n";
};

// Windows overlap, and intervals of a TextGrid follow each other: each stands for the time around its middle.
export const aroundMiddles = (windows) =>
  windows.map((w, i) => {
    const middle = (a, b) => (a.start + a.end + b.start + b.end) / 4;
    const begin = i ? middle(windows[i - 1], w) : w.start;
    return [begin, i + 1 < windows.length ? middle(w, windows[i + 1]) : w.end, w];
  });

export const textGrid = ({ start, windows }) => {
  const placed = aroundMiddles(windows), first = placed[0][0], last = placed.at(-1)[1];
  const said = {
    emotion: (w) => w.emotion,
    probability: (w) => number(w.probabilities[w.emotion]),
    ...Object.fromEntries(start.ratings.map((rating) => [rating, (w) => number(w.ratings[rating])])),
  };
  const tiers = [...(start.classes.length ? ["emotion", "probability"] : []), ...start.ratings];
  const lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", `xmin = ${first}`, `xmax = ${last}`];
  lines.push("tiers? <exists>", `size = ${tiers.length}`, "item []:");
  tiers.forEach((tier, i) => {
    lines.push(`    item [${i + 1}]:`, '        class = "IntervalTier"', `        name = "${tier.replaceAll('"', '""')}"`);
    lines.push(`        xmin = ${first}`, `        xmax = ${last}`, `        intervals: size = ${placed.length}`);
    placed.forEach(([begin, end, w], j) => {
      const text = w.fault ? "" : String(said[tier](w)).replaceAll('"', '""');
      lines.push(`        intervals [${j + 1}]:`, `            xmin = ${begin}`, `            xmax = ${end}`);
      lines.push(`            text = "${text}"`);
    });
  });
  return lines.join("\n") + "\n";
};

// Hand a file to the browser; its name is that of the recording.
export const save = (text, name, suffix, type) => {
  const stem = name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N} ._-]/gu, "_").replace(/^\.+/, "") || "recording";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = `${stem}${suffix}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};
