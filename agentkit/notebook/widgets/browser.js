// The browser of traces in a cell. Nothing is kept here: the kernel has the traces, and the output above what was shown.

const SEARCH_MS = 250;
const NOT_WANTED = { agent: null, model: null, status: null, rating: null, error: false, text: "", age: "" };

const COLUMNS = [
  ["status", "Status"],
  ["started", "Started"],
  ["agent", "Agents"],
  ["question", "Asked"],
  ["duration", "Took"],
  ["tokens", "Tokens"],
  ["cost", "Cost"],
  ["rating", "Noted"],
];

class BrowserView extends BrowsingView {
  constructor(model, el) {
    super(model, el, { className: "agk-trace agk-browser", label: "Traces", shown: "this browser", ended: "this browser" });
    this.wanted = { ...NOT_WANTED, sort: "started", descending: true, page: 0 };
    this.listed = [];
    this.build();
    this.begin();
  }

  build() {
    this.list = element("section", "agk-list", this.root);
    this.list.setAttribute("aria-label", "List of traces");
    this.buildFilters(element("form", "agk-filters", this.list));
    this.count = element("div", "agk-count", this.list, "Reading…");
    this.count.setAttribute("aria-live", "polite");
    this.buildTable(element("div", "agk-table", this.list));
    this.buildPages(element("nav", "agk-pages", this.list));
    this.trace = new TraceView(this, this.root);
  }

  buildFilters(form) {
    form.setAttribute("role", "search");
    form.onsubmit = (event) => {
      event.preventDefault();
      this.search();
    };
    this.text = element("input", "agk-field agk-search", form);
    this.text.type = "search";
    this.text.placeholder = "Search";
    this.text.setAttribute("aria-label", "Search in questions, answers and errors");
    this.text.oninput = () => {
      clearTimeout(this.searching);
      this.searching = setTimeout(() => this.search(), SEARCH_MS);
    };
    const by = (name, label) =>
      choice(`agk-by-${name}`, label, form, (event) => this.want({ [name]: event.target.value || null }));
    this.choices = {
      agent: by("agent", "Agent"),
      model: by("model", "Model"),
      status: by("status", "How it ended"),
      age: choice("agk-by-age", "How old", form, (event) => this.want({ age: event.target.value })),
      rating: by("rating", "How it was rated"),
    };
    const label = element("label", "agk-only", form);
    this.failed = element("input", "agk-failed", label);
    this.failed.type = "checkbox";
    label.append(" only failed");
    this.failed.onchange = () => this.want({ error: this.failed.checked });
    this.clear = button("agk-button agk-clear", "Clear", form, {
      title: "Show all again",
      onclick: () => {
        this.text.value = "";
        this.want(NOT_WANTED);
        this.text.focus();
      },
    });
  }

  buildTable(holder) {
    this.scroller = holder;
    const table = element("table", "agk-traces", holder);
    element("caption", "agk-by", table, "Traces. Arrow keys go from one to the next, Enter opens one.");
    const head = element("tr", "", element("thead", "", table));
    this.heads = {};
    for (const [key, name] of COLUMNS) {
      const cell = element("th", `agk-col-${key}`, head);
      cell.scope = "col";
      button("agk-sort", name, cell, { title: `Sort by ${name.toLowerCase()}`, onclick: () => this.sortBy(key) });
      this.heads[key] = cell;
    }
    this.body = element("tbody", "", table);
    this.body.onkeydown = (event) => this.keyInTable(event);
    this.nothing = element("div", "agk-nothing", holder, "Nothing here. Traces of every run on this machine will be.");
    this.nothing.hidden = true;
  }

  buildPages(nav) {
    nav.setAttribute("aria-label", "Pages");
    this.pages = nav;
    const go = (name, label, page) => pictureButton(`agk-${name}-page`, name, label, nav, () => this.turn(page()));
    this.toFirst = go("first", "First page", () => 0);
    this.toPrevious = go("previous", "Previous page (Page up)", () => this.wanted.page - 1);
    this.place = element("span", "agk-place", nav);
    this.toNext = go("next", "Next page (Page down)", () => this.wanted.page + 1);
    this.toLast = go("last", "Last page", () => this.pageCount - 1);
  }

  // -- to the kernel

