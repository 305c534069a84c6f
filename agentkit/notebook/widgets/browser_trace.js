// One trace in the browser: its steps as a tree beside a time scale, and the details of the step that is chosen.

const DETAILS_MS = 120;
const MOST_REVEALED = 100;
const RUNNING_MS = 500;

class TraceView {
  constructor(browser, parent) {
    this.browser = browser;
    this.id = null;
    this.order = [];
    this.rows = {};
    this.elements = new Map();
    this.folded = new Set();
    this.chosen = null;
    this.root = element("section", "agk-opened", parent);
    this.root.setAttribute("aria-label", "Trace");
    this.root.hidden = true;
    this.buildHead(element("header", "agk-opened-head", this.root));
    const panes = element("div", "agk-panes", this.root);
    const left = element("div", "agk-left", panes);
    this.axis = element("div", "agk-wa", left);
    this.axis.setAttribute("aria-hidden", "true");
    this.tree = element("div", "agk-tree", left);
    this.tree.setAttribute("role", "tree");
    this.tree.setAttribute("aria-label", "Steps; the arrow keys go from one to the next, left and right to parent and child");
    this.tree.onkeydown = (event) => this.key(event);
    this.panel = element("section", "agk-panel", panes);
    this.panel.tabIndex = 0;
    this.panel.setAttribute("aria-label", "Details of the step");
    this.buildPanel(this.panel);
  }

  buildHead(head) {
    const row = element("div", "agk-head-row", head);
    this.back = button("agk-button agk-back", "", row, { title: "All traces (Escape)", onclick: () => this.browser.back() });
    this.back.append(picture("back"), "Traces");
    this.title = element("span", "agk-h", row);
    this.state = element("span", "agk-state", row);
    this.state.setAttribute("aria-live", "polite");
    element("span", "agk-space", row);
    this.older = pictureButton("agk-older", "previous", "The trace above in the list", row, () => this.browser.step(-1));
    this.newer = pictureButton("agk-newer", "next", "The trace below in the list", row, () => this.browser.step(1));
    this.facts = element("div", "agk-facts", head);
    this.error = element("div", "agk-error", head);
    const bars = element("div", "agk-bars", head);
    this.rating = new RatingBar(bars, (said) => this.browser.act({ kind: "rate", ...said }));
    this.notes = new NoteBar(bars, "the trace", (said) => this.browser.act({ kind: "note", span: "", ...said }));
    this.about = element("details", "agk-wi", head);
    element("summary", "", this.about, "Question and answer");
    this.aboutBody = element("div", "agk-wd", this.about);
  }

  buildPanel(panel) {
    this.name = element("div", "agk-h agk-step-name", panel);
    this.jumps = element("nav", "agk-jumps", panel);
    this.jumps.setAttribute("aria-label", "Steps above and below");
    this.stepNotes = new NoteBar(panel, "the step", (said) => {
      if (this.chosen) this.browser.act({ kind: "note", span: this.chosen, ...said });
    });
    this.details = element("div", "agk-wd agk-details", panel);
  }

  // -- what the kernel sends

  open(message) {
    const { trace, order, rows, seconds } = message;
    const fresh = trace.id !== this.id;
    if (fresh) {
      this.id = trace.id;
      this.folded.clear();
      this.elements.clear();
      this.tree.replaceChildren();
      this.chosen = null;
      this.about.open = false;
      this.clearPanel();
    }
    this.root.hidden = false;
    this.showHead(trace);
    this.showRows(order, rows, seconds);
    if (!fresh && this.rows[this.chosen]) return;
    const failed = order.find((key) => rows[key].css === "agk-no" && !rows[key].gap);
    const first = failed ?? order.find((key) => !rows[key].gap);
    if (first) this.choose(first, { focus: this.browser.wantsFocus });
    else if (this.browser.wantsFocus) this.back.focus();
    this.browser.wantsFocus = false;
  }

  change({ of, rows, order, seconds, head }) {
    if (of !== this.id) return;
    if (head) this.showHead(head);
    this.showRows(order ?? this.order, rows, seconds);
  }

