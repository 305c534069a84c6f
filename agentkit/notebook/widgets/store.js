// A store in a cell. Nothing is kept here: the platform has the files, and the output above what was shown. All that
// comes from files or from the platform is put in as text, never as HTML.

const ANSWER_MS = 5000;
const ALIVE_MS = 3000;
const ASK_MS = 600;
const MOST_ASKS = 20;
const LAGS =
  "The notebook does not keep what is shown here: since the page was loaded anew, the output above no longer follows it. Run the cell again, or show this store in a new cell.";
const NO_SHORTCUTS = "data-lm-suppress-shortcuts"; // the notebook's own keys do nothing in here
const SIGNS = { completed: "✓", failed: "✗", in_progress: "…", cancelled: "■" };

class StoreView {
  constructor(model, el) {
    this.model = model;
    this.next = null;
    this.files = [];
    this.jobs = [];
    this.build(el);
    this.kept = new KeptWatch(this.root, (lags) => this.showLag(lags));
    this.observe();
    let asked = 0;
    this.asking = setInterval(() => (this.next !== null || ++asked > MOST_ASKS ? clearInterval(this.asking) : this.ask()), ASK_MS);
    this.ask();
  }

  build(el) {
    this.root = element("div", "agk agk-store agk-control jp-RenderedHTMLCommon", el);
    this.root.setAttribute("role", "region");
    this.root.setAttribute("aria-label", "Vector store");
    this.root.setAttribute(NO_SHORTCUTS, "true");
    this.early = (event) => this.letSave(event);
    window.addEventListener("keydown", this.early, true); // before the notebook looks at the key
    this.root.onkeydown = (event) => this.key(event);
    this.banner = element("div", "agk-banner", this.root);
    this.banner.setAttribute("role", "alert");
    this.banner.hidden = true;
    this.lag = element("div", "agk-banner agk-lag", this.root);
    this.lag.setAttribute("role", "status");
    this.lag.hidden = true;
    const head = element("div", "agk-store-head", this.root);
    this.title = element("span", "agk-h", head, "Vector store");
    this.count = element("span", "agk-count agk-d", head, "Reading…");
    this.count.setAttribute("aria-live", "polite");
    this.refresh = button("agk-button agk-refresh", "Refresh", head, {
      title: "Look at the store again",
      onclick: () => this.act({ kind: "refresh" }),
    });
    this.ranking = element("div", "agk-ranking agk-d", this.root);
    this.uploads = new StoreUploads(
      (content, buffers) => this.send(content, buffers),
      (text) => this.tell(text),
      () => this.showJobs(),
    );
    this.buildDrop();
    this.buildSearch();
    this.jobList = element("ul", "agk-jobs", this.root);
    this.jobList.setAttribute("aria-label", "Files on their way");
    this.jobList.hidden = true;
    this.buildFiles();
    this.spoken = element("div", "agk-by", this.root);
    this.spoken.setAttribute("aria-live", "polite");
  }

  buildDrop() {
    const drop = element("label", "agk-drop-here", this.root);
    element("span", "agk-drop-text", drop, "Drop files or folders here, or ");
    element("span", "agk-choose", drop, "choose files");
    this.input = element("input", "agk-chooser", drop);
    this.input.type = "file";
    this.input.multiple = true;
    this.input.setAttribute("aria-label", "Choose files to put into the store");
    this.input.onchange = () => {
      const files = [...this.input.files].map((file) => [file.name, file]);
      this.input.value = "";
      this.uploads.add(files);
    };
    const has = (event) => event.dataTransfer?.types.includes("Files");
    for (const name of ["dragenter", "dragover", "dragleave", "drop"])
      this.root.addEventListener(name, async (event) => {
        if (!has(event) || this.gone) return;
        event.preventDefault();
        event.stopPropagation();
        const away = name === "drop" || (name === "dragleave" && !this.root.contains(event.relatedTarget));
        this.root.classList.toggle("agk-dropping", !away);
        if (name !== "drop") return;
        try {
          this.uploads.add(await droppedFiles(event.dataTransfer));
        } catch (error) {
          this.tell(`What was dropped can't be read: ${error.message}`);
        }
      });
  }

