// Emotion over time: the probability of each class as a stacked area, and ratings as lines.

import { aroundMiddles } from "./exports.js";
import { clock, mark, percent } from "./words.js";

const HEIGHT = 230, AXIS = 26, STRIP = 10, LEFT = 44, RIGHT = 10;

// Of more windows than that a pixel shows several: they are averaged, so that hours draw as fast as minutes.
const thinned = (placed, columns) => {
  if (placed.length <= columns) return placed;
  const step = placed.length / columns, out = [];
  for (let i = 0; i < columns; i++) {
    const group = placed.slice(Math.floor(i * step), Math.floor((i + 1) * step));
    const heard = group.filter(([, , w]) => !w.fault).map(([, , w]) => w);
    const mean = (field) => {
      const names = Object.keys(heard[0][field]);
      return Object.fromEntries(names.map((n) => [n, heard.reduce((sum, w) => sum + w[field][n], 0) / heard.length]));
    };
    const window = heard.length
      ? { probabilities: mean("probabilities"), ratings: mean("ratings"), warning: heard.find((w) => w.warning)?.warning }
      : { fault: group[0][2].fault };
    out.push([group[0][0], group.at(-1)[1], window]);
  }
  return out;
};

// Windows without a gap between them, as one run: silence is a gap in the picture too.
const runs = (placed) => {
  const out = [];
  let open = false;
  for (const one of placed) {
    if (!one[2].fault) (open ? out.at(-1) : (out.push([]), out.at(-1))).push(one);
    open = !one[2].fault;
  }
  return out;
};

const ticks = (seconds, room) => {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
  const step = steps.find((one) => seconds / one <= Math.max(2, room / 70)) ?? 3600;
  return { step, at: Array.from({ length: Math.floor(seconds / step + 1e-6) + 1 }, (_, i) => i * step) };
};

// Coordinates of a picture so many pixels wide, of so many seconds.
export const scale = (seconds, width) => {
  const across = (width - LEFT - RIGHT) / Math.max(seconds, 1e-3);
  return { x: (time) => LEFT + time * across, time: (x) => Math.max(0, Math.min(seconds, (x - LEFT) / across)) };
};

