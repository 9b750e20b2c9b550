(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  document.documentElement.classList.add("js");
  all(".tools").forEach(tools => { tools.hidden = false; });

  // What is folded opens where an address leads into it, by the buttons, and on paper.
  const folds = all("main details:not(.chip)");
  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1)), target = id && document.getElementById(id);
    if (!target) return;
    const own = target.matches("section") ? target.querySelector(":scope > details.fold") : null;
    for (let at = own || target; at; at = at.parentElement) {
      if (at.matches("details")) at.open = true;
      if (at.matches(".option")) show(at.parentElement, all(":scope > .option", at.parentElement).indexOf(at));
    }
    target.scrollIntoView();
  };
  all("[data-fold]").forEach(button => button.addEventListener("click", () => {
    for (const fold of folds) fold.open = button.dataset.fold === "open";
  }));
  let shut = [];
  addEventListener("beforeprint", () => {
    shut = all("main details:not([open])");
    shut.forEach(fold => { fold.open = true; });
  });
  addEventListener("afterprint", () => shut.forEach(fold => { fold.open = false; }));

  // A switch is a group of radio buttons; without this script its options stand one after the other.
  const show = (box, chosen) => all(":scope > .option", box).forEach((option, i) => {
    option.hidden = i !== chosen;
    const button = box.querySelector(`:scope > fieldset label:nth-of-type(${i + 1}) input`);
    if (button) button.checked = i === chosen;
  });
  all(".switch").forEach((box, place) => {
    const group = document.createElement("fieldset"), legend = document.createElement("legend");
    legend.textContent = box.dataset.name;
    group.append(legend);
    all(":scope > .option", box).forEach((option, i) => {
      const label = document.createElement("label"), button = document.createElement("input");
      Object.assign(button, { type: "radio", name: `switch-${place}` });
      button.addEventListener("change", () => { show(box, i); edges(); });
      label.append(button, option.dataset.label);
      group.append(label);
    });
    box.prepend(group);
    show(box, Number(box.dataset.chosen));
  });

  // The edge of a frame fades where more lies beyond it.
  const edge = frame => {
    const left = frame.scrollLeft > 1, right = frame.scrollLeft + frame.clientWidth < frame.scrollWidth - 1;
    frame.classList.toggle("more-left", left);
    frame.classList.toggle("more-right", right);
  };
  const frames = all(".scroll, .contents .links");
  const edges = () => frames.forEach(edge);
  frames.forEach(frame => frame.addEventListener("scroll", () => edge(frame), { passive: true }));
  addEventListener("resize", edges);
  document.addEventListener("toggle", edges, true);

  // A table as its rows of {text, interval, span}: signs for the eye alone are left out.
  const read = cell => {
    const copy = cell.cloneNode(true);
    all(".hidden, .arrow", copy).forEach(each => each.remove());
    const taken = all("small, .tag", copy).map(each => { each.remove(); return each.textContent.trim(); });
    const interval = taken.find(text => text.startsWith("[")) || "";
    const rest = taken.filter(text => text && text !== interval);
    const text = copy.textContent.replace(/\s+/g, " ").trim();
    return { text: text + (rest.length ? ` (${rest.join(", ")})` : ""), interval, span: cell.colSpan, head: cell.scope };
  };
  const rows = table => all("tr", table).map(row => [...row.cells].map(read));
  const pad = row => row.flatMap(cell => [cell, ...Array(cell.span - 1).fill({ text: "", interval: "" })]);
  const both = cell => [cell.text, cell.interval].filter(Boolean).join(" ");
  const title = row => row.length === 1 && row[0].head === "rowgroup";
  const writers = {
    markdown(table) {
      const line = cells => `| ${cells.map(text => text.replace(/\|/g, "\\|")).join(" | ")} |`;
      const [head, ...body] = rows(table).map(row => pad(row).map((cell, i) => title(row) && !i ? `**${both(cell)}**` : both(cell)));
      return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n") + "\n";
    },
    latex(table) {
      const signs = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "−": "$-$", "→": "$\\to$", "κ": "$\\kappa$", "·": "$\\cdot$" };
      const safe = text => text.replace(/[\\~^−→κ·]|[&%$#_{}]/g, sign => signs[sign] || `\\${sign}`);
      const line = row => row.map(cell => cell.span > 1 ? `\\multicolumn{${cell.span}}{l}{${safe(both(cell))}}` : safe(both(cell))).join(" & ") + " \\\\";
      const [head, ...body] = rows(table);
      return [`\\begin{tabular}{${"l".repeat(pad(head).length)}}`, "\\toprule", line(head), "\\midrule", ...body.map(line), "\\bottomrule", "\\end{tabular}"].join("\n") + "\n";
    },
    // An interval's ends are columns of their own, and a title of several rows a column before them.
    csv(table) {
      const [head, ...body] = rows(table).map(row => title(row) ? row : pad(row));
      const wide = head.map((_, i) => body.some(row => !title(row) && row[i] && row[i].interval));
      const grouped = body.some(title);
      const ascii = text => text.replace(/−/g, "-").replace(/\u00a0/g, " ");
      // What a spreadsheet would take for a formula stands behind an apostrophe; numbers stay as they are.
      const formula = text => /^'*\s*[=+\-@＝＋－＠]/.test(text) && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?%?$/i.test(text);
      const neutral = text => formula(text) ? `'${text}` : text;
      const quote = text => /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
      const ends = interval => (interval.match(/^\[(.+), (.+)\]/) || ["", "", ""]).slice(1);
      let group = "";
      const lines = [[...(grouped ? ["group"] : []), ...head.flatMap(({ text }, i) => wide[i] ? [text, `${text} low`, `${text} high`] : [text])]];
      for (const row of body) {
        if (title(row)) group = both(row[0]);
        else lines.push([...(grouped ? [group] : []), ...row.flatMap((cell, i) => wide[i] ? [cell.text, ...ends(cell.interval)] : [both(cell)])]);
      }
      return lines.map(line => line.map(text => quote(neutral(ascii(text)))).join(",")).join("\n") + "\n";
    },
  };
  const copied = async text => {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* not everywhere from a file */ }
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  };
  all("[data-copy]").forEach(button => button.addEventListener("click", async () => {
    let after = button.parentElement.nextElementSibling;
    const table = after.matches("table") ? after : after.querySelector("table");
    const done = await copied(writers[button.dataset.copy](table));
    button.parentElement.querySelector("[role=status]").textContent = done ? `${button.textContent} copied` : "The browser did not allow it.";
    button.focus();
  }));

  // A click on a heading sorts by it: by number where every cell has one, and once more the other way round.
  all("table.sortable").forEach(table => all("thead th", table).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const body = table.tBodies[0], down = head.getAttribute("aria-sort") === "ascending";
      const text = row => row.cells[column].textContent.trim();
      const number = row => parseFloat((text(row).match(/\d+(\.\d+)?/) || [NaN])[0]);
      const all = [...body.rows], dates = all.every(row => /^\d{4}-/.test(text(row)) || !text(row));
      const numeric = !dates && all.every(row => !Number.isNaN(number(row)) || !text(row));
      all.sort((a, b) => (numeric ? number(a) - number(b) : text(a).localeCompare(text(b))) * (down ? -1 : 1));
      table.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...all);
    });
  }));

  // Rows of a list that hold every word that is typed.
  all("table.sortable").forEach(table => {
    const field = document.createElement("input"), label = document.createElement("label"), rest = document.createElement("output");
    Object.assign(field, { type: "search", autocomplete: "off" });
    label.append("Search ", field, " ", rest);
    label.className = "search";
    (table.closest(".scroll") || table).before(label);
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean), rows = [...table.tBodies[0].rows];
      rows.forEach(row => { row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word)); });
      rest.textContent = words.length ? `${rows.filter(row => !row.hidden).length} of ${rows.length}` : "";
    });
  });

  // Which section is being read.
  const links = all(".contents a");
  const seen = new IntersectionObserver(entries => entries.forEach(({ target, isIntersecting }) => {
    if (isIntersecting) links.forEach(link => link.toggleAttribute("aria-current", link.hash === `#${target.id}`));
  }), { rootMargin: "-15% 0px -80% 0px" });
  all("main > section").forEach(section => seen.observe(section));

  addEventListener("hashchange", reveal);
  reveal();
  edges();
})();