  buildSearch() {
    const form = element("form", "agk-store-search", this.root);
    form.setAttribute("role", "search");
    form.onsubmit = (event) => {
      event.preventDefault();
      this.root.setAttribute("aria-busy", "true");
      this.act({ kind: "search", text: this.text.value });
    };
    this.text = element("input", "agk-field agk-search", form);
    this.text.type = "search";
    this.text.placeholder = "Ask the files";
    this.text.maxLength = 4096;
    this.text.setAttribute("aria-label", "What to look for in the files; Enter searches");
    this.text.addEventListener("search", () => this.text.value || form.requestSubmit()); // the field's own ×
    const go = element("button", "agk-button agk-go", form, "Search");
    go.type = "submit";
    this.results = element("section", "agk-results", this.root);
    this.results.setAttribute("aria-label", "Passages");
    this.results.hidden = true;
  }

  buildFiles() {
    const holder = element("div", "agk-table", this.root);
    const table = element("table", "agk-files-table", holder);
    element("caption", "agk-by", table, "Files in the store");
    const head = element("tr", "", element("thead", "", table));
    for (const name of ["File", "Status", "Size", ""]) {
      const cell = element("th", "", head, name);
      cell.scope = "col";
      if (!name) element("span", "agk-by", cell, "Delete");
    }
    this.body = element("tbody", "", table);
    this.more = element("div", "agk-more agk-d", holder);
    this.holder = holder;
  }

  // -- to the kernel

  send(content, buffers) {
    if (!this.gone) this.model.send(content, undefined, buffers);
  }

  ask() {
    this.send({ kind: "ready" });
  }

