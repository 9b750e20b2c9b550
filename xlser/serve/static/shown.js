// One recording on the page: its answer, its pictures, the playhead, and what is said at it.

import { DASHES, drawPlane, drawRatings, drawShares, scale } from "./chart.js";
import { aroundMiddles } from "./exports.js";
import { byId, clock, colours, el, mark, percent, signed, visible } from "./words.js";

const ROWS = 300;

export class Shown {
  constructor(clipsPlay) {
    this.reading = null;
    this.time = 0;
    this.rows = 0;
    this.place = () => {};
    this.clipsPlay = clipsPlay;
    this.listen();
  }

  // Show a reading: {name, start, windows, summary}; called again as windows come.
  show(reading, address) {
    const other = this.reading !== reading;
    this.reading = reading;
    byId("result").hidden = !reading.windows.length;
    if (!reading.windows.length) return;
    if (other) {
      this.time = reading.windows[0].start;
      this.rows = 0;
      const audio = byId("audio");
      byId("unplayable").hidden = true;
      audio.src = address;
      byId("windows").tBodies[0].replaceChildren();
    }
    byId("name").textContent = visible(reading.name);
    this.sayAnswer();
    this.draw();
    this.fillTable();
  }

  sayAnswer() {
    const { start, windows, summary } = this.reading, heard = windows.filter((w) => !w.fault);
    const parts = [];
    if (summary?.emotion) {
      parts.push(el("strong", {}, summary.emotion), ` over the whole recording, probability ${percent(summary.probabilities[summary.emotion])}. `);
    }
    const counts = start.classes.map((name) => [name, heard.filter((w) => w.emotion === name).length]);
    const told = counts.filter(([, count]) => count).sort((a, b) => b[1] - a[1]);
    if (told.length) parts.push("Share of the windows: " + told.map(([name, n]) => `${name} ${percent(n / heard.length)}`).join(", ") + ".");
    if (!heard.length) parts.push("Nothing can be said of any window: " + windows[0].fault);
    if (summary?.ratings && !start.classes.length) parts.push(el("strong", {}, this.said(summary)), " over the whole recording.");
    byId("answer").replaceChildren(...parts);
    const chips = [];
    const silent = windows.length - heard.length, odd = heard.filter((w) => w.warning).length;
    if (silent) chips.push(`${silent} of ${windows.length} windows without an answer`);
    if (odd) chips.push(`${odd} of ${heard.length} windows unfamiliar`);
    if (summary?.warning) chips.push("unfamiliar as a whole");
    byId("chips").replaceChildren(...chips.map((text) => el("span", { class: "chip" }, text)));
  }

  draw() {
    const { start, windows } = this.reading, room = byId("scroll").clientWidth || 600;
    const seconds = Math.max(start.seconds || 0, windows.at(-1).end), across = Number(byId("zoom").value);
    // Browsers draw no picture of unlimited width.
    this.width = Math.min(30_000, across && across < seconds ? Math.round((room * seconds) / across) : room);
    this.seconds = seconds;
    const paint = colours(start.classes), names = start.ratings;
    drawShares(byId("timeline"), windows, seconds, start.classes, paint, this.width);
    byId("key").replaceChildren(...start.classes.map((name) => el("span", {}, swatch(paint[name]), name)));
    byId("rated").hidden = !names.length;
    if (names.length) {
      drawRatings(byId("ratings"), windows, seconds, names, this.width);
      byId("rated-key").replaceChildren(...names.map((name, i) => el("span", {}, dash(i), name)));
    }
    byId("path").hidden = !(names.includes("activation") && names.includes("valence"));
    this.place = byId("path").hidden ? () => {} : drawPlane(byId("plane"), windows);
    byId("timeline").setAttribute("aria-valuemax", seconds.toFixed(1));
    this.placed = aroundMiddles(windows);
    this.moment = undefined;
    this.move(this.time);
  }