  showHead(trace) {
    if (trace.live && !this.running) this.running = setInterval(() => this.goOn(), RUNNING_MS);
    if (!trace.live) this.rest();
    this.title.textContent = trace.title;
    this.state.textContent = trace.live ? trace.state : trace.state ? `■ ${trace.state}` : "✓ ok";
    this.state.className = `agk-state ${trace.live ? "agk-running" : trace.state ? "agk-no" : "agk-ok"}`;
    this.facts.textContent = trace.facts;
    this.error.hidden = !trace.error;
    this.error.replaceChildren(element("span", "agk-no", null, "✗ "), trace.error);
    this.about.hidden = !trace.about;
    if (this.shownAbout !== trace.about) this.aboutBody.innerHTML = this.shownAbout = trace.about;
    this.rating.show(trace);
    this.notes.show(trace);
    const [above, below] = this.browser.neighbours(trace.id);
    this.older.disabled = !above;
    this.newer.disabled = !below;
  }

  // While a trace is under way its scale reaches to now, whether the kernel has news or not.
  goOn() {
    if (!this.browser.isSeen || this.root.hidden) return;
    this.showAxis(this.seconds + RUNNING_MS / 1000);
    for (const key of this.order) this.place(this.elements.get(key), this.rows[key]);
  }

  rest() {
    clearInterval(this.running);
    this.running = null;
  }

  showRows(order, rows, seconds) {
    const atEnd = this.tree.scrollHeight - this.tree.scrollTop - this.tree.clientHeight < 30;
    const focused = this.tree.contains(document.activeElement);
    this.rows = order === this.order || Object.keys(rows).length < order.length ? { ...this.rows, ...rows } : rows;
    this.order = order;
    if (seconds !== this.seconds) this.showAxis(seconds);
    for (const key of order) {
      const known = this.elements.get(key);
      if (known && !(key in rows)) {
        this.place(known, this.rows[key]);
        continue;
      }
      const made = this.rows[key].gap ? this.gapRow(key, this.rows[key].gap) : this.stepRow(key, this.rows[key]);
      known?.replaceWith(made);
      this.elements.set(key, made);
    }
    this.arrange();
    if (focused && !this.tree.contains(document.activeElement)) this.elements.get(this.chosen)?.focus();
    if (atEnd && this.state.classList.contains("agk-running")) this.tree.scrollTop = this.tree.scrollHeight;
  }

  // Put the rows in their order, without those that are folded away or gone.
  arrange() {
    const shown = this.visible();
    const wanted = new Set(shown);
    for (const [key, row] of this.elements) {
      if (!wanted.has(key)) row.remove();
      if (!(key in this.rows) || !this.order.includes(key)) this.elements.delete(key);
    }
    shown.forEach((key, index) => {
      const row = this.elements.get(key);
      if (this.tree.children[index] !== row) this.tree.insertBefore(row, this.tree.children[index] ?? null);
    });
    if (!wanted.has(this.chosen)) return;
    for (const key of shown) this.elements.get(key).tabIndex = key === this.chosen ? 0 : -1;
  }

  visible() {
    const shown = [];
    let hideBelow = Infinity;
    for (const key of this.order) {
      const row = this.rows[key];
      if (row.gap) {
        if (hideBelow === Infinity) shown.push(key);
        continue;
      }
      if (row.level > hideBelow) continue;
      shown.push(key);
      hideBelow = this.folded.has(key) ? row.level : Infinity;
    }
    return shown;
  }

  // -- rows

