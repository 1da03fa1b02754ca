// The page: what the server's events say, and a form. Texts are set as text, never as HTML.

const WORDS = {
  starting: "Starting",
  running: "Waiting",
  done: "Done",
  failed: "Failed",
  unclear: "Unclear",
};
const RETRY = 1000; // ms, as the server's events say it

const part = (id) => document.getElementById(id);
const items = new Map(); // by the backup's number: { backup, element, told }
let isFirst = true;

function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function moment(date) {
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString([], { dateStyle: isToday ? undefined : "medium", timeStyle: "short" });
}

// The service's own word while a job runs; ours before and after, as its words are not documented
const label = ({ state, word }) => (state === "running" && word) || WORDS[state];

function took({ job_id, started, ended }) {
  if (ended === null) return `for ${duration(Date.now() / 1000 - started)}`;
  return job_id === null ? "" : `took ${duration(ended - started)}`;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function fill(element, backup) {
  const started = new Date(backup.started * 1000);
  const time = element.querySelector("time");
  element.className = backup.state;
  time.dateTime = started.toISOString();
  set(time, moment(started));
  set(element.querySelector("h3"), backup.database);
  set(element.querySelector(".state"), label(backup));
  set(element.querySelector(".took"), took(backup));
  set(element.querySelector(".message"), backup.message ?? "");
}

function place(list, elements) {
  const differs = (each, n) => each !== list.children[n];
  if (list.children.length !== elements.length || elements.some(differs)) {
    list.replaceChildren(...elements);
  }
}

function show({ backups, calls_left }) {
  const news = [];
  for (const backup of backups) {
    const known = items.get(backup.number);
    const element = known?.element ?? part("backup").content.firstElementChild.cloneNode(true);
    const told = `${backup.database}: ${label(backup)}. ${backup.message ?? ""}`;
    if (told !== known?.told) news.push(told);
    fill(element, backup);
    items.set(backup.number, { backup, element, told });
  }
  const elements = (rows) => rows.map(({ number }) => items.get(number).element);
  place(part("live"), elements(backups.filter(({ ended }) => ended === null)));
  place(part("over"), elements(backups.filter(({ ended }) => ended !== null)));
  set(part("left"), calls_left === null ? "?" : `${calls_left}`);
  part("left").parentElement.classList.toggle("few", calls_left !== null && calls_left <= 50);
  if (!isFirst && news.length) set(part("news"), news.join(" "));
  isFirst = false;
}

function connect() {
  const source = new EventSource("events");
  source.onopen = () => set(part("line"), "");
  source.onmessage = ({ data }) => show(JSON.parse(data));
  source.onerror = () => {
    set(part("line"), "The server can’t be reached. Trying again …");
    // After an answer that is no stream, a proxy's say, the browser does not try again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY);
  };
}

function tell(title = "", detail = "") {
  const strong = document.createElement("strong");
  strong.textContent = title;
  part("problem").replaceChildren(...(title ? [strong, detail] : []));
}

async function start(form) {
  const button = form.querySelector("button");
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true"; // unlike `disabled`, it keeps the focus
  tell();
  try {
    const answer = await fetch("backups", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ database: form.elements.database.value }),
    });
    if (answer.ok) {
      form.reset();
    } else {
      const { title, detail } = await answer.json();
      tell(title, detail);
    }
  } catch {
    tell("No answer came", "See in the lists below what became of it before you start it again.");
  }
  button.ariaDisabled = null;
}

part("start").addEventListener("submit", (event) => {
  event.preventDefault();
  start(event.target);
});

setInterval(() => {
  for (const { backup, element } of items.values()) {
    if (backup.ended === null) set(element.querySelector(".took"), took(backup));
  }
}, 1000);

connect();
