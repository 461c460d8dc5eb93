// Light or dark, as the reader chose; before the first paint, hence not a module. Nothing chosen: as the system has it.
(() => {
  const kept = (() => { try { return localStorage.getItem("scheme"); } catch { return null; } })();
  if (kept === "light" || kept === "dark") document.documentElement.dataset.scheme = kept;
})();
