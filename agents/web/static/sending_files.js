// Forms that send files: their size is checked before they are sent, and a bar shows how much has arrived.
import { say } from "./live.js";

const sends = (element) => element?.closest?.("form.sends-files");
const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: bytes < 1e7 ? 1 : 0 })} MB`;

const check = (form) => {
  const files = form.querySelector("input[type=file]");
  const size = [...files.files].reduce((sum, file) => sum + file.size, 0);
  const most = Number(form.dataset.mostMb) * 1e6;
  files.setCustomValidity(size > most ? `These files have ${megabytes(size)}, more than the ${megabytes(most)} of one upload. Choose fewer.` : "");
};

const show = (form, { loaded, total }) => {
  const line = form.querySelector(".sending");
  const [bar, words] = line.children;
  line.hidden = false;
  if (loaded < total) {
    bar.value = loaded / total;
    words.textContent = `${megabytes(loaded)} of ${megabytes(total)} sent`;
  } else {
    bar.removeAttribute("value");
    words.textContent = "All sent. The files are being checked …";
  }
};

const stopped = (form) => {
  form.querySelector(".sending").hidden = true;
  say("The files could not be sent, and nothing was added. Check the connection, and try again.", { stays: true });
};

/** Watch the forms of all pages that send files. */
export const watchSending = () => {
  const { body } = document;
  body.addEventListener("change", ({ target }) => sends(target) && check(sends(target)));
  body.addEventListener("htmx:xhr:progress", ({ target, detail }) => {
    // The progress of the answer is told by the same event.
    const bar = sends(target)?.querySelector(".sending progress");
    if (bar?.hasAttribute("value") && detail.total) show(sends(target), detail);
  });
  body.addEventListener("htmx:sendError", ({ target }) => sends(target) && stopped(sends(target)));
};
