// Small parts of the browser of traces: choices, and what a reader notes on a trace or a step.

function choice(className, label, parent, onchange) {
  const made = element("select", `agk-choice ${className}`, parent);
  made.setAttribute("aria-label", label);
  made.title = label;
  made.onchange = onchange;
  return made;
}

// Fill a choice with `options`, pairs of a value and what is shown; what is chosen stays, and is added where it is missing.
function setOptions(select, options, value) {
  const known = options.some(([each]) => each === value);
  const all = known || !value ? options : [...options, [value, value]];
  const shown = JSON.stringify(all);
  if (select.agentkitShown !== shown) {
    // only then: the list may be unfolded
    select.agentkitShown = shown;
    select.replaceChildren();
    for (const [each, text] of all) element("option", "", select, text).value = each;
  }
  select.value = value ?? "";
  select.classList.toggle("agk-chosen", Boolean(value));
}

const MARKS = ["check", "good", "bug"];

// A reader's mark and comment. `send` takes `{mark}` or `{comment}`; `what` says on what they are.
class NoteBar {
  constructor(parent, what, send) {
    this.send = send;
    this.root = element("div", "agk-notes", parent);
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", `Your notes on ${what}`);
    this.marks = element("span", "agk-marks", this.root);
    this.comment = element("input", "agk-field agk-comment", this.root);
    this.comment.type = "text";
    this.comment.placeholder = "Comment";
    this.comment.maxLength = 4000;
    this.comment.setAttribute("aria-label", `Comment on ${what}; Enter keeps it`);
    this.comment.onchange = () => this.keep();
    this.comment.onkeydown = (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        this.keep();
      }
    };
    this.kept = "";
  }

  keep() {
    const comment = this.comment.value.trim();
    if (comment === this.kept) return;
    this.kept = comment;
    this.send({ comment });
  }

  show({ mark, comment }) {
    const focused = this.marks.contains(document.activeElement) ? document.activeElement.textContent : null;
    this.marks.replaceChildren();
    for (const word of mark && !MARKS.includes(mark) ? [...MARKS, mark] : MARKS) {
      const on = word === mark;
      const title = on ? `Take the mark ${word} away` : `Mark as ${word}`;
      const made = button(`agk-mark agk-mark-${MARKS.includes(word) ? word : "own"}`, word, this.marks, {
        title,
        onclick: () => this.send({ mark: on ? "" : word }),
      });
      made.setAttribute("aria-pressed", String(on));
      if (word === focused) made.focus();
    }
    this.kept = comment;
    if (document.activeElement !== this.comment) this.comment.value = comment;
  }
}

// Thumbs, and a remark to go with one. `send` takes `{rating, remark}`.
class RatingBar {
  constructor(parent, send) {
    this.send = send;
    this.rating = "";
    this.root = element("div", "agk-rating", parent);
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "What you think of the answer");
    this.thumbs = ["up", "down"].map((name) =>
      pictureButton(`agk-${name}`, "up", name === "up" ? "Good answer" : "Bad answer", this.root, () => {
        const rating = this.rating === name ? "" : name;
        this.send({ rating, remark: rating ? this.remark.value.trim() : "" });
      }),
    );
    this.remark = element("input", "agk-field agk-remark", this.root);
    this.remark.type = "text";
    this.remark.placeholder = "Why?";
    this.remark.setAttribute("aria-label", "Remark on the answer; Enter keeps it");
    this.remark.onchange = () => this.keep();
    this.remark.onkeydown = (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        this.keep();
      }
    };
  }

  keep() {
    if (this.rating && this.remark.value.trim() !== this.kept) {
      this.kept = this.remark.value.trim();
      this.send({ rating: this.rating, remark: this.kept });
    }
  }

  show({ rating, remark }) {
    this.rating = rating;
    this.kept = remark;
    ["up", "down"].forEach((name, index) => this.thumbs[index].setAttribute("aria-pressed", String(name === rating)));
    if (document.activeElement !== this.remark) this.remark.value = remark;
    this.remark.hidden = !rating;
  }
}
