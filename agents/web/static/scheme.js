// Applies the reader's choice of light or dark, or else the system's. It runs before the first paint, so it is not a module.
(() => {
  const kept = (() => { try { return localStorage.getItem("scheme"); } catch { return null; } })();
  if (kept === "light" || kept === "dark") document.documentElement.dataset.scheme = kept;
})();