  want(change) {
    this.wanted = { ...this.wanted, page: 0, ...change };
    this.showWanted();
    this.setBusy(true);
    this.act({ kind: "list", ...this.wanted });
  }

  search() {
    clearTimeout(this.searching);
    if (this.text.value !== this.wanted.text) this.want({ text: this.text.value });
  }

  sortBy(key) {
    const again = this.wanted.sort === key;
    const first = !["agent", "question", "status"].includes(key);
    this.want({ sort: key, descending: again ? !this.wanted.descending : first });
  }

  turn(page) {
    if (page < 0 || page >= this.pageCount || page === this.wanted.page) return;
    this.focusFirst = this.body.contains(document.activeElement);
    this.want({ page });
  }

  // -- from the kernel

  show(message) {
    if (message.all) this.frame = message.all;
    if (message.list) this.showList(message.list);
    else if (message.trace) this.showTrace(message);
    else if (message.rows) this.trace.change(message);
    else if (message.details) this.trace.showDetails(message.details);
    else if (message.told !== undefined) this.tell(message.told);
  }

  showList(list) {
    this.setBusy(false);
    const wasOpen = !this.trace.root.hidden;
    this.trace.root.hidden = true;
    this.list.hidden = false;
    this.wanted = list.wanted;
    this.wanted.page = list.page;
    this.pageCount = list.pages;
    this.count.textContent = list.title;
    this.showWanted();
    this.showListed(list.rows);
    this.nothing.hidden = list.rows.length > 0;
    this.pages.hidden = list.pages < 2;
    this.place.textContent = `Page ${(list.page + 1).toLocaleString("en")} of ${list.pages.toLocaleString("en")}`;
    this.toFirst.disabled = this.toPrevious.disabled = list.page === 0;
    this.toNext.disabled = this.toLast.disabled = list.page >= list.pages - 1;
    if (wasOpen || this.focusFirst) {
      const row = this.body.querySelector(`[data-trace="${wasOpen ? CSS.escape(this.trace.id ?? "") : ""}"]`);
      if (this.wantsFocus || this.focusFirst) (row ?? this.body.querySelector(".agk-open"))?.focus();
    }
    if (this.focusFirst) this.scroller.scrollTop = 0;
    this.wantsFocus = this.focusFirst = false;
  }

  showWanted() {
    const { wanted, frame, choices } = this;
    if (document.activeElement !== this.text) this.text.value = wanted.text;
    const named = (names, all) => [["", all], ...names.map((name) => [name, name])];
    setOptions(choices.agent, named(frame?.agents ?? [], "any agent"), wanted.agent);
    setOptions(choices.model, named(frame?.models ?? [], "any model"), wanted.model);
    setOptions(choices.status, named(frame?.statuses ?? [], "any status"), wanted.status);
    setOptions(choices.age, [["", "any time"], ...(frame?.ages ?? []).map((age) => [age, `last ${age}`])], wanted.age);
    setOptions(choices.rating, [["", "any rating"], ["up", "rated up"], ["down", "rated down"]], wanted.rating);
    this.failed.checked = wanted.error;
    this.clear.disabled = !Object.keys(NOT_WANTED).some((name) => wanted[name]);
    for (const [key, cell] of Object.entries(this.heads)) {
      const on = wanted.sort === key;
      cell.setAttribute("aria-sort", on ? (wanted.descending ? "descending" : "ascending") : "none");
    }
  }

  showListed(rows) {
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.trace : null;
    this.listed = rows;
    this.body.replaceChildren(...rows.map((row) => this.listedRow(row)));
    if (focused) this.body.querySelector(`[data-trace="${CSS.escape(focused)}"]`)?.focus();
  }

