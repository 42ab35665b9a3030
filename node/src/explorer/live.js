// What the explorer adds when scripts run: copy buttons, a choice of clock, "/" for search, live updates.
const all = (selector, root = document) => root.querySelectorAll(selector);
const one = (selector) => document.querySelector(selector);
document.documentElement.classList.add("script");

// The clock the reader chose; UTC unless told otherwise, so that two auditors read the same text.
const clocks = {
  UTC: (date) => date.toISOString().slice(0, 19).replace("T", " ") + " UTC",
  local: (date) => {
    const offset = -date.getTimezoneOffset();
    const two = (n) => String(Math.floor(Math.abs(n))).padStart(2, "0");
    const shifted = new Date(date.getTime() + offset * 60000);
    return shifted.toISOString().slice(0, 19).replace("T", " ") + (offset < 0 ? " −" : " +") + two(offset / 60) + ":" + two(offset % 60);
  },
  Unix: (date) => String(date.getTime() / 1000),
};
const remembered = () => { try { return localStorage.getItem("clock"); } catch { return null; } };
const remember = (name) => { try { localStorage.setItem("clock", name); } catch { /* private windows keep nothing */ } };
let clock = clocks[remembered()] ? remembered() : "UTC";
const showTimes = (root = document) => {
  for (const time of all("time[datetime]", root)) time.textContent = clocks[clock](new Date(time.dateTime));
};
const clockButton = one("#clock");
const labelClock = () => { if (clockButton) clockButton.textContent = "Times: " + clock; };
clockButton?.addEventListener("click", () => {
  const names = Object.keys(clocks);
  clock = names[(names.indexOf(clock) + 1) % names.length];
  remember(clock);
  labelClock();
  showTimes();
});

// Copies the full text of a shortened hash; where the clipboard is closed, selects it instead.
const addCopyButtons = (root = document) => {
  for (const element of all("[data-copy]", root)) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy " + (element.dataset.what || "value"));
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(element.dataset.copy);
        button.textContent = "Copied";
      } catch {
        element.textContent = element.dataset.copy;
        getSelection().selectAllChildren(element);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    element.after(button);
  }
};

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    one("#search")?.focus();
  }
});

const serverTime = Number(document.body.dataset.now);
const skew = Math.round((Date.now() - serverTime) / 1000);
if (serverTime && Math.abs(skew) > 30) {
  const note = one("#browser-clock");
  note.textContent = `! This computer's clock differs from the node's by ${Math.abs(skew)} s: ages may be wrong.`;
  note.hidden = false;
}

// Live updates: counters change in place, rows never move under the reader.
const live = one("#live");
const startLive = () => {
  const state = one("#live-state"), pause = one("#live-pause"), show = one("#live-show");
  let waiting = 0, paused = false, announced = 0, last = "";
  const say = (text) => {
    if (text === last || Date.now() - announced < 5000) return;
    announced = Date.now();
    state.textContent = last = text;
  };
  const update = (block) => {
    for (const [id, value] of Object.entries(block.counters)) {
      const element = document.getElementById(id);
      if (element) element.textContent = value;
    }
    for (const time of all("#last-block time")) {
      time.dateTime = new Date(block.time_ms).toISOString();
      time.textContent = clocks[clock](new Date(block.time_ms));
    }
  };
  const refresh = async () => {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) { say(`The node answered ${answer.status}; reload the page.`); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of all("[data-part]")) {
      const fresh = page.getElementById(part.id);
      if (!fresh) continue;
      part.replaceWith(fresh);
      showTimes(fresh);
      addCopyButtons(fresh);
    }
    waiting = 0;
    show.hidden = true;
    state.textContent = last = "Up to date.";
  };
  show.addEventListener("click", refresh);
  const source = new EventSource(live.dataset.events);
  source.addEventListener("block", (event) => {
    if (paused) return;
    const block = JSON.parse(event.data);
    update(block);
    // The first event is the newest block, which the page may show already.
    if (block.height > Number(live.dataset.height)) waiting += block.transactions;
    if (waiting > 0) {
      show.textContent = `${waiting} new, show`;
      show.hidden = false;
    }
    say(`Live, height ${block.height}.`);
  });
  source.addEventListener("open", () => say("Live."));
  source.addEventListener("error", () => say("Paused: no answer from the node, reconnecting in 3 s."));
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume" : "Pause";
    announced = 0;
    say(paused ? "Paused by you." : "Live.");
  });
  addEventListener("pagehide", () => source.close());
};

labelClock();
showTimes();
addCopyButtons();
if (live && "EventSource" in window) startLive();
