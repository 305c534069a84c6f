// A run while it goes on. The HTML comes from the kernel, where it was made safe; here it is only put in its place.
// Messages are numbered: after a gap (this page was loaded late, or a message was dropped) the whole state is asked for.

const PING_MS = 250;
const PINGS = 16;

// The elements that hold text and other blocks: where a piece of plain text is added, it goes into the last and deepest of these.
const BLOCKS = new Set("P LI UL OL PRE BLOCKQUOTE TABLE TBODY THEAD TR TD TH H1 H2 H3 H4 H5 H6 DIV".split(" "));

function element(tag, className, parent, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

function button(className, label, parent, { title = label, onclick } = {}) {
  const made = element("button", className, parent, label);
  made.type = "button";
  made.title = title;
  made.setAttribute("aria-label", title);
  made.onclick = onclick;
  return made;
}

const GONE_MS = 1000;
const GONE = "The kernel has ended or begun anew";

// Call `end` once the kernel's side of a widget is gone: the kernel has ended, or begun anew. The model that a widget is
// given doesn't tell; that of its layout is told of a restart, and has a comm that is disposed when the kernel was killed.
// Returns what ends the watch.
function whenGone(model, end) {
  const gone = () => {
    const layout = model.get("layout");
    return layout?.comm_live === false || layout?.comm?.jsServicesComm?.isDisposed === true;
  };
  const look = () => {
    if (!gone()) return;
    leave();
    end();
  };
  const soon = () => setTimeout(look); // the layout is told at the same time
  const watching = setInterval(look, GONE_MS);
  const leave = () => {
    clearInterval(watching);
    model.off("comm_live_update", soon);
  };
  model.on("comm_live_update", soon);
  return leave;
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

// One run: its answer, its steps, what it asks, and who is answering. `send` takes messages for the kernel's LiveView.
class Panel {
  constructor(root, send) {
    this.send = send;
    this.next = null;
    this.root = element("div", "agk agk-live agk-control jp-RenderedHTMLCommon", root);
    const answer = element("div", "agk-a", this.root);
    this.done = element("div", "agk-done", answer);
    this.live = element("div", "agk-open", answer);
    this.steps = element("div", "agk-s", this.root);
    this.steps.hidden = true;
    this.rows = new Map();
    this.asks = element("div", "agk-asks", this.root);
    this.asks.setAttribute("aria-live", "polite");
    this.cards = new Map();
    const foot = element("div", "agk-f", this.root);
    this.status = element("span", "agk-status", foot);
    this.clock = element("span", "agk-clock", foot);
    this.stop = button("agk-button agk-stop", "Stop", foot, {
      title: "Stop this run; what has been answered stays",
      onclick: () => {
        this.stop.disabled = true;
        this.stop.textContent = "Stopping…";
        this.send({ kind: "stop" });
      },
    });
    this.stop.hidden = true;
    this.began = performance.now();
    this.ticking = setInterval(() => this.tick(), 500);
    // Again and again until the whole state has come: what is sent while JupyterLab makes the comm's subshell would
    // wait behind the cell that is running.
    let pings = 0;
    const ping = () => {
      if ((this.next !== null && this.channel) || pings++ >= PINGS) clearInterval(this.pinging);
      else this.send({ kind: "ready" });
    };
    this.pinging = setInterval(ping, PING_MS);
    ping();
  }

  close() {
    clearInterval(this.pinging);
    clearInterval(this.ticking);
  }

  // Nothing comes any more: what is shown stays, as what it is.
  end(told) {
    this.close();
    this.status.textContent = told;
    this.clock.textContent = "";
    this.stop.hidden = true;
    for (const control of this.asks.querySelectorAll("button, input")) control.disabled = true;
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
    const asked = new Set(state.asks.map(([key]) => key));
    for (const key of [...this.cards.keys()]) if (!asked.has(key)) this.answered(key);
    for (const [key, html] of state.asks) this.ask(key, html);
    this.status.textContent = state.status;
    this.channel = state.channel;
    this.stop.hidden = !state.channel || !state.status;
  }

  apply(name, [first, second]) {
    if (name === "block") {
      this.live.replaceChildren();
      this.done.insertAdjacentHTML("beforeend", first);
    } else if (name === "live") this.live.innerHTML = first;
    else if (name === "tail") placeForText(this.live).append(first);
    else if (name === "step") this.step(first, second);
    else if (name === "ask") this.ask(first, second);
    else if (name === "answered") this.answered(first);
    else if (name === "status") {
      this.status.textContent = first;
      this.stop.hidden = !this.channel || !first;
    } else if (name === "clear") {
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

  ask(key, html) {
    if (this.cards.has(key)) return;
    const card = element("div", "agk-ask", this.asks);
    card.setAttribute("role", "group");
    const what = element("div", "agk-what", card);
    what.innerHTML = html;
    card.setAttribute("aria-label", `Approval: ${what.firstElementChild?.textContent ?? ""}`);
    const row = element("div", "agk-row", card);
    const decide = (verdict) => {
      for (const control of row.children) control.disabled = true;
      this.send({ kind: "decide", key, verdict, reason: reason.value });
    };
    const add = (name, label, title) =>
      button(`agk-button agk-${name}`, label, row, { title, onclick: () => decide(name) });
    add("approve", "Approve", "Approve this call");
    add("always", "Always", "Approve this call and all later calls of this tool in the run");
    add("reject", "Reject", "Reject this call; the reason is told to the model");
    const reason = element("input", "agk-reason", row);
    reason.type = "text";
    reason.placeholder = "reason for rejecting (optional)";
    reason.setAttribute("aria-label", "Reason for rejecting");
    reason.onkeydown = (event) => {
      event.stopPropagation(); // the notebook's own keys
      if (event.key === "Enter") decide("reject");
    };
    this.cards.set(key, card);
  }

  answered(key) {
    this.cards.get(key)?.remove();
    this.cards.delete(key);
  }

  tick() {
    const seconds = Math.floor((performance.now() - this.began) / 1000);
    this.clock.textContent = seconds < 2 || !this.status.textContent ? "" : ` · ${seconds} s`;
  }
}
