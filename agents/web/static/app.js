// Client-side behaviour of all pages. The parts are independent, and every page is readable without scripts.
import { showScheme } from "./switch.js";
import { leavePage, watchLinks } from "./boost.js";
import { watchForms } from "./busy.js";
import { drawCharts, forgetCharts } from "./charts.js";
import { listen } from "./live.js";
import { showShortcuts } from "./curation.js";
import { fillKeptForm, keepForm } from "./kept_form.js";
import { readyPlayer } from "./player.js";
import { watchSending } from "./sending_files.js";

// On a narrow screen the pages are one row that scrolls: the current one shall be in view.
const showSection = (root) => {
  const current = matchMedia("(max-width: 44rem)").matches && root.querySelector(".sections [aria-current]");
  const row = current && current.closest("ul");
  if (row) row.scrollLeft = current.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
};

const begin = (root) => {
  showScheme(root);
  showSection(root);
  showShortcuts(root);
  drawCharts(root);
  readyPlayer(root);
};

document.body.addEventListener("htmx:load", (event) => begin(event.detail.elt));
document.body.addEventListener("htmx:beforeCleanupElement", (event) => forgetCharts(event.detail.elt));
document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const sent = detail.requestConfig;
  if (detail.xhr.status === 401 && keepForm(sent?.elt?.closest("form"), sent?.triggeringEvent?.submitter)) {
    detail.shouldSwap = false;
    return;
  }
  if (detail.boosted && detail.shouldSwap) leavePage();
});
document.body.addEventListener("htmx:afterSettle", (event) => {
  // After a boosted navigation, screen readers and the Tab key start at the content.
  const { boosted, pathInfo } = event.detail;
  if (!boosted) return;
  document.getElementById("content")?.focus({ preventScroll: true });
  // Scroll here instead of in htmx: scrolling before the charts are drawn would lay out the page twice.
  if (!pathInfo.anchor) scrollTo(0, 0);
  fillKeptForm();
});
begin(document);
fillKeptForm();
watchLinks();
watchForms();
watchSending();
listen();