const prepared = (svg, seconds, width, height) => {
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height + AXIS}`);
  svg.setAttribute("width", width);
  svg.setAttribute("height", height + AXIS);
  const place = scale(seconds, width), { step, at } = ticks(seconds, width - LEFT - RIGHT);
  for (const time of at) {
    const x = place.x(time);
    svg.append(mark("line", { x1: x, x2: x, y1: height, y2: height + 5, class: "axis" }));
    const anchor = x > width - 30 ? "end" : "middle";
    const right = anchor === "end" ? width - 2 : x;
    svg.append(mark("text", { x: right, y: height + 20, "text-anchor": anchor }, clock(time, step < 1 ? 1 : 0)));
  }
  return place;
};

const levels = (svg, width, values, y, text) => {
  for (const value of values) {
    svg.append(mark("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), class: "grid" }));
    svg.append(mark("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, text(value)));
  }
};

const area = (run, place, low, high) => {
  const edge = (share) => run.flatMap(([begin, end, w], i) => {
    const middle = (begin + end) / 2, value = share(w).toFixed(1);
    const points = [`${place.x(middle).toFixed(1)},${value}`];
    if (i === 0) points.unshift(`${place.x(begin).toFixed(1)},${value}`);
    if (i === run.length - 1) points.push(`${place.x(end).toFixed(1)},${value}`);
    return points;
  });
  return [...edge(high), ...edge(low).reverse()].join(" ");
};

// Draw the stacked areas; bands of windows without an answer are hatched, those of unfamiliar sound marked above.
export const drawShares = (svg, windows, seconds, classes, paint, width) => {
  const place = prepared(svg, seconds, width, HEIGHT), top = STRIP + 6;
  const placed = thinned(aroundMiddles(windows), Math.max(50, width)), y = (share) => HEIGHT - share * (HEIGHT - top);
  const pattern = mark("pattern", { id: "hatching", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  pattern.append(mark("rect", { width: 7, height: 7, class: "blank" }), mark("line", { x1: 0, x2: 0, y1: 0, y2: 7, class: "hatchline" }));
  const defs = mark("defs");
  defs.append(pattern);
  svg.append(defs);
  if (classes.length) levels(svg, width, [0, 0.5, 1], y, percent);
  for (const run of runs(placed)) {
    const below = run.map(() => 0), index = new Map(run.map(([, , w], i) => [w, i]));
    for (const name of classes) {
      const above = run.map(([, , w], i) => below[i] + w.probabilities[name]);
      const low = [...below];
      svg.append(mark("polygon", {
        points: area(run, place, (w) => y(low[index.get(w)]), (w) => y(above[index.get(w)])), fill: paint[name], class: "area",
      }));
      above.forEach((value, i) => (below[i] = value));
    }
  }
  for (const [begin, end, w] of placed) {
    const box = { x: place.x(begin), width: Math.max(0.5, place.x(end) - place.x(begin)) };
    if (w.fault) svg.append(mark("rect", { ...box, y: top, height: HEIGHT - top, fill: "url(#hatching)" }));
    else if (w.warning) svg.append(mark("rect", { ...box, y: 2, height: STRIP, class: "unfamiliar" }));
  }
  svg.append(mark("line", { y1: 0, y2: HEIGHT, class: "playhead" }));
};

// Draw the ratings as lines, in the order of `names`; each has its dash, so that colour is not needed.
export const DASHES = ["none", "7 4", "2 3"];
export const drawRatings = (svg, windows, seconds, names, width) => {
  const tall = 140, place = prepared(svg, seconds, width, tall);
  const placed = thinned(aroundMiddles(windows), Math.max(50, width));
  const values = placed.flatMap(([, , w]) => (w.fault ? [] : names.map((name) => Math.abs(w.ratings[name]))));
  const most = values.reduce((a, b) => Math.max(a, b), 1), y = (value) => tall / 2 + 3 - (value / most) * (tall / 2 - 8);
  levels(svg, width, [-1, 0, 1], y, (value) => (value < 0 ? "−1" : String(value)));
  for (const run of runs(placed)) {
    names.forEach((name, i) => {
      const points = run.map(([begin, end, w]) => `${place.x((begin + end) / 2).toFixed(1)},${y(w.ratings[name]).toFixed(1)}`);
      if (points.length === 1) points.push(points[0]);
      svg.append(mark("polyline", { points: points.join(" "), class: `rating rating-${i % 3}`, "stroke-dasharray": DASHES[i % 3] }));
    });
  }
  svg.append(mark("line", { y1: 0, y2: tall, class: "playhead" }));
};

// Draw the path through the plane of valence (right is pleasant) and activation (up is excited), fresh parts stronger.
export const drawPlane = (svg, windows) => {
  const side = 250, edge = 22, heard = windows.filter((w) => !w.fault);
  const most = heard.reduce((a, w) => Math.max(a, Math.abs(w.ratings.valence), Math.abs(w.ratings.activation)), 1);
  const x = (value) => side / 2 + (value / most) * (side / 2 - edge), y = (value) => side / 2 - (value / most) * (side / 2 - edge);
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
  svg.append(mark("line", { x1: edge, x2: side - edge, y1: side / 2, y2: side / 2, class: "grid" }));
  svg.append(mark("line", { x1: side / 2, x2: side / 2, y1: edge, y2: side - edge, class: "grid" }));
  const words = [["excited", side / 2, 14, "middle"], ["calm", side / 2, side - 6, "middle"]];
  words.push(["unpleasant", 2, side / 2 - 5, "start"], ["pleasant", side - 2, side / 2 - 5, "end"]);
  const step = Math.max(1, heard.length / 400), some = [];
  for (let i = 0; i < heard.length; i += step) some.push(heard[Math.floor(i)]);
  for (let i = 1; i < some.length; i++) {
    const [a, b] = [some[i - 1].ratings, some[i].ratings];
    const opacity = (0.15 + (0.6 * i) / some.length).toFixed(2);
    svg.append(mark("line", { x1: x(a.valence), y1: y(a.activation), x2: x(b.valence), y2: y(b.activation), class: "step", opacity }));
  }
  for (const [word, atX, atY, anchor] of words) svg.append(mark("text", { x: atX, y: atY, "text-anchor": anchor, class: "halo" }, word));
  svg.append(mark("circle", { r: 6, class: "here", visibility: "hidden" }));
  return (window) => {
    const dot = svg.querySelector(".here");
    dot.setAttribute("visibility", window && !window.fault ? "visible" : "hidden");
    if (!window || window.fault) return;
    dot.setAttribute("cx", x(window.ratings.valence));
    dot.setAttribute("cy", y(window.ratings.activation));
  };
};
