// The button that switches between light and dark.
const root = document.documentElement;

export const isDark = () =>
  root.dataset.scheme ? root.dataset.scheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

export const onScheme = (changed) => {
  addEventListener("scheme", changed);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
};

export const showScheme = (within) => {
  for (const button of within.querySelectorAll("[data-scheme-toggle]")) {
    // Runs more than once per page: on load, and when htmx has processed it.
    if (!button.hidden) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.scheme = isDark() ? "light" : "dark";
      try { localStorage.setItem("scheme", root.dataset.scheme); } catch { /* no storage in private windows */ }
      dispatchEvent(new Event("scheme"));
    });
  }
};
