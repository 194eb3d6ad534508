// htmx: CSRF token, errors as toasts, an ended session asked for in place, our own confirm dialog.
import { confirmAction } from "./confirm.js";
import { csrfToken, pageHeaders } from "./page-headers.js";
import { askToSignIn, isSignInPage } from "./session.js";
import { toast } from "./toast.js";

const words = () => document.getElementById("toasts").dataset;
const isQuiet = (event) => Boolean(event.detail.elt?.closest("[data-quiet]"));

const mustConfirm = (xhr) => xhr.status === 403 && xhr.responseText.includes('"confirm_needed"');

document.addEventListener("htmx:configRequest", (event) => {
  const { headers, parameters } = event.detail;
  // htmx says for itself that it is a script.
  const { "X-Requested-With": _, ...said } = pageHeaders();
  Object.assign(headers, said);
  // The server believes a form's own field before the header, and the one sent again after signing in is old.
  if (parameters.csrfmiddlewaretoken) parameters.csrfmiddlewaretoken = csrfToken();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  const confirms = mustConfirm(xhr);
  if (xhr.status !== 401 && !confirms && !(xhr.responseURL && isSignInPage(xhr.responseURL))) return;
  event.detail.shouldSwap = false;
  if (isQuiet(event)) return;
  askToSignIn({ confirms }).then(() =>
    window.htmx.ajax(requestConfig.verb, requestConfig.path, {
      source: requestConfig.elt,
      target: requestConfig.target,
      values: requestConfig.parameters,
    }),
  );
});

document.addEventListener("htmx:responseError", (event) => {
  if (isQuiet(event)) return;
  const { status } = event.detail.xhr;
  // The dialog that asks for the password says it all.
  if (status === 401 || mustConfirm(event.detail.xhr)) return;
  const text = status === 403 ? words().forbidden : status === 404 ? words().gone : words().failed;
  toast(text, { kind: "error" });
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => isQuiet(event) || toast(words().offline, { kind: "warning" }));
}

document.addEventListener("htmx:confirm", (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  const danger = event.detail.elt.classList.contains("btn-danger");
  confirmAction(event.detail.question, { danger }).then((yes) => yes && event.detail.issueRequest(true));
});

// A view may answer with HX-Trigger: {"toast": {"text": "…", "kind": "success"}}.
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail));
