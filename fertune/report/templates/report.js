"use strict";
(() => {
  const all = (q, root = document) => [...root.querySelectorAll(q)];
  const said = document.getElementById("said");
  for (const table of all("table.sortable")) {
    const heads = all("thead th", table), body = table.tBodies[0];
    [...body.rows].forEach((row, i) => { row.dataset.i = i; });
    heads.forEach((head, at) => head.firstElementChild.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const sign = down ? -1 : 1;
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [row.cells[at].dataset.v, row]);
      const numeric = rows.every(([v]) => v === "" || !isNaN(v));
      rows.sort(([a, x], [b, y]) => {
        if (a === "" || b === "") return (a === "") - (b === "") || x.dataset.i - y.dataset.i;
        const order = numeric ? a - b : a < b ? -1 : a > b ? 1 : 0;
        return sign * order || x.dataset.i - y.dataset.i;
      });
      rows.forEach(([, row]) => { row.classList.remove("rule", "part"); body.append(row); });
      said.textContent = `Sorted by ${head.textContent.trim()}, ${down ? "descending" : "ascending"}`;
    }));
  }
  for (const button of all("button.all")) {
    button.addEventListener("click", () => {
      const on = button.parentElement.classList.toggle("every");
      button.setAttribute("aria-pressed", on);
      button.textContent = on ? "Fewer columns" : "All columns";
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
        said.textContent = "selected";
      }
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }
  const light = (trial) => {
    all(".lit").forEach((e) => e.classList.remove("lit"));
    all("#curves .dim, #parallel .dim, #progress .dim, #rungs .dim").forEach((e) => e.classList.remove("dim"));
    if (trial === undefined) return;
    all(`[data-trial="${trial}"]`).forEach((e) => {
      e.classList.add("lit");
      const svg = e.closest("svg");
      if (svg) svg.classList.add("dim");
    });
  };
  document.addEventListener("pointerover", (event) => {
    const one = event.target.closest("[data-trial]");
    light(one ? one.dataset.trial : undefined);
  });
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open]):not(.menu)");
    opened.forEach((d) => { d.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((d) => { d.open = false; }));
})();
