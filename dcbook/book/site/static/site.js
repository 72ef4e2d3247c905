// What the theme lacks: names of controls, tables that scroll by keyboard, a search that works from the disk.
"use strict";
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false; // it is fetched, from servers only
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll(".bd-sidebar-primary details > summary")) {
    const link = summary.parentElement.parentElement.querySelector("a");
    summary.setAttribute("aria-label", `Pages of ${link ? link.textContent.trim() : "this part"}`);
  }
  for (const parameters of document.querySelectorAll("dt.sig > dl")) {
    parameters.setAttribute("role", "list"); // terms without definitions, as Sphinx writes a signature of several lines
    for (const each of parameters.children) each.setAttribute("role", "listitem");
  }
  for (const table of document.querySelectorAll(".bd-article table")) {
    const holder = table.closest(".pst-scrollable-table-container, .output, .dc-table") || table.parentElement;
    if (holder.scrollWidth > holder.clientWidth + 1) {
      holder.tabIndex = 0;
      holder.setAttribute("role", "region");
      holder.setAttribute("aria-label", "Table");
    }
  }
});
