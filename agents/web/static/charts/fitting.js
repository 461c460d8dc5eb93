// Fitting of text into boxes (whole words, shortened with an ellipsis, or nothing), and spacing of labels.
const pen = document.createElement("canvas").getContext("2d");
let penFont = "";

export const widthOf = (text, font) => {
  if (font !== penFont) pen.font = penFont = font; // takes longer than measuring
  return pen.measureText(text).width;
};

const shortened = (text, width, font) => {
  if (widthOf(text, font) <= width) return text;
  const letters = [...text];
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (widthOf(`${letters.slice(0, middle).join("").trimEnd()}…`, font) <= width) low = middle; else high = middle - 1;
  }
  return low < 3 ? "" : `${letters.slice(0, low).join("").trimEnd()}…`;
};

/** Break a text between words into at most `lines` lines of a width, ending in an ellipsis if it is cut. Return "" if not even three letters fit. */
export const fit = (text, width, lines, font) => {
  const words = text.slice(0, 400).split(/\s+/).filter(Boolean);
  const made = [];
  while (words.length && made.length < lines) {
    let line = words.shift();
    while (words.length && widthOf(`${line} ${words[0]}`, font) <= width) line += ` ${words.shift()}`;
    const last = made.length === lines - 1;
    const whole = last && words.length ? `${line} ${words.join(" ")}` : line;
    const shown = shortened(whole, width, font);
    if (!shown) return made.join("\n");
    made.push(shown);
    if (shown.endsWith("…") && shown !== whole) break;
  }
  return made.join("\n");
};

/** Return positions close to the wanted ones, in the same order and at least `gap` apart, between `low` and `high` if they fit. */
export const spread = (wanted, gap, low, high) => {
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a] - wanted[b] || a - b);
  const placed = [];
  let above = -Infinity;
  for (const index of order) {
    placed[index] = above = Math.max(wanted[index], above + gap, low);
  }
  let below = Infinity;
  for (const index of order.reverse()) {
    placed[index] = below = Math.min(placed[index], below - gap, high);
  }
  return placed;
};
