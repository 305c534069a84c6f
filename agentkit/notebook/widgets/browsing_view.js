// A view on what the kernel reads, and follows for as long as it can be seen.

const ALIVE_MS = 3000;

// Whoever extends it has `show` for a message, and calls `begin` once it is built.
class BrowsingView extends CellView {
  // `label` says what it is; `shown` and `ended` are what the reader calls it where it can't be kept, and where it is over.
  constructor(model, el, { className, label, shown, ended }) {
    super(model, el, { className, silence: "this", answerMs: 5000 });
    this.shown = shown;
    this.ended = ended;
    this.root.setAttribute("aria-label", label);
    this.root.append(this.banner, this.lag);
  }

  begin() {
    this.observe();
    this.askUntilHeard();
  }

  ask() {
    this.send({ kind: "ready" });
  }

  // Tell the kernel whether this can be seen: only then does it look for news.
  observe() {
    this.onScreen = false;
    this.observer = new IntersectionObserver(([entry]) => {
      this.onScreen = entry.isIntersecting;
      this.beat();
    });
    this.observer.observe(this.root);
    this.onVisibility = () => this.beat();
    document.addEventListener("visibilitychange", this.onVisibility);
    this.beating = setInterval(() => this.isSeen && this.beat(), ALIVE_MS);
  }

  get isSeen() {
    return this.onScreen && document.visibilityState === "visible";
  }

  beat() {
    this.send({ kind: "alive", visible: this.isSeen });
  }

  receive(message) {
    this.heard();
    if (!this.isInOrder(message)) return;
    if (message.kept !== undefined && !this.gone) this.kept.watch(message.kept);
    this.show(message);
  }

  // Something was asked of the kernel, and what is shown is not yet the answer.
  setBusy(busy) {
    if (busy) this.root.setAttribute("aria-busy", "true");
    else this.root.removeAttribute("aria-busy");
  }

  tell(text) {
    this.setBusy(false);
    super.tell(text);
  }

  showLag(lags) {
    if (lags && this.lag.hidden) {
      const told = `The notebook does not keep what is shown here: since the page was loaded anew, the output above no longer follows it. Run the cell again, or show ${this.shown} in a new cell.`;
      this.lag.replaceChildren(element("span", "", null, told));
    }
    this.lag.hidden = !lags;
  }

  // The kernel has ended or begun anew: what is shown stays, and is kept in the notebook.
  end() {
    if (this.gone) return;
    this.gone = true;
    this.rest();
    for (const control of this.root.querySelectorAll("input, select, button")) control.disabled = true;
    this.banner.replaceChildren(element("span", "", null, `${GONE}, and ${this.ended} with it. Run the cell again for another.`));
    this.banner.hidden = false;
    this.lag.hidden = true;
  }

  rest() {
    super.rest();
    clearInterval(this.beating);
  }

  close() {
    super.close();
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.send({ kind: "alive", visible: false });
    this.gone = true;
  }
}
