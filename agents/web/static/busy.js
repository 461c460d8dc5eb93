// A form that is being sent says so, and is not sent a second time meanwhile.
const isForm = (element) => element.matches?.("form");

/** Watch the forms of all pages. */
export const watchForms = () => {
  const { body } = document;
  // Before htmx hears of it.
  body.addEventListener("submit", (event) => {
    if (event.target.getAttribute("aria-busy") !== "true") return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  body.addEventListener("htmx:beforeRequest", ({ target }) => isForm(target) && target.setAttribute("aria-busy", "true"));
  body.addEventListener("htmx:afterRequest", ({ target }) => isForm(target) && target.removeAttribute("aria-busy"));
};