  stepRow(key, row) {
    const made = element("div", "agk-tr");
    made.setAttribute("role", "treeitem");
    made.setAttribute("aria-level", row.level);
    made.setAttribute("aria-selected", String(key === this.chosen));
    const told = [`${row.kind} ${row.name}`.trim(), row.numbers, row.state || "ok", row.note && `note: ${row.note}`];
    made.setAttribute("aria-label", told.filter(Boolean).join(", "));
    made.tabIndex = -1;
    made.onclick = () => this.choose(key, { focus: true });
    const name = element("span", "agk-wn", made);
    name.style.paddingLeft = `${row.indent * 1.1}em`;
    const twist = element("span", "agk-twist", name, row.kids ? (this.isFolded(key) ? "▸" : "▾") : "");
    if (row.kids) {
      made.setAttribute("aria-expanded", String(!this.isFolded(key)));
      twist.onclick = (event) => {
        event.stopPropagation();
        this.fold(key, !this.isFolded(key));
      };
    }
    element("span", `agk-m ${row.css}`, name, row.sign);
    name.append(" ");
    element("span", "agk-wk", name, row.kind);
    if (row.name) name.append(" ", element("b", "", null, row.name));
    if (row.note) element("span", "agk-noted", name, " ✎").title = row.note;
    const lane = element("span", "agk-wl", made);
    const bar = element("span", row.bar, lane);
    if (row.first !== null) element("span", "agk-wt", bar);
    const words = element("span", "agk-wx", made, row.numbers);
    if (row.state) {
      if (row.numbers) words.append(" · ");
      element("span", row.css || "agk-d", words, row.state);
    }
    if (row.below) words.append(" · ", element("span", "agk-d", null, `${howMany(row.below)} below`));
    words.title = words.textContent;
    this.place(made, row);
    return made;
  }

  // Put the bar where it belongs on the scale of now.
  place(made, row) {
    const bar = made?.querySelector(".agk-wb");
    if (!bar) return;
    const percent = (seconds) => (this.seconds > 0 ? (100 * seconds) / this.seconds : 0);
    const left = Math.min(percent(row.start), 99.5);
    const length = row.length ?? Math.max(0, this.seconds - row.start);
    bar.style.marginLeft = `${left}%`;
    bar.style.width = `${Math.min(percent(length), 100 - left)}%`;
    const first = bar.querySelector(".agk-wt");
    if (first) first.style.width = `${length > 0 ? Math.min(100, (100 * row.first) / length) : 0}%`;
  }

  gapRow(key, [begin, end]) {
    const some = end - begin > MOST_REVEALED ? `${MOST_REVEALED} of them` : end - begin === 1 ? "it" : "them";
    const made = element("div", "agk-tr agk-tr-gap", null, `⋯ ${howMany([begin, end])} left out. Show ${some}`);
    made.setAttribute("role", "treeitem");
    made.setAttribute("aria-level", "1");
    made.tabIndex = -1;
    made.onclick = () => this.browser.act({ kind: "reveal", begin, end });
    return made;
  }

  showAxis(seconds) {
    this.seconds = seconds;
    const holder = element("span", "");
    for (const share of [0, 0.25, 0.5, 1]) element("span", "", holder, share ? spokenTime(seconds * share) : "0");
    this.axis.replaceChildren(holder);
  }

  // -- the step that is chosen

  choose(key, { focus = false } = {}) {
    const row = this.rows[key];
    if (!row) return;
    const before = this.elements.get(this.chosen);
    before?.setAttribute("aria-selected", "false");
    if (before) before.tabIndex = -1;
    this.chosen = key;
    const made = this.elements.get(key);
    if (!made?.isConnected) this.unfoldTo(key);
    const chosen = this.elements.get(key);
    chosen.tabIndex = 0;
    if (!row.gap) chosen.setAttribute("aria-selected", "true");
    if (focus) chosen.focus({ preventScroll: true });
    scrollWithin(this.tree, chosen);
    clearTimeout(this.asking);
    if (!row.gap) this.asking = setTimeout(() => this.browser.act({ kind: "details", span: key }), DETAILS_MS);
  }

  // Go to a step, shown or not: the kernel shows it, and those around it, where it was left out.
  jump(span) {
    if (this.rows[span] && !this.rows[span].gap) this.choose(span, { focus: true });
    else {
      this.jumping = span;
      this.browser.act({ kind: "details", span });
    }
  }

  unfoldTo(key) {
    let level = this.rows[key].level;
    for (let at = this.order.indexOf(key) - 1; at >= 0; at--) {
      const row = this.rows[this.order[at]];
      if (row.gap || row.level >= level) continue;
      level = row.level;
      if (this.folded.has(this.order[at])) this.fold(this.order[at], false);
    }
  }

