// Live updates: /live sends events, and the parts of a page with hx-trigger="live:talks from:body" (or live:alerts)
// reload themselves.
//
// Only a visible page listens: browsers limit connections per server, and hidden tabs would use them up. When a page
// becomes visible again it sends its last cursor and gets the events that it missed.
const STALE_AFTER_MS = 15_000;
const AGAIN_AFTER_MS = 10_000;
const SHOWN_MS = 8_000;
const KINDS = ["talks", "alerts", "codebook"];

let stream = null;
let since = "";
let gone = null;
let again = null;
let quiet = null;

/** Show a message to the reader; it disappears after a while unless `stays` is set. */
export const say = (text, { stays = false } = {}) => {
  const said = document.getElementById("said");
  if (!said) return;
  said.textContent = text;
  clearTimeout(quiet);
  if (text && !stays) quiet = setTimeout(() => { said.textContent = ""; }, SHOWN_MS);
};

const stale = (text) => {
  document.documentElement.dataset.stale = "";
  say(text, { stays: true });
};

const lookAgain = () => {
  for (const kind of KINDS) document.body.dispatchEvent(new Event(`live:${kind}`));
};

const fresh = () => {
  clearTimeout(gone);
  gone = null;
  if (document.documentElement.dataset.stale === undefined) return;
  delete document.documentElement.dataset.stale;
  say("");
  lookAgain();
};

const lost = () => {
  const when = new Date().toLocaleTimeString([], { timeStyle: "short" });
  gone ??= setTimeout(() => stale(`Groundswell does not answer. This page shows data from ${when} or earlier.`), STALE_AFTER_MS);
  if (stream?.readyState === EventSource.CLOSED) {
    // The connection was refused (too many pages, or a proxy in front of a starting server). The browser does not retry, so we do.
    close();
    again = setTimeout(open, AGAIN_AFTER_MS);
  }
};

const said = (event) => {
  since = event.lastEventId || since;
  return (event.data && JSON.parse(event.data).said) || "";
};

const close = () => {
  clearTimeout(again);
  stream?.close();
  stream = null;
};

const open = () => {
  close();
  if (document.hidden) return;
  stream = new EventSource(since ? `/live?since=${encodeURIComponent(since)}` : "/live");
  stream.addEventListener("open", fresh);
  stream.addEventListener("error", lost);
  stream.addEventListener("here", said);
  stream.addEventListener("database", (event) => {
    const trouble = said(event);
    if (trouble) stale(trouble);
    else fresh();
  });
  for (const kind of KINDS) {
    stream.addEventListener(kind, (event) => {
      const text = said(event);
      document.body.dispatchEvent(new Event(`live:${kind}`));
      if (text) say(text);
    });
  }
};

export const listen = () => {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      clearTimeout(gone);
      gone = null;
      close();
    } else if (stream === null) {
      open();
      if (!since) lookAgain(); // it was hidden before it received a cursor
    }
  });
  // A page in the browser's back/forward cache must not hold its connection.
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  open();
};