  listedRow(row) {
    const made = element("tr", row.state ? "agk-not-ok" : "");
    made.onclick = () => !this.isSelecting() && this.open(row.trace_id);
    const status = element("td", "agk-col-status", made);
    const running = row.status === "running";
    const css = running ? "agk-running" : row.state ? "agk-no" : "agk-ok";
    element("span", css, status, running ? row.state : row.state ? `■ ${row.state}` : "✓ ok");
    const started = element("td", "agk-col-started", made, whenIs(row.started_ms));
    started.title = `${row.started} UTC`;
    element("td", "agk-col-agent", made, row.agents).title = row.agents;
    const asked = element("td", "agk-col-question", made);
    const open = button("agk-open", row.question || "(nothing was asked)", asked, {
      title: row.question || "(nothing was asked)",
      onclick: (event) => {
        event.stopPropagation();
        this.open(row.trace_id);
      },
    });
    const told = [row.state || "ok", row.agents, row.question || "nothing was asked", row.error, row.duration];
    open.setAttribute("aria-label", `Open: ${told.filter(Boolean).join(", ")}`);
    open.dataset.trace = row.trace_id;
    if (row.error) {
      const error = element("div", "agk-listed-error", asked);
      element("span", "agk-no", error, "✗ ");
      error.append(row.error);
      error.title = row.error;
    }
    element("td", "agk-col-duration", made, row.duration);
    element("td", "agk-col-tokens", made, row.tokens);
    element("td", "agk-col-cost", made, row.cost);
    this.noted(element("td", "agk-col-rating", made), row);
    return made;
  }

  // Whether text of the table is being selected, to be copied: then a click is part of that.
  isSelecting() {
    const selection = window.getSelection();
    return !selection.isCollapsed && this.body.contains(selection.anchorNode);
  }

  noted(cell, row) {
    if (row.rating) {
      const thumb = element("span", `agk-thumb agk-thumb-${row.rating}`, cell);
      thumb.append(picture("up"));
      thumb.setAttribute("role", "img");
      thumb.setAttribute("aria-label", `rated ${row.rating}`);
      thumb.title = `rated ${row.rating}`;
    }
    if (row.mark) element("span", `agk-chip agk-mark-${MARKS.includes(row.mark) ? row.mark : "own"}`, cell, row.mark);
    if (row.comment) element("span", "agk-remarked", cell, "✎").title = row.comment;
  }

  showTrace(message) {
    this.setBusy(false);
    this.list.hidden = true;
    this.trace.open(message);
  }

  // -- what the reader does

  open(id) {
    this.wantsFocus = true;
    this.act({ kind: "open", trace: id });
  }

  back() {
    this.wantsFocus = true;
    this.act({ kind: "list", ...this.wanted });
  }

  // The traces above and below one on the page of the list.
  neighbours(id) {
    const at = this.listed.findIndex((row) => row.trace_id === id);
    return at < 0 ? [null, null] : [this.listed[at - 1]?.trace_id ?? null, this.listed[at + 1]?.trace_id ?? null];
  }

  step(by) {
    const [above, below] = this.neighbours(this.trace.id);
    const to = by < 0 ? above : below;
    if (to) this.open(to);
  }

  key(event) {
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "Escape" && !this.trace.root.hidden) {
      event.preventDefault();
      if (typing) this.trace.elements.get(this.trace.chosen)?.focus();
      else this.back();
    } else if (event.key === "/" && !typing && !this.list.hidden) {
      event.preventDefault();
      this.text.focus();
    }
  }

  keyInTable(event) {
    const buttons = [...this.body.querySelectorAll(".agk-open")];
    const at = buttons.indexOf(document.activeElement);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const next = buttons[Math.max(0, Math.min(buttons.length - 1, to))];
      next.focus({ preventScroll: true });
      scrollWithin(this.scroller, next.closest("tr"));
    } else if (event.key === "PageDown" || event.key === "PageUp") {
      event.preventDefault();
      this.turn(this.wanted.page + (event.key === "PageDown" ? 1 : -1));
    }
  }

  // -- when it is over

  rest() {
    super.rest();
    for (const timer of [this.searching, this.trace.asking]) clearTimeout(timer);
    this.trace.rest();
  }
}

function whenIs(ms) {
  const then = new Date(ms);
  const two = (number) => String(number).padStart(2, "0");
  const time = `${two(then.getHours())}:${two(then.getMinutes())}:${two(then.getSeconds())}`;
  if (then.toDateString() === new Date().toDateString()) return time;
  const day = `${two(then.getMonth() + 1)}-${two(then.getDate())}`;
  return then.getFullYear() === new Date().getFullYear() ? `${day} ${time.slice(0, 5)}` : `${then.getFullYear()}-${day}`;
}

export default { render: rendering(BrowserView) };
