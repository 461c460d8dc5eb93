// A form that is sent after the session has expired: it is kept in this tab while its writer signs in again, and filled in
// again on its page. It is sent only when the writer sends it again.
import { say } from "./live.js";

const KEPT = "kept form";
const here = () => location.pathname + location.search;
const mine = (form) => [...form.querySelectorAll("input[type=hidden]:not([name=csrf])")].map(({ name, value }) => [name, value]);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Keep the form of a refused request and go to the sign-in; return whether that was possible. */
export const keepForm = (form, submitter) => {
  if (!form?.matches("main form[method=post]:not([action^='/login'])")) return false;
  const fields = [...new FormData(form)].filter(([name, value]) => name !== "csrf" && typeof value === "string");
  const kept = { page: here(), action: form.getAttribute("action"), hidden: mine(form), fields, button: submitter?.textContent ?? "" };
  try { sessionStorage.setItem(KEPT, JSON.stringify(kept)); } catch { return false; }
  location.assign(`/login?next=${encodeURIComponent(here())}`);
  return true;
};

const fill = (form, fields) => {
  const left = new Map();
  for (const [name, value] of fields) left.set(name, [...(left.get(name) ?? []), value]);
  for (const field of form.elements) {
    if (!field.name || field.type === "hidden" || field.type === "submit") continue;
    const values = left.get(field.name) ?? [];
    if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
    else if (values.length) field.value = values.shift();
  }
};

/** Fill in the form that was kept on this page, if there is one. */
export const fillKeptForm = () => {
  let kept;
  try { kept = JSON.parse(sessionStorage.getItem(KEPT)); } catch { return; }
  if (kept && location.pathname === "/login") say("You are no longer signed in, so nothing was changed. Sign in again: your form is kept.", { stays: true });
  if (kept?.page !== here()) return;
  sessionStorage.removeItem(KEPT);
  const alike = [...document.querySelectorAll("main form[method=post]")].filter((form) => form.getAttribute("action") === kept.action);
  // Of several forms the one with the same hidden fields; a revision in them may have moved on meanwhile.
  const form = alike.length === 1 ? alike[0] : alike.find((each) => same(mine(each), kept.hidden));
  if (!form) return;
  fill(form, kept.fields);
  const buttons = [...form.querySelectorAll("button")];
  (buttons.find((button) => button.textContent === kept.button) ?? buttons[0])?.focus();
  say("You are signed in again, and the form is as you left it. Send it again.", { stays: true });
};
