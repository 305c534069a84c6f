// A run while it goes on. The HTML comes from the kernel, where it was made safe; here it is only put in its place.
// Messages are numbered: after a gap (this page was loaded late, or a message was dropped) the whole state is asked for.

const PING_MS = 250;
const PINGS = 16;

// The elements that hold text and other blocks: where a piece of plain text is added, it goes into the last and deepest of these.
const BLOCKS = new Set("P LI UL OL PRE BLOCKQUOTE TABLE TBODY THEAD TR TD TH H1 H2 H3 H4 H5 H6 DIV".split(" "));

function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent?.append(made);
  return made;
}

function placeForText(root) {
  let place = root;
  for (;;) {
    const last = place.lastElementChild;
    if (!last) return place;
    if (BLOCKS.has(last.tagName)) place = last;
    else return place.tagName === "PRE" && last.tagName === "CODE" ? last : place;
  }
}

class Panel {
  constructor(root, send) {
    this.send = send;
    this.next = null;
    this.root = element("div", "agk agk-live jp-RenderedHTMLCommon", root);
    const answer = element("div", "agk-a", this.root);
    this.done = element("div", "agk-done", answer);
    this.live = element("div", "agk-open", answer);
    this.steps = element("div", "agk-s", this.root);
    this.steps.hidden = true;
    this.rows = new Map();
    const foot = element("div", "agk-f", this.root);
    this.status = element("span", "agk-status", foot);
    this.clock = element("span", "agk-clock", foot);
    this.stop = element("button", "agk-stop", foot);
    this.stop.textContent = "Stop";
    this.stop.title = "Stop this run; what has been answered stays";
    this.stop.hidden = true;
    this.stop.style.cssText =
      "margin-left:.8em;font:inherit;color:inherit;background:none;cursor:pointer;padding:0 .6em;" +
      "border:1px solid var(--jp-border-color1,rgba(128,128,128,.5));border-radius:3px";
    this.stop.onclick = () => {
      this.stop.disabled = true;
      this.stop.textContent = "Stopping…";
      this.send({ kind: "stop" });
    };
    this.began = performance.now();
  }

  receive(message) {
    if (message.all) this.replace(message.all);
    else if (this.next !== message.n) {
      if (this.next !== null) this.send({ kind: "ready" });
      this.next = null;
      return;
    } else for (const [name, ...texts] of message.ops) this.apply(name, texts);
    this.next = message.n + 1;
  }

  replace(state) {
    this.done.innerHTML = state.done;
    this.live.innerHTML = state.live;
    this.steps.replaceChildren();
    this.rows.clear();
    for (const [key, html] of state.steps) this.step(key, html);
    this.status.textContent = state.status;
    this.stop.hidden = !state.channel;
  }

  apply(name, [first, second]) {
    if (name === "block") {
      this.live.replaceChildren();
      this.done.insertAdjacentHTML("beforeend", first);
    } else if (name === "live") this.live.innerHTML = first;
    else if (name === "tail") placeForText(this.live).append(first);
    else if (name === "step") this.step(first, second);
    else if (name === "status") this.status.textContent = first;
    else if (name === "clear") {
      this.done.replaceChildren();
      this.live.replaceChildren();
    }
  }

  step(key, html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const row = holder.content.firstElementChild;
    const old = this.rows.get(key);
    if (old) {
      if (old.tagName === "DETAILS") row.open = old.open; // what the reader has folded or unfolded stays so
      old.replaceWith(row);
    } else this.steps.append(row);
    this.rows.set(key, row);
    this.steps.hidden = false;
  }

  tick() {
    const seconds = Math.floor((performance.now() - this.began) / 1000);
    this.clock.textContent = seconds < 2 ? "" : ` · ${seconds} s`;
  }
}

function render({ model, el }) {
  const panel = new Panel(el, (content) => model.send(content));
  const receive = (message) => panel.receive(message);
  model.on("msg:custom", receive);
  // Again and again until the whole state has come: what is sent while JupyterLab makes the comm's subshell would
  // wait behind the cell that is running.
  let pings = 0;
  const ping = () => {
    if (panel.next !== null && !panel.stop.hidden) clearInterval(pinging);
    else if (pings++ < PINGS) model.send({ kind: "ready" });
    else clearInterval(pinging);
  };
  const pinging = setInterval(ping, PING_MS);
  const ticking = setInterval(() => panel.tick(), 500);
  ping();
  return () => {
    clearInterval(pinging);
    clearInterval(ticking);
    model.off("msg:custom", receive);
  };
}

export default { render };
