"use strict";
// Sorting, filtering, tooltips and the way from point to point. The page says all without it.
(() => {
  document.documentElement.classList.add("js");
  const all = (where, what) => Array.from(where.querySelectorAll(what));

  const byValue = (index, sign) => (one, other) => {
    const [a, b] = [one, other].map((row) => row.cells[index].dataset.value);
    if (a === "" || b === "") return (a === "") - (b === ""); // What is absent stays last.
    const order = isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
    return sign * order;
  };

  const sort = (table, heading) => {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of all(table, "thead th")) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = table.tBodies[0];
    body.append(...Array.from(body.rows).sort(byValue(heading.cellIndex, up ? 1 : -1)));
  };

  const filter = (section) => {
    const words = section.querySelector(".filter").value.toLowerCase().split(/\s+/);
    const left = new Set(all(section, ".toggle[aria-pressed=false]").map((one) => one.dataset.role));
    const rows = Array.from(section.querySelector(".grid").tBodies[0].rows);
    const kept = new Set();
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = left.has(row.dataset.role) || !words.every((word) => text.includes(word));
      if (!row.hidden) kept.add(row.dataset.key);
    }
    for (const mark of all(section, "svg [data-key]")) mark.classList.toggle("off", !kept.has(mark.dataset.key));
    section.querySelector("output").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  };

  for (const section of all(document, "section.task")) {
    const table = section.querySelector(".grid");
    for (const heading of all(table, "thead th"))
      heading.firstElementChild.addEventListener("click", () => sort(table, heading));
    section.querySelector(".filter").addEventListener("input", () => filter(section));
    for (const toggle of all(section, ".toggle"))
      toggle.addEventListener("click", () => {
        toggle.setAttribute("aria-pressed", String(toggle.getAttribute("aria-pressed") !== "true"));
        filter(section);
      });
    filter(section);
  }

  const tip = document.getElementById("tip");
  const light = (point, on) => {
    const section = point.closest("section");
    for (const one of all(section, "tr[data-key], .point"))
      if (one.dataset.key === point.dataset.key) one.classList.toggle("lit", on);
  };
  const show = (point) => {
    tip.textContent = point.getAttribute("aria-label");
    tip.hidden = false;
    const [mark, box] = [point.getBoundingClientRect(), tip.getBoundingClientRect()];
    const left = Math.min(Math.max(4, mark.left + mark.width / 2 - box.width / 2), innerWidth - box.width - 4);
    const above = mark.top - box.height - 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 4 ? above : mark.bottom + 8}px`;
    light(point, true);
  };
  const hide = (point) => {
    tip.hidden = true;
    light(point, false);
  };

  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  for (const plot of all(document, "svg.plot")) {
    const points = all(plot, ".point");
    for (const point of points) {
      for (const event of ["pointerenter", "focus"]) point.addEventListener(event, () => show(point));
      for (const event of ["pointerleave", "blur"]) point.addEventListener(event, () => hide(point));
      point.addEventListener("keydown", (event) => {
        if (event.key === "Escape") hide(point);
        const shown = points.filter((one) => !one.classList.contains("off"));
        const next = shown[(shown.indexOf(point) + steps[event.key] + shown.length) % shown.length];
        if (!(event.key in steps) || !next) return;
        event.preventDefault();
        point.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      });
    }
  }

  // On paper nothing can be unfolded: what a claim rests on comes last, so that all claims come first.
  const opened = [];
  const evidence = document.getElementById("evidence");
  const append = (claim) => {
    const heading = document.createElement("h3");
    heading.textContent = claim.querySelector("summary strong").textContent;
    const parts = Array.from(claim.querySelector("details").children).slice(1);
    evidence.append(heading, ...parts.map((one) => one.cloneNode(true)));
  };
  const prepare = () => {
    if (!evidence.hidden) return;
    all(document, ".claims li").forEach(append);
    evidence.hidden = false;
    for (const one of all(document, "details:not([open], .folded)")) {
      if (one.closest(".claims")) continue;
      one.open = true;
      opened.push(one);
    }
  };
  const restore = () => {
    while (evidence.children.length > 1) evidence.lastElementChild.remove();
    evidence.hidden = true;
    for (const one of opened.splice(0)) one.open = false;
  };
  addEventListener("beforeprint", prepare);
  addEventListener("afterprint", restore);
})();
