"use strict";
(() => {
  const all = (q, root = document) => [...root.querySelectorAll(q)];
  const said = document.getElementById("said");
  for (const box of all(".table")) {
    const tables = all("table.sortable", box);
    const rows = tables.flatMap((table) => [...table.tBodies[0].rows]);
    rows.forEach((row, i) => { row.dataset.i = i; });
    const shares = tables.map((table) => table.tBodies[0].rows.length);
    const sort = (at, name, down) => {
      const sign = down ? -1 : 1;
      const pairs = rows.map((row) => [row.cells[at].dataset.v, row]);
      const numeric = pairs.every(([v]) => v === "" || !isNaN(v));
      pairs.sort(([a, x], [b, y]) => {
        if (a === "" || b === "") return (a === "") - (b === "") || x.dataset.i - y.dataset.i;
        const order = numeric ? a - b : a < b ? -1 : a > b ? 1 : 0;
        return sign * order || x.dataset.i - y.dataset.i;
      });
      tables.forEach((table, t) => {
        pairs.splice(0, shares[t]).forEach(([, row]) => {
          row.classList.remove("rule", "part");
          table.tBodies[0].append(row);
        });
        all("thead th", table).forEach((head, i) => {
          if (i === at) head.setAttribute("aria-sort", down ? "descending" : "ascending");
          else head.removeAttribute("aria-sort");
        });
      });
      said.textContent = `Sorted by ${name}, ${down ? "descending" : "ascending"}`;
    };
    for (const table of tables) {
      all("thead th", table).forEach((head, at) => head.firstElementChild.addEventListener("click", () =>
        sort(at, head.textContent.trim(), head.getAttribute("aria-sort") === "ascending")));
    }
  }
  const reach = () => all(".scroll").forEach((e) => e.classList.toggle("over", e.scrollWidth > e.clientWidth + 1));
  reach();
  addEventListener("resize", reach);
  document.addEventListener("toggle", reach, true);
  for (const button of all("button.all")) {
    button.addEventListener("click", () => {
      const on = button.parentElement.classList.toggle("every");
      button.setAttribute("aria-pressed", on);
      said.textContent = on ? "All columns are shown" : "Fewer columns are shown";
      reach();
    });
  }
  for (const button of all("button.copy")) {
    button.addEventListener("click", async () => {
      const code = button.previousElementSibling;
      try {
        await navigator.clipboard.writeText(code.textContent);
        said.textContent = button.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(code);
        said.textContent = button.textContent = "selected";
      }
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }
  let lit, pinned;
  const light = (trial) => {
    if (trial === lit) return;
    lit = trial;
    all(".lit, .dim").forEach((e) => e.classList.remove("lit", "dim"));
    if (trial === undefined) return;
    all(`[data-trial="${trial}"]`).forEach((e) => {
      e.classList.add("lit");
      const svg = e.closest("svg");
      if (svg) svg.classList.add("dim");
    });
  };
  const trialOf = (event) => event.target.closest("[data-trial]")?.dataset.trial;
  document.addEventListener("pointerover", (event) => light(trialOf(event) ?? pinned));
  document.addEventListener("click", (event) => {
    const trial = trialOf(event);
    if (trial === undefined) return;
    pinned = trial === pinned ? undefined : trial;
    said.textContent = pinned === undefined ? "No trial is marked" : `Trial ${trial} is marked in all sections`;
    light(pinned);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") light(pinned = undefined);
  });
  const places = new Map(all(".side a").map((a) => [a.hash.slice(1), a]));
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    const link = places.get(entry.target.id);
    if (!entry.isIntersecting || !link) return;
    places.forEach((a) => a.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "true");
  }), { rootMargin: "-20% 0px -75% 0px" });
  all("main > section").forEach((section) => seen.observe(section));
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open]):not(.menu)");
    opened.forEach((d) => { d.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((d) => { d.open = false; }));
})();
