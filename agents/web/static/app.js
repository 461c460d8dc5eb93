// What pages do in the browser. Each part works on its own, and every page can be read without any of them.
import { showScheme } from "./switch.js";
import { drawCharts, forgetCharts } from "./charts.js";
import { listen } from "./live.js";
import { showShortcuts } from "./curation.js";
import { readyPlayer } from "./player.js";

const begin = (root) => {
  showScheme(root);
  showShortcuts(root);
  drawCharts(root);
  readyPlayer(root);
};

document.body.addEventListener("htmx:load", (event) => begin(event.detail.elt));
document.body.addEventListener("htmx:beforeCleanupElement", (event) => forgetCharts(event.detail.elt));
document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
  // htmx tells each element that goes, one by one; thousands of cells have nothing to hear and would be waited for.
  if (!detail.boosted || !detail.shouldSwap) return;
  for (const table of document.querySelectorAll("main table")) table.remove();
});
document.body.addEventListener("htmx:afterSettle", (event) => {
  // A page that came without a reload begins, for who listens or tabs, at its content.
  const { boosted, pathInfo } = event.detail;
  if (!boosted) return;
  document.getElementById("content")?.focus({ preventScroll: true });
  // Here and not by htmx: before its charts are drawn, to scroll would be to lay the page out twice.
  if (!pathInfo.anchor) scrollTo(0, 0);
});
begin(document);
listen();