  // Something that the reader did: the kernel has to answer.
  act(content) {
    this.hideBanner();
    this.send(content);
    if (this.waiting || this.gone) return;
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.silent = true;
      this.tell("The kernel hasn't answered yet. It may be busy, or gone; this goes on when it does.");
    }, ANSWER_MS);
  }

  // Tell the kernel whether this can be seen: only then does it look for news.
  observe() {
    this.seen = false;
    this.observer = new IntersectionObserver(([entry]) => {
      this.seen = entry.isIntersecting;
      this.beat();
    });
    this.observer.observe(this.root);
    this.onVisibility = () => this.beat();
    document.addEventListener("visibilitychange", this.onVisibility);
    this.beating = setInterval(() => this.seen && document.visibilityState === "visible" && this.beat(), ALIVE_MS);
  }

  beat() {
    this.send({ kind: "alive", visible: this.seen && document.visibilityState === "visible" });
  }

  // -- from the kernel

  receive(message) {
    clearTimeout(this.waiting);
    this.waiting = null;
    if (this.silent) this.hideBanner();
    this.silent = false;
    if (!message.all && message.n !== this.next) {
      if (this.next !== null) this.ask();
      this.next = null;
      return;
    }
    this.next = message.n + 1;
    if (message.kept !== undefined && !this.gone) this.kept.watch(message.kept);
    if (message.all) this.showAll(message.all);
    if (message.listed) this.showFiles(message.listed);
    if (message.jobs) this.takeJobs(message.jobs);
    if (message.found !== undefined) this.showFound(message.found);
    if (message.deleted !== undefined) this.say(`${message.deleted} was deleted.`);
    if (message.told !== undefined) this.tell(message.told);
  }

  showAll(all) {
    this.title.textContent = all.name;
    this.root.setAttribute("aria-label", `Vector store ${all.name}`);
    this.uploads.mostBytes = all.most_bytes;
    this.takeJobs(all.jobs);
    this.showFiles(all);
    this.showFound(all.found);
  }

  showFiles({ files, count, hidden, ranking }) {
    this.root.removeAttribute("aria-busy");
    this.count.textContent = count;
    this.ranking.textContent = ranking;
    this.ranking.hidden = !ranking;
    this.files = files;
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.file : null;
    const asked = this.asked && files.some((file) => file.id === this.asked) ? this.asked : null;
    this.asked = asked;
    this.body.replaceChildren(...files.map((file) => this.fileRow(file)));
    this.holder.hidden = files.length === 0;
    this.more.textContent = hidden ? `… ${hidden.toLocaleString("en")} more: store.files has all` : "";
    if (focused) this.focusRow(focused);
  }

  fileRow(file) {
    const made = element("tr", `agk-file-${file.state || "other"}`);
    const name = element("td", "agk-file-name", made, file.name);
    name.title = file.name;
    if (file.reason) element("div", "agk-file-reason agk-d", name, file.reason);
    const status = element("td", "agk-file-status", made);
    const css = { completed: "agk-ok", failed: "agk-no" }[file.state] ?? "agk-d";
    element("span", css, status, `${SIGNS[file.state] ?? "·"} ${file.status}`);
    element("td", "agk-file-size agk-d", made, file.size);
    this.deleting(element("td", "agk-file-delete", made), file);
    return made;
  }

  // A button that deletes a file, once one has said so a second time.
  deleting(cell, file) {
    if (this.asked !== file.id) {
      const ask = button("agk-button agk-delete", "Delete", cell, {
        title: `Delete ${file.name}`,
        onclick: () => this.askToDelete(file.id),
      });
      ask.dataset.file = file.id;
      return;
    }
    const group = element("span", "agk-sure", cell);
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", `Delete ${file.name} for good?`);
    element("span", "agk-d", group, "For good? ");
    const yes = button("agk-button agk-no agk-yes", "Delete", group, {
      title: `Yes, delete ${file.name}`,
      onclick: () => {
        yes.disabled = no.disabled = true;
        this.act({ kind: "delete", file: file.id });
      },
    });
    const no = button("agk-button agk-keep", "Keep", group, {
      title: `Keep ${file.name}`,
      onclick: () => this.askToDelete(null, file.id),
    });
    no.dataset.file = file.id;
  }

  askToDelete(id, focus = id) {
    const before = this.asked;
    this.asked = id;
    const rows = [...this.body.children];
    this.files.forEach((file, at) => {
      if (file.id === id || file.id === before) rows[at].replaceWith(this.fileRow(file));
    });
    this.focusRow(focus);
  }

  focusRow(id) {
    const there = this.body.querySelector(`[data-file="${CSS.escape(id ?? "")}"]`);
    (there ?? this.body.querySelector(".agk-delete") ?? this.text)?.focus();
  }

  takeJobs(jobs) {
    this.jobs = jobs;
    this.uploads.has(jobs.map((job) => job.key));
    const known = new Set(jobs.map((job) => job.key));
    for (const job of this.told ?? []) if (!known.has(job.key) && !job.failed) this.say(`${job.name} is in the store.`);
    for (const job of jobs) {
      const was = (this.told ?? []).find((each) => each.key === job.key);
      if (job.failed && !was?.failed) this.say(`${job.name} failed: ${job.reason}`);
    }
    this.told = jobs;
    this.showJobs();
  }

  showJobs() {
    const all = [...this.jobs, ...this.uploads.coming.values()];
    this.jobList.hidden = all.length === 0;
    this.jobList.replaceChildren(...all.map((job) => this.jobRow(job)));
  }

  jobRow(job) {
    const made = element("li", job.failed ? "agk-job agk-job-failed" : "agk-job");
    element("span", job.failed ? "agk-no" : "agk-running", made, job.failed ? "✗ " : "");
    element("span", "agk-n", made, job.name);
    element("span", "agk-d", made, ` ${[job.size, job.state].filter(Boolean).join(" · ")}`);
    if (job.reason) element("div", "agk-file-reason", made, job.reason);
    if (job.failed)
      button("agk-button agk-dismiss", "Dismiss", made, {
        title: `Dismiss ${job.name}`,
        onclick: () => {
          this.uploads.has([job.key]);
          this.jobs = this.jobs.filter((each) => each.key !== job.key);
          this.send({ kind: "dismiss", key: job.key });
          this.showJobs();
          this.text.focus();
        },
      });
    else {
      const bar = element("progress", "agk-job-bar", made);
      bar.setAttribute("aria-label", `${job.name}: ${job.state}`);
    }
    return made;
  }

  showFound(found) {
    this.root.removeAttribute("aria-busy");
    this.results.replaceChildren();
    this.results.hidden = !found;
    if (!found) return;
    const count = found.rows.length;
    const told = count ? `${count} passage${count === 1 ? "" : "s"}` : "Nothing was found";
    element("div", "agk-results-head agk-d", this.results, `${told} for “${found.query}”`);
    const list = element("ol", "agk-passages", this.results);
    for (const row of found.rows) {
      const made = element("details", "agk-passage", element("li", "", list));
      const summary = element("summary", "", made);
      const head = element("div", "agk-passage-head", summary);
      element("span", "agk-n", head, row.file);
      element("span", "agk-fs", head, ` ${row.told}`);
      this.pieces(element("div", "agk-fe", summary), row.short);
      this.pieces(element("div", "agk-ft", made), row.whole);
    }
    this.say(told);
  }

  pieces(parent, pieces) {
    for (const [text, marked] of pieces) {
      if (marked) element("mark", "", parent, text);
      else parent.append(text);
    }
  }

  // -- what the reader does

  key(event) {
    if (saves(event)) return;
    event.stopPropagation();
    const typing = event.target.matches("input");
    if (event.key === "Escape" && this.asked) {
      event.preventDefault();
      this.askToDelete(null, this.asked);
    } else if (event.key === "/" && !typing) {
      event.preventDefault();
      this.text.focus();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.matches("summary")) {
      event.preventDefault();
      const all = [...this.results.querySelectorAll("summary")];
      all[all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    }
  }

  // Of the notebook's keys one goes on working: what saves it.
  letSave(event) {
    if (!this.root.contains(event.target)) return;
    if (saves(event)) this.root.removeAttribute(NO_SHORTCUTS);
    else this.root.setAttribute(NO_SHORTCUTS, "true");
  }

  // -- what else there is to say

  say(text) {
    this.spoken.textContent = text;
  }

  tell(text) {
    this.root.removeAttribute("aria-busy");
    this.banner.replaceChildren(element("span", "", null, text));
    button("agk-button agk-dismiss", "Dismiss", this.banner, { onclick: () => this.hideBanner() });
    this.banner.hidden = false;
  }

  hideBanner() {
    if (!this.gone) this.banner.hidden = true;
  }

  showLag(lags) {
    if (lags && this.lag.hidden) this.lag.replaceChildren(element("span", "", null, LAGS));
    this.lag.hidden = !lags;
  }

  // The kernel has ended or begun anew: what is shown stays, and is kept in the notebook.
  end() {
    if (this.gone) return;
    this.gone = this.uploads.gone = true;
    this.stopTimers();
    for (const control of this.root.querySelectorAll("input, button")) control.disabled = true;
    this.banner.replaceChildren(element("span", "", null, `${GONE}, and this view with it. Run the cell again for another.`));
    this.banner.hidden = false;
    this.lag.hidden = true;
  }

  stopTimers() {
    this.kept.stop();
    clearTimeout(this.waiting);
    clearInterval(this.beating);
    clearInterval(this.asking);
  }

  close() {
    this.stopTimers();
    this.observer.disconnect();
    document.removeEventListener("visibilitychange", this.onVisibility);
    window.removeEventListener("keydown", this.early, true);
    this.send({ kind: "alive", visible: false });
    this.gone = this.uploads.gone = true;
  }
}

function saves(event) {
  return (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s";
}

function render({ model, el }) {
  const store = new StoreView(model, el);
  const receive = (message) => store.receive(message);
  const closed = () => store.end();
  const leave = whenGone(model, closed);
  model.on("msg:custom", receive);
  model.on("comm:close", closed);
  return () => {
    leave();
    store.close();
    model.off("msg:custom", receive);
    model.off("comm:close", closed);
  };
}

export default { render };
