// Names for the theme's controls that have none, and tables that scroll by keyboard.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll(".bd-sidebar-primary details > summary")) {
    const link = summary.parentElement.parentElement.querySelector("a");
    summary.setAttribute("aria-label", `Pages of ${link ? link.textContent.trim() : "this part"}`);
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
