(() => {
  const svg = "http://www.w3.org/2000/svg", boxes = [...document.querySelectorAll(".scatter")];
  // Colours of every mark by each way to colour; one behind an "o" is hollow.
  boxes.forEach((box, number) => {
    const choice = box.querySelector(".colours"), marks = [...box.querySelectorAll("[data-colours]")];
    if (!choice) return;
    choice.hidden = false;
    choice.addEventListener("change", event => {
      const place = Number(event.target.value);
      for (const mark of marks) {
        const given = mark.dataset.colours.split(" ")[place], hollow = given.startsWith("o");
        const colour = hollow ? given.slice(1) : given, path = mark.querySelector("path");
        mark.setAttribute("fill", colour);
        mark.setAttribute("stroke", colour);
        path.setAttribute("fill-opacity", hollow ? 0 : .75);
        path.setAttribute("stroke-width", hollow ? 1.8 : 0);
      }
      for (const key of box.querySelectorAll("[data-colour]")) key.hidden = Number(key.dataset.colour) !== place;
    });
    choice.querySelectorAll("input").forEach(input => { input.name = `colours-${number}`; });
  });
  // What is pointed at: a title of its own, made when it is wanted, and a line below the map.
  const markOf = event => event.target.closest("[data-colours]");
  for (const box of boxes) {
    box.addEventListener("pointerover", event => {
      const mark = markOf(event), line = box.querySelector(".told") || document.getElementById("told");
      if (!mark) return;
      if (!mark.querySelector("title")) {
        const title = document.createElementNS(svg, "title");
        title.textContent = mark.dataset.told;
        mark.prepend(title);
      }
      if (line) line.textContent = mark.dataset.told;
    });
  }
  const audio = document.getElementById("audio");
  if (audio) boxes.forEach(listen);

  function listen(section) {
  const told = document.getElementById("told"), playing = document.getElementById("playing");
  const of = link => [...link.closest("svg").querySelectorAll("a")];
  const tip = mark => (mark.closest("[data-told]") || mark.querySelector("[data-told]")).dataset.told;
  const middle = link => {
    const box = link.querySelector("circle").getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const play = link => {
    const href = link.getAttribute("href");
    for (const other of document.querySelectorAll(".scatter svg a")) other.classList.toggle("on", other.getAttribute("href") === href);
    playing.textContent = "Clip: " + tip(link);
    told.textContent = "";
    audio.src = href;
    audio.play().catch(() => {});
  };
  const stop = () => { audio.pause(); if (audio.src) audio.currentTime = 0; };
  const nearest = (links, x, y, cost) => {
    let found = null, least = Infinity;
    links.forEach((link, i) => {
      const [across, down] = middle(link), price = cost(across - x, down - y, i);
      if (price < least) { found = link; least = price; }
    });
    return [found, least];
  };
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  // The nearest one in a direction counts double what lies aside; marks on one spot follow in their order.
  const next = (links, from, [dx, dy]) => {
    const [x, y] = middle(from), own = links.indexOf(from);
    return nearest(links, x, y, (across, down, i) => {
      const along = across * dx + down * dy, aside = Math.abs(across * dy + down * dx);
      const after = along > 0.01 || (Math.abs(along) + aside < 0.01 && (i - own) * (dx + dy) > 0);
      return after && i !== own ? Math.max(along, 0) + 2 * aside : Infinity;
    })[0];
  };
  // One stop for the Tab key a map: the mark that had the focus last.
  const only = link => of(link).forEach(each => each.setAttribute("tabindex", each === link ? 0 : -1));
  section.querySelectorAll("svg[role=group]").forEach(svg => only(svg.querySelector("a")));
  // Listened to from outside the maps: a map that listens to the focus takes it itself.
  section.addEventListener("focusin", event => {
    const link = event.target.closest("svg a");
    if (link) { only(link); told.textContent = tip(link); }
  });
  section.addEventListener("keydown", event => {
    const link = event.target.closest("svg a");
    if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") play(link);
    else if (ways[event.key]) next(of(link), link, ways[event.key])?.focus();
    else return;
    event.preventDefault();
  });
  section.addEventListener("click", event => {
    const map = event.target.closest("svg[role=group]"), mark = markOf(event);
    if (!map || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // A finger that meets no mark means the one beside it.
    const far = (across, down) => Math.hypot(across, down);
    const [near, least] = nearest([...map.querySelectorAll("a")], event.clientX, event.clientY, far);
    const link = mark ? mark.closest("a") : least < 24 ? near : null;
    if (!link) return;
    event.preventDefault();
    link.focus({ preventScroll: true });
    play(link);
  });
  document.addEventListener("keydown", event => { if (event.key === "Escape") stop(); });
  audio.addEventListener("error", () => { playing.textContent = "This clip cannot be played: " + audio.getAttribute("src"); });
  document.getElementById("player").hidden = false;
  }
})();
