// A fine-tuning job in a cell while it trains. Its pieces are HTML that the kernel has made safe; all else is put in as
// text. Once it is over, what the notebook keeps takes this one's place.

const PIECES = ["bar", "model", "error", "plots", "checkpoints", "events"];
const ACTIONS = {
  pause: ["Pause", "Pause: let it rest after the step that it is at"],
  resume: ["Resume", "Resume: go on where it was"],
  cancel: ["Cancel", "Cancel: end the training; its checkpoints stay"],
};
const OVER_MS = 50;

class JobView extends BrowsingView {
  constructor(model, el) {
    super(model, el, { className: "agk-job agk-tune", label: "Fine-tuning job", shown: "this job", ended: "this view" });
    this.pieces = {};
    this.build();
    this.root.style.display = "none"; // until there is something to show, what is kept says it
    this.root.dataset.kept = "in part";
    this.begin();
  }

  build() {
    const head = element("div", "agk-th", this.root);
    this.pieces.state = element("span", "agk-job-state", head, "Looking at the job…");
    this.controls = element("span", "agk-job-controls", head);
    for (const name of PIECES) this.pieces[name] = element("div", `agk-job-${name}`, this.root);
    this.note = element("div", "agk-f agk-job-note", this.root);
    this.note.hidden = true;
    this.spoken = element("div", "agk-by", this.root);
    this.spoken.setAttribute("aria-live", "polite");
  }

  show(message) {
    if (this.root.style.display) {
      this.root.style.display = "";
      delete this.root.dataset.kept;
    }
    const told = message.all ?? message;
    for (const [name, html] of Object.entries(told.pieces ?? {})) this.put(name, html);
    if (told.can) this.showControls(told);
    if (told.note !== undefined) {
      this.note.textContent = told.note;
      this.note.hidden = !told.note;
    }
    if (message.over !== undefined) this.makeWay(message.over);
  }

  // What the reader has unfolded, and how far it was scrolled, stays so.
  put(name, html) {
    const place = this.pieces[name];
    if (!place) return;
    const open = place.querySelector("details")?.open;
    const list = place.querySelector(".agk-tv");
    const top = list?.scrollTop;
    place.innerHTML = html;
    const details = place.querySelector("details");
    if (details && open) details.open = true;
    if (top) place.querySelector(".agk-tv")?.scrollTo(0, top);
    if (name === "state") {
      const said = place.textContent;
      if (said !== this.said) this.spoken.textContent = this.said = said;
    }
  }

  // -- pause, resume, cancel

  showControls({ can, asked, job }) {
    this.job = job;
    this.setBusy(Boolean(asked));
    const wanted = `${can.join()}|${asked}`;
    if (this.shownControls === wanted) return;
    this.shownControls = wanted;
    const focused = this.controls.contains(document.activeElement);
    this.controls.replaceChildren();
    for (const name of can) {
      const [label, title] = ACTIONS[name];
      const made = button(`agk-button agk-job-${name}`, label, this.controls, {
        title,
        onclick: () => (name === "cancel" ? this.askToCancel() : this.want(name)),
      });
      made.disabled = Boolean(asked);
    }
    if (asked) element("span", "agk-d agk-running", this.controls, `${asked}…`);
    else if (focused) this.controls.querySelector("button")?.focus();
  }

  want(name) {
    for (const control of this.controls.querySelectorAll("button")) control.disabled = true;
    this.act({ kind: name });
  }

  askToCancel() {
    const before = this.shownControls;
    this.shownControls = "cancel?";
    const keep = () => {
      this.shownControls = null;
      const [can, asked] = before.split("|");
      this.showControls({ can: can ? can.split(",") : [], asked, job: this.job });
      this.controls.querySelector(".agk-job-cancel")?.focus();
    };
    this.controls.replaceChildren(element("span", "", null, "End it for good?"));
    button("agk-button agk-yes", "Cancel the job", this.controls, { onclick: () => this.want("cancel") });
    button("agk-button agk-keep", "Keep training", this.controls, { onclick: keep }).focus();
    this.unask = keep;
  }

  key(event) {
    if (event.key === "Escape" && this.shownControls === "cancel?") {
      event.preventDefault();
      this.unask();
    }
  }

  // -- the end

  // The job is over, or nobody waits any more: what is kept says it all, once it has come.
  makeWay(digest) {
    this.over = true;
    this.controls.replaceChildren();
    this.kept.stop();
    this.kept = new KeptWatch(this.root, (lags) => (lags ? this.showLag(true) : this.leave()), OVER_MS);
    this.kept.watch(digest);
  }

  // Nothing is sent after that: the kernel closes the channel, and what comes late would be an error there.
  leave() {
    this.rest();
    this.send({ kind: "kept" });
    this.gone = true;
    this.root.remove();
  }

  showLag(lags) {
    if (lags && this.lag.hidden) {
      const told = "The notebook does not keep what is shown here: since the page was loaded anew, the output above no longer follows it. To keep it, run in a new cell: ";
      this.lag.replaceChildren(element("span", "", null, told), element("code", "agk-again", null, `%finetune watch ${this.job ?? ""}`));
    }
    this.lag.hidden = !lags;
  }

  // The kernel has ended or begun anew; the job has not.
  end() {
    if (this.gone) return;
    super.end();
    if (this.over) return;
    const told = `${GONE}, and this view with it. The job itself goes on. In a new cell: `;
    this.banner.replaceChildren(element("span", "", null, told), element("code", "agk-again", null, `%finetune watch ${this.job ?? ""}`));
  }
}

export default { render: rendering(JobView) };
