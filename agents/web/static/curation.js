// Shortcut keys of the review pages: one letter per field, shown next to it. They are inactive while somebody types and can
// be switched off, because single-key shortcuts can be triggered by accident (WCAG 2.1.4).
const KEPT = "shortcuts";
const WRITES = "input:not([type=radio]):not([type=checkbox]), select, textarea, [contenteditable]";

const wanted = () => {
  try { return localStorage.getItem(KEPT) !== "off"; } catch { return true; }
};

const press = (element) => {
  if (element.matches("select, input:not([type=radio])")) element.focus();
  else {
    if (element.matches("input")) element.focus();
    element.click();
  }
};

document.addEventListener("keydown", (event) => {
  const form = document.querySelector("form[data-shortcuts]");
  if (!form || !wanted() || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest(WRITES) || (event.key === "Enter" && event.target.closest("a, button, summary"))) return;
  const meant = form.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!meant) return;
  event.preventDefault();
  press(meant);
});

export const showShortcuts = (root) => {
  const form = root.querySelector?.("form[data-shortcuts]");
  if (!form) return;
  const box = form.querySelector("[data-shortcuts-on]");
  const show = () => form.querySelectorAll("kbd").forEach((key) => { key.hidden = !box.checked; });
  box.checked = wanted();
  box.closest("label").hidden = false;
  box.addEventListener("change", () => {
    try { localStorage.setItem(KEPT, box.checked ? "on" : "off"); } catch { /* no storage in private windows */ }
    show();
  });
  show();
};
