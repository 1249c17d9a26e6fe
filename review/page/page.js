"use strict";
const AHEAD = 2;             // images that are fetched before they are shown
const RESERVE_EVERY = 20000; // ms; the server reserves a message for 60 s
const element = id => document.getElementById(id);

const waiting = [];  // items that are reserved for this page, the first of which is shown
const decided = [];  // items that were labelled here, the latest last
let labels = [], left = 0, done = 0, busy = false, fetching = false, empty = false;

function tell(text, isError = false) {
  element("status").textContent = text;
  element("status").classList.toggle("error", isError);
}

/* Repeats a request until the server responds: it may be restarted at any time, and every request may be repeated. */
async function request(path, body) {
  for (let wait = 250; ; wait = Math.min(2 * wait, 4000)) {
    try {
      const options = body === undefined ? {} : {method: "POST", body: JSON.stringify(body), headers: {"content-type": "application/json"}};
      const response = await fetch(path, {cache: "no-store", ...options});
      if (response.status < 500) {
        const content = response.headers.get("content-type")?.startsWith("application/json") ? await response.json() : {error: await response.text()};
        if (!response.ok) throw Object.assign(new Error(content.error), {isFinal: true});
        return content;
      }
      tell((await response.json().catch(() => ({}))).error || "The server failed.", true);
    } catch (error) {
      if (error.isFinal) throw error;
      tell("The server does not respond; trying again.", true);
    }
    await new Promise(resolve => setTimeout(resolve, wait));
  }
}

const imageUrl = item => `image?ticket=${encodeURIComponent(item.ticket)}`;
/* Characters that are not seen, or that turn others around, are written out: keys come from anybody. */
const visible = text => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, each => `\\u${each.codePointAt(0).toString(16).padStart(4, "0")}`);
const percent = value => `${(100 * value).toFixed(1)} %`;

function describe(item) {
  if (item.inferences.length !== 2) return "No prediction";
  const first = item.inferences[0] >= item.inferences[1] ? 0 : 1;
  const shares = `${labels[first].name} ${percent(item.inferences[first])}, ${labels[1 - first].name} ${percent(item.inferences[1 - first])}`;
  return item.probably_neither ? `Probably neither (${shares})` : shares;
}

function show() {
  const item = waiting[0];
  element("item").hidden = !item;
  element("message").hidden = Boolean(item);
  element("message").textContent = empty ? "There is nothing to review. New images appear here by themselves." : "Loading…";
  for (const button of document.querySelectorAll("#actions button, #skip")) button.disabled = !item;
  element("undo").disabled = !decided.length;
  element("left").textContent = left ? `(${left})` : "";
  element("progress").textContent = `${done} labelled here, about ${left} to review`;
  element("bar").max = Math.max(1, done + left);
  element("bar").value = done;
  if (!item) return;
  element("prediction").textContent = describe(item);
  element("reason").textContent = visible(item.reason);
  element("uri").dataset.uri = item.uri || "";
  element("uri").textContent = item.uri ? visible(item.uri) : "The message names no image: label it neither to remove it.";
  const image = element("image");
  if (image.dataset.ticket === item.ticket) return;
  image.dataset.ticket = item.ticket;
  image.hidden = false;
  element("unreadable").hidden = true;
  image.alt = item.uri ? `Image to label: ${visible(item.uri)}` : "";
  image.src = imageUrl(item);
}

element("image").addEventListener("error", () => {
  element("image").hidden = true;
  element("unreadable").hidden = false;
  element("unreadable").textContent = "The image cannot be shown: it cannot be read or decoded.";
});

async function refill() {
  if (fetching) return;
  fetching = true;
  try {
    while (waiting.length <= AHEAD) {
      const {item} = await request("api/next", {});
      empty = !item && !waiting.length;
      if (!item) break;
      waiting.push(item);
      if (item.uri && waiting.length > 1) new Image().src = imageUrl(item);
      show();
    }
  } catch (error) { tell(error.message, true); }
  fetching = false;
  show();
}

async function refresh() {
  const state = await request("api/state");
  left = Math.max(0, state.left);
  if (!labels.length) {
    labels = state.labels;
    for (const {name, key} of labels) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.label = name;
      button.setAttribute("aria-keyshortcuts", key);
      button.append(name + " ", Object.assign(document.createElement("kbd"), {textContent: key}));
      button.addEventListener("click", () => label(name));
      element("actions").append(button);
    }
  }
  show();
}

