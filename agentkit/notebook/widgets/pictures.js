// Pictures on buttons.

const PICTURES = {
  attach: "M19 11.5l-7.4 7.4a4.6 4.6 0 0 1-6.5-6.5l7.8-7.8a3.1 3.1 0 0 1 4.4 4.4l-7.6 7.6a1.6 1.6 0 0 1-2.2-2.2l6.6-6.6",
  back: "M19 12H5M11 6l-6 6 6 6",
  bottom: "M12 5v14M6 13l6 6 6-6",
  close: "M7 7l10 10M17 7L7 17",
  copy: "M9 9h10v10H9zM5 15V5h10",
  done: "M5 12.5l4.5 4.5L19 7.5",
  edit: "M4.5 19.5l1-4.3L16.2 4.5l3.3 3.3L8.8 18.5z",
  first: "M17 6l-6 6 6 6M8 6v12",
  last: "M7 6l6 6-6 6M16 6v12",
  next: "M9.5 6l6 6-6 6",
  previous: "M14.5 6l-6 6 6 6",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4L19.5 9M19.5 4v5h-5",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  up: "M7.5 11v9H4v-9zM7.5 11l3.7-7.5c1.6 0 2.6 1 2.6 2.6V9.5h4.6a2 2 0 0 1 2 2.4l-1.2 6.4a2 2 0 0 1-2 1.7H7.5",
};

function picture(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", width: "16", height: "16", "aria-hidden": "true" }))
    svg.setAttribute(key, value);
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PICTURES[name]);
  svg.append(path);
  return svg;
}

// A button with a picture; its label is for the pointer that rests on it, and for a screen reader.
function pictureButton(className, name, label, parent, onclick) {
  const made = button(`agk-icon ${className}`, "", parent, { title: label, onclick });
  made.append(picture(name));
  return made;
}
