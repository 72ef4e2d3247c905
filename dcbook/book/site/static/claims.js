// The filters of the page "What holds?". Its state is the query of its address: ?verdict=supported,mixed&q=table
"use strict";
(() => {
  const form = document.querySelector(".dc-filters");
  const rows = [...document.querySelectorAll(".dc-claim")];
  const chips = [...form.querySelectorAll(".dc-chip")];
  const search = form.elements.q;
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const groups = [...new Set(chips.map((chip) => chip.dataset.group))];

  const pressed = (chip) => chip.getAttribute("aria-pressed") === "true";
  const press = (chip, on) => chip.setAttribute("aria-pressed", String(on));
  const chosen = (group) => chips.filter((c) => c.dataset.group === group && pressed(c)).map((c) => c.dataset.value);

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = groups.map((group) => [group, chosen(group)]).filter(([, values]) => values.length);
    let n = 0;
    for (const row of rows) {
      const fits = wanted.every(([group, values]) => values.includes(row.dataset[group]));
      row.hidden = !(fits && words.every((word) => texts.get(row).includes(word)));
      n += !row.hidden;
    }
    form.querySelector(".dc-count").textContent = `${n} of ${rows.length}`;
    document.querySelector(".dc-none").hidden = n > 0;
    return wanted;
  }

  function keep() {
    const parts = show().map(([group, values]) => `${group}=${values.map(encodeURIComponent).join(",")}`);
    if (search.value) parts.push(`q=${encodeURIComponent(search.value)}`);
    history.replaceState(null, "", (parts.length ? `?${parts.join("&")}` : location.pathname) + location.hash);
  }

  function restore() {
    const query = new URLSearchParams(location.search);
    search.value = query.get("q") || "";
    for (const chip of chips) press(chip, (query.get(chip.dataset.group) || "").split(",").includes(chip.dataset.value));
    show();
    const target = rows.find((row) => `#${row.id}` === location.hash);
    if (target) {
      target.hidden = false;
      target.querySelector("details")?.setAttribute("open", "");
      target.scrollIntoView();
    }
  }

  for (const chip of chips) chip.addEventListener("click", () => { press(chip, !pressed(chip)); keep(); });
  search.addEventListener("input", keep);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => { for (const chip of chips) press(chip, false); search.value = ""; setTimeout(keep); });
  window.addEventListener("hashchange", restore);
  form.hidden = false;
  restore();
})();