/* One step at a time: a key that is pressed while a request is under way is not taken for the next image. */
async function step(action) {
  if (busy) return;
  busy = true;
  try { await action(); } catch (error) { tell(error.message, true); }
  busy = false;
  show();
  refill();
}

const label = name => step(async () => {
  const item = waiting[0];
  if (!item) return;
  const response = await request("api/label", {ticket: item.ticket, label: name});
  waiting.shift();
  decided.push(item);
  done += 1;
  left = Math.max(0, left - 1);
  tell(response.label === name ? `Labelled ${name}.` : `Somebody has labelled it ${response.label} before.`);
});

const skip = () => step(async () => {
  const item = waiting[0];
  if (!item) return;
  await request("api/skip", {ticket: item.ticket});
  waiting.shift();
  tell("Skipped.");
});

const undo = () => step(async () => {
  const item = decided[decided.length - 1];
  if (!item) return;
  const response = await request("api/undo", {ticket: item.ticket});
  decided.pop();
  done -= 1;
  left += 1;
  waiting.unshift(response.item);
  tell("The label was taken back.");
});

async function listFailures() {
  const {failures} = await request("api/failures");
  const list = element("failure-list");
  list.replaceChildren(...failures.map(failure => {
    const entry = document.createElement("li");
    const line = (tag, text, name) => entry.append(Object.assign(document.createElement(tag), {textContent: text, className: name || ""}));
    line("p", failure.error, "error");
    line("p", visible(failure.reason));
    line("code", visible(failure.image || failure.execution));
    const button = Object.assign(document.createElement("button"), {type: "button", textContent: "Redrive"});
    button.setAttribute("aria-label", `Redrive ${visible(failure.image || failure.execution)}`);
    button.addEventListener("click", () => redrive([failure.execution]));
    entry.append(Object.assign(document.createElement("p"), {}));
    entry.lastChild.append(button);
    return entry;
  }));
  element("redrive-all").disabled = !failures.length;
  if (!failures.length) tell("The failure queue is empty.");
}

const redrive = executions => step(async () => {
  const {started} = await request("api/redrive", {executions});
  await listFailures();
  tell(started === 1 ? "1 execution was started again." : `${started} executions were started again.`);
});

function select(name) {
  for (const other of ["review", "failures"]) {
    const tab = element(`${other}-tab`), chosen = other === name;
    element(other).hidden = !chosen;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    if (chosen) tab.focus();
  }
  tell("");
  if (name === "failures") listFailures().catch(error => tell(error.message, true));
}

for (const name of ["review", "failures"]) {
  element(`${name}-tab`).addEventListener("click", () => select(name));
  element(`${name}-tab`).addEventListener("keydown", event => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") select(name === "review" ? "failures" : "review");
  });
}
element("skip").addEventListener("click", skip);
element("undo").addEventListener("click", undo);
element("redrive-all").addEventListener("click", () => redrive([]));
element("reload").addEventListener("click", () => listFailures().catch(error => tell(error.message, true)));

document.addEventListener("keydown", event => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || element("review").hidden) return;
  const chosen = labels.find(({key}) => key === event.key.toLowerCase());
  const action = chosen ? () => label(chosen.name) : event.key === "u" ? undo : event.key === " " ? skip : null;
  if (!action || (event.key === " " && event.target.matches("button"))) return;
  event.preventDefault();
  action();
});

setInterval(() => {
  if (waiting.length) request("api/reserve", {tickets: waiting.map(item => item.ticket)}).catch(() => {});
  refresh().catch(() => {});
  if (!waiting.length) refill();
}, RESERVE_EVERY);
addEventListener("pagehide", () => {
  const body = JSON.stringify({tickets: waiting.map(item => item.ticket)});
  if (waiting.length) navigator.sendBeacon("api/release", new Blob([body], {type: "application/json"}));
});

addEventListener("pageshow", event => event.persisted && location.reload());

if (location.hash === "#failures") select("failures");
refresh().then(refill).catch(error => tell(error.message, true));