  // What is left out below a row counts as folded: to unfold it is to ask for it.
  isFolded(key) {
    return this.folded.has(key) || Boolean(this.rows[key].below);
  }

  fold(key, folded) {
    const { below } = this.rows[key];
    if (below && !folded) {
      this.browser.act({ kind: "reveal", begin: below[0], end: below[1] });
      return;
    }
    if (folded) this.folded.add(key);
    else this.folded.delete(key);
    const made = this.elements.get(key);
    made.setAttribute("aria-expanded", String(!folded));
    made.querySelector(".agk-twist").textContent = folded ? "▸" : "▾";
    this.arrange();
    if (!this.elements.get(this.chosen)?.isConnected) this.choose(key, { focus: true });
  }

  parentOf(key) {
    const at = this.order.indexOf(key);
    const level = this.rows[key].level;
    for (let above = at - 1; above >= 0; above--) {
      const row = this.rows[this.order[above]];
      if (!row.gap && row.level < level) return this.order[above];
    }
    return null;
  }

  key(event) {
    const shown = this.visible();
    const at = shown.indexOf(this.chosen);
    const row = this.rows[this.chosen];
    if (event.altKey || event.ctrlKey || event.metaKey || !row) return;
    const open = row.kids && !this.isFolded(this.chosen);
    const go = {
      ArrowDown: () => shown[at + 1],
      ArrowUp: () => shown[at - 1],
      Home: () => shown[0],
      End: () => shown[shown.length - 1],
      PageDown: () => shown[Math.min(shown.length - 1, at + 15)],
      PageUp: () => shown[Math.max(0, at - 15)],
      ArrowLeft: () => (row.gap || !open ? this.parentOf(this.chosen) : void this.fold(this.chosen, true)),
      ArrowRight: () => (row.gap || !row.kids ? null : open ? shown[at + 1] : void this.fold(this.chosen, false)),
    }[event.key];
    if (go) {
      event.preventDefault();
      const next = go();
      if (next) this.choose(next, { focus: true });
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (row.gap) this.elements.get(this.chosen).click();
      else this.panel.focus();
    }
  }

  // -- details

  clearPanel() {
    this.name.textContent = "";
    this.jumps.replaceChildren();
    this.details.replaceChildren();
    this.stepNotes.root.hidden = true;
    this.shownDetails = null;
  }

  showDetails(details) {
    if (this.jumping === details.id) {
      this.jumping = null;
      this.choose(details.id, { focus: true });
      clearTimeout(this.asking);
    }
    if (details.id !== this.chosen) return;
    if (this.shownDetails !== details.id) this.panel.scrollTop = 0;
    this.shownDetails = details.id;
    this.name.textContent = details.name;
    this.stepNotes.root.hidden = false;
    this.stepNotes.show(details);
    this.jumps.replaceChildren();
    const chip = (arrow, step, what) =>
      button("agk-jump-to", `${arrow} ${step.name}`, this.jumps, { title: `${what}: ${step.name}`, onclick: () => this.jump(step.id) });
    if (details.parent) chip("↑", details.parent, "Part of").classList.add("agk-to-parent");
    for (const child of details.children) chip("↓", child, "Has in it");
    if (details.more) element("span", "agk-d", this.jumps, `and ${details.more.toLocaleString("en")} more`);
    this.details.innerHTML = details.html;
  }
}

function howMany([begin, end]) {
  return end - begin === 1 ? "1 step" : `${(end - begin).toLocaleString("en")} steps`;
}

function spokenTime(seconds) {
  if (seconds < 0.9995) return `${(seconds * 1000).toFixed(seconds < 0.00995 ? 1 : 0)} ms`;
  if (seconds < 99.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  return `${(seconds / 60).toFixed(1)} min`;
}

// Scroll an element into sight within its scroller, and not the page.
function scrollWithin(scroller, part) {
  const top = part.offsetTop - scroller.offsetTop;
  if (top < scroller.scrollTop) scroller.scrollTop = Math.max(0, top - 30);
  else if (top + part.offsetHeight > scroller.scrollTop + scroller.clientHeight)
    scroller.scrollTop = top + part.offsetHeight - scroller.clientHeight + 30;
}
