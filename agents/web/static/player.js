// Embedded players. No request goes to another site before the reader presses play; only then YouTube's frame is
// created. A link with data-play="SECONDS" plays from there, in its quote or in the page's player; without this
// script, or without a player, it opens the source at that second.
import { say } from "./live.js";

const clock = (seconds) => {
  const [hour, minute, second] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  const padded = String(second).padStart(2, "0");
  return hour ? `${hour}:${String(minute).padStart(2, "0")}:${padded}` : `${minute}:${padded}`;
};

/** Play in a stage from a second on: in a new YouTube frame, or in the stage's media element, created once. */
const fill = (stage, { kind, address, title }, second) => {
  if (kind === "youtube") {
    const frame = document.createElement("iframe");
    frame.src = `${address}?start=${second}&autoplay=1&rel=0`;
    frame.title = title;
    frame.allow = "autoplay; encrypted-media; picture-in-picture; fullscreen";
    frame.referrerPolicy = "strict-origin-when-cross-origin";
    stage.replaceChildren(frame);
    return;
  }
  let media = stage.querySelector("audio, video");
  if (!media) {
    media = document.createElement(kind);
    media.controls = true;
    media.src = address;
    media.setAttribute("aria-label", title);
    stage.replaceChildren(media);
  }
  media.currentTime = second;
  media.play().catch((error) => say(`This talk cannot be played here: ${error.message}`));
};

/** Return the stage of a quote, created on first use. */
const stageOf = (quote) => {
  const made = document.createElement("div");
  made.className = "stage";
  return quote.querySelector(".stage") ?? quote.appendChild(made);
};

const play = (moment) => {
  const quote = moment.closest("figure[data-hear]");
  const player = quote ?? document.querySelector("[data-player]");
  if (!player) return false;
  const { hear: kind, address } = player.dataset;
  const title = player.dataset.title ?? player.querySelector("cite")?.textContent ?? "";
  const second = Number(moment.dataset.play);
  fill(quote ? stageOf(quote) : player.querySelector(".stage"), { kind, address, title: title.slice(0, 200) }, second);
  say(`Playing from ${clock(second)}`);
  const room = player.getBoundingClientRect();
  if (!quote && (room.bottom < 0 || room.top > innerHeight)) player.scrollIntoView({ block: "start" });
  return true;
};

// In the capture phase, before the browser follows the link or htmx handles it.
document.addEventListener("click", (event) => {
  const moment = event.target.closest?.("[data-play]");
  if (!moment || event.ctrlKey || event.metaKey || event.shiftKey || event.button || !play(moment)) return;
  event.preventDefault();
  event.stopPropagation();
}, true);

/** Show the buttons that need this script. */
export const readyPlayer = (root) => {
  for (const start of root.querySelectorAll("button[data-play]")) start.hidden = false;
};
