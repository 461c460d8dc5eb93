// Links and forms load their page without a reload. A link becomes htmx's when it is followed: htmx takes some 0.1 ms to prepare a
// link and to clean up after it, and a table can have a thousand of them.
import { forgetCharts } from "./charts.js";

const EXCEPT = "[hx-boost=false], [hx-boost=false] *";

const boost = (element) => {
  if (element.matches(EXCEPT)) return;
  element.setAttribute("hx-boost", "true");
};

/** Watch the links and forms of all pages. */
export const watchLinks = () => {
  const { body } = document;
  // In the capture phase, so that what htmx adds to the link here gets this click.
  body.addEventListener("click", ({ target }) => {
    const link = target.closest("a[href]:not([hx-boost])");
    if (!link) return;
    boost(link);
    globalThis.htmx?.process(link);
  }, true);
  body.addEventListener("htmx:beforeProcessNode", ({ target }) => {
    if (target.matches("form:not([hx-boost])")) boost(target);
  });
};

/** Empty the page that another one replaces: htmx would clean up its elements one by one. What waits for an event or a time sees that it is gone. */
export const leavePage = () => {
  document.activeElement?.blur(); // removing what has the focus would lay out both pages first
  const main = document.querySelector("main");
  forgetCharts(main);
  main.replaceChildren();
};
