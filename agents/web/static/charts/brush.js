// A drag across a chart with time on its horizontal axis opens the page for that period.
import { within } from "./evidence.js";

/** Pixels from which a movement is a drag and no click. */
const LEAST = 12;

/** The address of this page for the columns from one to the other. */
const narrowed = (months, from, to) => {
  const address = new URL(location.href);
  const [first, last] = within(address.searchParams, months[from], months[to]);
  address.searchParams.set("first", first);
  address.searchParams.set("last", last);
  return address;
};

/** Let the reader choose a period of a chart by dragging; returns whether the last press was a drag. */
export const brush = ({ picture, canvas, data }) => {
  const shade = document.createElement("div");
  shade.className = "brush";
  shade.hidden = true;
  canvas.parentElement.append(shade);
  let began = null;
  let dragged = false;

  const gridAt = (x, y) => {
    const grids = picture.getOption().grid ?? [];
    return grids.findIndex((_, grid) => picture.containPixel({ gridIndex: grid }, [x, y]));
  };
  const column = (x) => {
    const [at] = picture.convertFromPixel({ gridIndex: began.grid }, [x, began.y]);
    return Math.max(0, Math.min(data.months.length - 1, Math.round(at)));
  };
  const stop = () => {
    began = null;
    shade.hidden = true;
  };

  const paper = picture.getZr();
  paper.on("mousedown", ({ offsetX: x, offsetY: y, event }) => {
    dragged = false;
    const grid = event.button === 0 ? gridAt(x, y) : -1;
    if (grid >= 0) began = { x, y, grid };
  });
  paper.on("mousemove", ({ offsetX: x }) => {
    if (!began || Math.abs(x - began.x) < LEAST) return;
    dragged = true;
    Object.assign(shade.style, { left: `${Math.min(x, began.x)}px`, width: `${Math.abs(x - began.x)}px` });
    shade.hidden = false;
  });
  paper.on("mouseup", ({ offsetX: x }) => {
    if (!began) return;
    const [from, to] = [column(Math.min(x, began.x)), column(Math.max(x, began.x))];
    stop();
    if (dragged && to > from) location.assign(narrowed(data.months, from, to));
  });
  paper.on("globalout", stop);
  return () => dragged;
};
