// What `agentkit.testing.accessibility` asks a page. Evaluates to an object of functions.
(() => {
  const INTERACTIVE =
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=link], [role=checkbox]," +
    " [role=switch], [role=tab], [role=menuitem], [contenteditable=true], [tabindex]:not([tabindex='-1'])";
  // In these only one element is a tab stop, and the arrow keys lead on.
  const ROVING = "[role=toolbar], [role=tablist], [role=menu], [role=listbox], [role=radiogroup], [role=tree]";

  const isVisible = (element) => {
    if (!element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: false })) return false;
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0;
  };

  const within = (selector) => {
    const roots = [...document.querySelectorAll(selector)].filter(isVisible);
    return roots.filter((root) => !roots.some((other) => other !== root && other.contains(root)));
  };

  const describe = (element) => {
    const names = [...element.classList].filter((name) => name.startsWith("agk")).map((name) => `.${name}`);
    const own = names.length ? names : [...element.classList].slice(0, 2).map((name) => `.${name}`);
    const text = (element.textContent || element.value || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `<${element.tagName.toLowerCase()}${own.join("")}>${text ? ` "${text}"` : ""}`;
  };

  const isEnabled = (element) => !element.matches(":disabled, [aria-disabled=true]");

  // Every element that one can act on; of a group of radio buttons the first.
  const controls = (selector) => {
    const groups = new Set();
    return within(selector)
      .flatMap((root) => [root, ...root.querySelectorAll(INTERACTIVE)])
      .filter((element) => element.matches(INTERACTIVE) && isVisible(element) && isEnabled(element))
      .filter((element) => {
        if (element.type !== "radio") return true;
        const group = `${element.name} ${element.form?.id}`;
        return groups.has(group) ? false : groups.add(group);
      });
  };

  // -- the keyboard ---------------------------------------------------------------------------------------------------

  const LOOK = ["outlineStyle", "outlineWidth", "outlineColor", "boxShadow", "borderColor", "borderWidth", "backgroundColor",
    "textDecorationLine"];

  // How an element, and what lies around it, looks: focus may be shown by a label or by a frame around the field.
  const look = (element) =>
    [element, element.parentElement, element.parentElement?.parentElement, element.nextElementSibling, ...(element.labels ?? [])]
      .map((near) => {
        if (!near) return "";
        const style = getComputedStyle(near);
        return LOOK.map((name) => (style.outlineStyle === "none" && name.startsWith("outline") ? "" : style[name])).join("|");
      })
      .join("\n");

  // Animations are put to their end: what counts is where they lead.
  const settle = () => {
    for (const running of document.getAnimations()) {
      if (running.effect?.getTiming().iterations !== Infinity) running.finish();
    }
  };

  let walk;

  // Begin at the first control of the first area; false where there is none.
  const enter = (selector) => {
    document.activeElement?.blur();
    settle();
    const found = controls(selector);
    walk = { roots: within(selector), controls: found, looks: found.map(look), reached: new Set(), unmarked: new Set() };
    return enterNext();
  };

  // Go on in the next area in which no control has had the focus yet; false where there is none.
  const enterNext = () => {
    const isNew = (root) => ![...walk.reached].some((element) => root.contains(element));
    const next = walk.controls.find((element) => walk.roots.some((root) => root.contains(element) && isNew(root)));
    next?.focus();
    return Boolean(next) && noteFocus();
  };

  // Note where the focus is; tells whether that is still inside.
  const noteFocus = () => {
    const focused = document.activeElement;
    const index = walk.controls.indexOf(focused);
    if (index >= 0 && !walk.reached.has(focused)) {
      settle();
      walk.reached.add(focused);
      if (look(focused) === walk.looks[index]) walk.unmarked.add(focused);
    }
    return walk.roots.some((root) => root.contains(focused));
  };

  const unreached = () =>
    walk.controls.filter((element) => !walk.reached.has(element) && !element.closest(ROVING)).map(describe);
  const withoutFocusMark = () => [...walk.unmarked].map(describe);

  // -- contrast: WCAG 2.2, 1.4.3 and, for signs that are no text, 1.4.11 -------------------------------------------------

  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  const parse = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };

  const over = (above, below) => {
    const share = above[3];
    return [0, 1, 2].map((i) => above[i] * share + below[i] * (1 - share)).concat(1);
  };

  const background = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color[3] > 0) layers.push(color);
      if (color[3] === 1) break;
    }
    return layers.reverse().reduce((below, above) => over(above, below), [255, 255, 255, 1]);
  };

  const opacity = (element) => {
    let share = 1;
    for (let at = element; at; at = at.parentElement) share *= Number(getComputedStyle(at).opacity);
    return share;
  };

  const luminance = (color) => {
    const [red, green, blue] = color.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };

  const ratio = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  const judge = (element, color, text) => {
    const below = background(element);
    const shown = parse(color);
    shown[3] *= opacity(element);
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const isSign = !/[\p{L}\p{N}]/u.test(text);
    const needed = large || isSign ? 3 : 4.5;
    const measured = ratio(over(shown, below), below);
    if (measured >= needed) return null;
    const rgb = (of) => `rgb(${of.slice(0, 3).map(Math.round).join(",")})`;
    return `contrast ${measured.toFixed(2)}, needs ${needed}: "${text.slice(0, 40)}" ${rgb(over(shown, below))} on ${rgb(below)}`;
  };

  const contrast = (selector) => {
    const found = new Set();
    for (const root of within(selector)) {
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const [element, text] = [node.parentElement, node.data.trim()];
        if (!text || !isVisible(element) || element.closest(":disabled, style, script, title")) continue;
        const problem = judge(element, getComputedStyle(element).color, text);
        if (problem) found.add(`${problem} in ${describe(element).split(" ")[0]}`);
      }
      for (const field of root.querySelectorAll("input[placeholder], textarea[placeholder]")) {
        if (!isVisible(field) || field.value || !isEnabled(field)) continue;
        const problem = judge(field, getComputedStyle(field, "::placeholder").color, field.placeholder);
        if (problem) found.add(`${problem} in ${describe(field).split(" ")[0]}`);
      }
    }
    return [...found];
  };

  return { controls, describe, enter, enterNext, noteFocus, unreached, withoutFocusMark, contrast };
})();
