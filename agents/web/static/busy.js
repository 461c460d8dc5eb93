// A form that is being sent says so. One that changes something is not sent a second time meanwhile; a search is, with other words.
const isForm = (element) => element.matches?.("form");

/** Watch the forms of all pages. */
export const watchForms = () => {
  const { body } = document;
  // Before htmx hears of it.
  body.addEventListener("submit", (event) => {
    if (!event.target.matches("[method=post][aria-busy=true]")) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  body.addEventListener("htmx:beforeRequest", ({ target }) => isForm(target) && target.setAttribute("aria-busy", "true"));
  body.addEventListener("htmx:afterRequest", ({ target }) => isForm(target) && target.removeAttribute("aria-busy"));
};
