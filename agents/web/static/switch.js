// The button that changes between light and dark.
const root = document.documentElement;

export const isDark = () =>
  root.dataset.scheme ? root.dataset.scheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

export const onScheme = (changed) => {
  addEventListener("scheme", changed);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
};

export const showScheme = (within) => {
  for (const button of within.querySelectorAll("[data-scheme-toggle]")) {
    // A page begins more than once: by itself, and when htmx has read it.
    if (!button.hidden) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.scheme = isDark() ? "light" : "dark";
      try { localStorage.setItem("scheme", root.dataset.scheme); } catch { /* private windows keep nothing */ }
      dispatchEvent(new Event("scheme"));
    });
  }
};
