// Whether the notebook keeps what a widget shows: in an output with the class `digest`, made of what is in it. What
// replaces that output comes before what tells of it; once the page was loaded anew, nothing replaces it any more.

const KEPT_MS = 2000;

class KeptWatch {
  // `told` is called with whether the kept output lags behind; that it does counts after KEPT_MS, looked at `everyMs` apart.
  constructor(root, told, everyMs = KEPT_MS) {
    this.root = root;
    this.told = told;
    this.everyMs = everyMs;
  }

  watch(digest) {
    if (this.digest === digest && this.looking) return;
    if (this.digest !== digest && !this.lags) delete this.root.dataset.kept; // not known yet
    this.digest = digest;
    this.since = performance.now();
    clearTimeout(this.looking);
    this.looking = setTimeout(() => this.look(), this.everyMs);
  }

  look() {
    const lags = !this.isKept();
    const early = lags && performance.now() - this.since < KEPT_MS - 100;
    // another cell may show it by then
    this.looking = lags ? setTimeout(() => this.look(), early ? this.everyMs : KEPT_MS) : null;
    if (early) return;
    this.lags = lags;
    this.root.dataset.kept = lags ? "in part" : "all"; // style sheets hide the output above where it has all
    this.told(lags);
  }

  isKept() {
    const area = this.root.closest(".jp-OutputArea");
    if (!this.digest || !area || !this.root.isConnected) return true; // there is no telling
    const kept = `.agk.${CSS.escape(this.digest)}`;
    return Boolean(area.querySelector(kept) ?? area.closest(".jp-Notebook")?.querySelector(kept));
  }

  stop() {
    clearTimeout(this.looking);
    this.looking = null;
  }
}
