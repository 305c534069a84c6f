// A store in a cell. Nothing is kept here: the platform has the files, and the output above what was shown. All that
// comes from files or from the platform is put in as text, never as HTML.

const SIGNS = { completed: "✓", failed: "✗", in_progress: "…", cancelled: "■" };

class StoreView extends BrowsingView {
  constructor(model, el) {
    super(model, el, { className: "agk-store", label: "Vector store", shown: "this store", ended: "this view" });
    this.files = [];
    this.jobs = [];
    this.build();
    this.begin();
  }

  build() {
    const head = element("div", "agk-store-head", this.root);
    this.title = element("span", "agk-h", head, "Vector store");
    this.count = element("span", "agk-count agk-d", head, "Reading…");
    this.count.setAttribute("aria-live", "polite");
    this.refresh = button("agk-button agk-refresh", "Refresh", head, {
      title: "Refresh: look at the store again",
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
    this.put = element("div", "agk-put agk-d", this.root);
    this.put.setAttribute("aria-live", "polite");
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
    const take = async (transfer) => {
      try {
        this.uploads.add(await droppedFiles(transfer));
      } catch (error) {
        this.tell(`What was dropped can't be read: ${error.message}`);
      }
    };
    takeDrops(this.root, take, () => !this.gone);
  }

  buildSearch() {
    const form = element("form", "agk-store-search", this.root);
    form.setAttribute("role", "search");
    form.onsubmit = (event) => {
      event.preventDefault();
      this.setBusy(true);
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

  // -- from the kernel

  show(message) {
    if (message.all) this.showAll(message.all);
    if (message.listed) this.showFiles(message.listed);
    if (message.jobs) this.takeJobs(message.jobs);
    if (message.found !== undefined) this.showFound(message.found);
    if (message.put !== undefined) this.showPut(message.put);
    if (message.deleted !== undefined) this.say(`${message.deleted} was deleted.`);
    if (message.told !== undefined) {
      this.tell(message.told);
      if (this.leaving) this.askToDelete(null, this.leaving.file); // the file is still there
    }
  }

  showAll(all) {
    this.title.textContent = all.name;
    this.root.setAttribute("aria-label", `Vector store ${all.name}`);
    this.uploads.mostBytes = all.most_bytes;
    this.takeJobs(all.jobs);
    this.showPut(all.put);
    this.showFiles(all);
    this.showFound(all.found);
  }

  showFiles({ files, count, hidden, ranking }) {
    this.setBusy(false);
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
    const left = this.leaving && !files.some((file) => file.id === this.leaving.file) ? this.leaving : null;
    if (left) this.leaving = null;
    // its button is gone, and the focus with it, unless the reader has gone elsewhere
    const lost = left && (document.activeElement === document.body || !document.activeElement?.isConnected);
    if (focused) this.focusRow(focused);
    else if (lost) this.focusRow(left.next);
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
        const at = this.files.findIndex((each) => each.id === file.id);
        this.leaving = { file: file.id, next: (this.files[at + 1] ?? this.files[at - 1])?.id };
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
    this.leaving = null;
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
    for (const job of jobs) {
      const was = (this.told ?? []).find((each) => each.key === job.key);
      if (job.failed && !was?.failed) this.say(`${job.name} failed: ${job.reason}`);
    }
    this.told = jobs;
    this.showJobs();
  }

  // What became of the files that were put in: they may have taken the place of others.
  showPut(text) {
    if (this.put.textContent !== text) this.put.textContent = text;
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
    this.setBusy(false);
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

  // -- what else there is to say

  say(text) {
    this.spoken.textContent = text;
  }

  dismissal(onclick) {
    button("agk-button agk-dismiss", "Dismiss", this.banner, { onclick });
  }

  rest() {
    super.rest();
    this.uploads.gone = true;
  }
}

export default { render: rendering(StoreView) };