  windowAt(time) {
    let low = 0, high = this.placed.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.placed[middle][1] <= time) low = middle + 1;
      else high = middle;
    }
    return this.placed[low][2];
  }

  // Move the playhead; `seek` moves the sound too.
  move(time, seek = false) {
    this.time = Math.max(0, Math.min(this.seconds, time));
    const x = scale(this.seconds, this.width).x(this.time);
    for (const line of document.querySelectorAll(".playhead")) {
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    }
    if (seek && Number.isFinite(byId("audio").duration)) byId("audio").currentTime = this.time;
    const window = this.windowAt(this.time), svg = byId("timeline");
    const said = window.fault ? "no answer" : this.said(window);
    svg.setAttribute("aria-valuenow", this.time.toFixed(1));
    svg.setAttribute("aria-valuetext", `${clock(this.time, 1)}: ${said}`);
    if (window !== this.moment) this.tell(window);
  }

  follow(x) {
    for (const box of document.querySelectorAll(".wide .scroll")) {
      if (x < box.scrollLeft || x > box.scrollLeft + box.clientWidth - 20) box.scrollLeft = Math.max(0, x - 60);
    }
  }

  said(window) {
    if (window.emotion) return `${window.emotion} ${percent(window.probabilities[window.emotion])}`;
    return Object.entries(window.ratings).map(([name, value]) => `${name} ${signed(value)}`).join(", ");
  }

  tell(window) {
    this.moment = window;
    const { start } = this.reading, paint = colours(start.classes);
    this.place(window);
    byId("moment").replaceChildren(`${clock(window.start, 1)} to ${clock(window.end, 1)}: `, el("strong", {}, window.fault || this.said(window)));
    if (window.warning) byId("moment").append(" ", el("span", { class: "chip" }, "unfamiliar sound"));
    const rows = window.fault ? [] : start.classes.map((name) => {
      const bar = mark("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
      bar.append(mark("rect", { width: 100 * window.probabilities[name], height: 10, fill: paint[name] }));
      return el("div", {}, el("dt", {}, name), el("dd", {}, bar, el("span", {}, percent(window.probabilities[name]))));
    });
    for (const name of window.fault ? [] : start.ratings) rows.push(el("div", {}, el("dt", {}, name), el("dd", {}, el("span", {}, signed(window.ratings[name])))));
    byId("shares").replaceChildren(...rows);
    const near = window.neighbours ?? [], voted = near.some((one) => one.voted);
    byId("clips-title").textContent = voted ? "Clips of the corpora that voted" : "Clips of the corpora that lie nearest";
    byId("clips-title").hidden = !near.length;
    byId("clips").replaceChildren(...near.map((one) => this.clip(one)));
  }

  clip(one) {
    const about = [one.emotion, one.corpus, one.language, one.speaker && `speaker ${one.speaker}`].filter(Boolean);
    const text = el("span", {}, about.join(" · "), el("small", {}, ` distance ${Number(one.distance).toPrecision(3)}${one.voted ? ", voted" : ""}`));
    if (!one.clip) return el("li", {}, text);
    const button = el("button", { type: "button", "aria-label": `Listen: ${about.join(", ")}` }, "▶");
    button.addEventListener("click", () => this.clipsPlay(one.clip, button));
    return el("li", {}, button, text);
  }

  fillTable(more = 0) {
    if (!byId("numbers").open) return;
    const { start, windows } = this.reading, table = byId("windows"), body = table.tBodies[0];
    const heads = ["start, s", "end, s", "emotion", ...start.classes.map((name) => `p ${name}`), ...start.ratings, "percentile of distance", "note"];
    table.tHead.replaceChildren(el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text))));
    const until = Math.min(windows.length, Math.max(ROWS, this.rows) + more);
    for (const w of windows.slice(body.rows.length, until)) {
      const cells = [w.end.toFixed(2), w.emotion ?? "", ...start.classes.map((name) => w.probabilities?.[name].toFixed(2) ?? "")];
      cells.push(...start.ratings.map((name) => (w.ratings ? signed(w.ratings[name]) : "")), w.percentile?.toFixed(0) ?? "");
      cells.push(w.fault || (w.warning ? "unfamiliar sound" : ""));
      body.append(el("tr", {}, el("th", { scope: "row" }, w.start.toFixed(2)), ...cells.map((text) => el("td", {}, text))));
    }
    this.rows = Math.max(ROWS, body.rows.length);
    byId("more").hidden = body.rows.length >= windows.length;
  }

  listen() {
    const svg = byId("timeline"), audio = byId("audio");
    const at = (event) => this.move(scale(this.seconds, this.width).time(event.clientX - svg.getBoundingClientRect().left), true);
    svg.addEventListener("pointerdown", (event) => {
      at(event);
      if (event.pointerType === "mouse") svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => event.buttons && event.pointerType === "mouse" && at(event));
    svg.addEventListener("keydown", (event) => {
      const step = this.reading.start.every, far = 10 * step;
      const to = {
        ArrowRight: this.time + step, ArrowUp: this.time + step, ArrowLeft: this.time - step, ArrowDown: this.time - step,
        PageUp: this.time + far, PageDown: this.time - far, Home: 0, End: this.seconds,
      }[event.key];
      if (event.key === " ") audio.paused ? audio.play().catch(() => {}) : audio.pause();
      else if (to === undefined) return;
      else this.move(to, true);
      this.follow(scale(this.seconds, this.width).x(this.time));
      event.preventDefault();
    });
    const tick = () => {
      if (!this.reading) return;
      this.move(audio.currentTime);
      this.follow(scale(this.seconds, this.width).x(this.time));
      if (!audio.paused) requestAnimationFrame(tick);
    };
    audio.addEventListener("play", tick);
    audio.addEventListener("seeked", tick);
    audio.addEventListener("error", () => (byId("unplayable").hidden = !this.reading));
    byId("zoom").addEventListener("change", () => {
      this.draw();
      this.follow(scale(this.seconds, this.width).x(this.time));
    });
    byId("numbers").addEventListener("toggle", () => this.reading && this.fillTable());
    byId("more").addEventListener("click", () => this.fillTable(ROWS));
    let room = 0;
    new ResizeObserver(() => {
      if (this.reading?.windows.length && byId("scroll").clientWidth !== room) this.draw();
      room = byId("scroll").clientWidth;
    }).observe(byId("scroll"));
  }
}

const swatch = (colour) => {
  const svg = mark("svg", { viewBox: "0 0 12 12", class: "swatch", "aria-hidden": "true" });
  svg.append(mark("rect", { width: 12, height: 12, rx: 2, fill: colour }));
  return svg;
};

const dash = (i) => {
  const svg = mark("svg", { viewBox: "0 0 24 12", class: "dash", "aria-hidden": "true" });
  svg.append(mark("line", { x1: 0, x2: 24, y1: 6, y2: 6, class: `rating rating-${i % 3}`, "stroke-dasharray": DASHES[i % 3] }));
  return svg;
};
