// Treemap of themes and their topics; the area is the number of distinct talks. A click zooms into a theme, or opens a topic's page.
import { address, asked } from "./evidence.js";
import { fit } from "./fitting.js";

const levelOf = (share) => Math.min(9, Math.max(0, Math.ceil(10 * Math.sqrt(share)) - 1));
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const LINE = 17;

/** Fit the text of a box once: ECharts asks for it four times in a row, once for each state of the box. */
const fitted = (look, textOf) => {
  let last = null;
  return ({ dataIndex, data }) => {
    const { width = 0, height = 0 } = look.boxOf(dataIndex) ?? {};
    if (last?.data !== data || last.width !== width || last.height !== height) {
      last = { data, width, height, text: textOf(data, width, height) };
    }
    return last.text;
  };
};

export const option = (data, look) => {
  const shown = data.themes.filter((theme) => !data.theme || theme.name === data.theme);
  const heads = look.narrow && shown.length > 1 ? 2 : 1;
  const bold = `600 13px ${look.font}`;
  const normal = `13px ${look.font}`;
  const head = fitted(look, (box, width) => {
    const room = width - 12;
    const whole = `${box.name}  ${percent(box.share)}`;
    const full = fit(whole, room, heads, bold);
    return full.endsWith("…") || !full.includes(percent(box.share)) ? fit(box.name, room, heads, bold) : full;
  });
  const inside = fitted(look, (box, width, height) => {
    const lines = Math.floor((height - 6) / LINE);
    if (lines < 1 || width < 26) return "";
    const number = String(box.videos);
    const name = fit(box.name, width - 6, Math.max(1, Math.min(3, lines - 1)), normal);
    if (!name) return fit(number, width - 6, 1, normal);
    return lines > 1 ? `${name}\n${number}` : name;
  });
  return {
    height: look.narrow ? (shown.length > 1 ? 720 : 420) : 500,
    tooltip: { formatter: ({ data: box }) => box?.said ?? "" },
    series: [{
      type: "treemap", roam: false, nodeClick: false, breadcrumb: { show: false }, left: 0, right: 0, top: 0, bottom: 0, animation: false,
      upperLabel: { show: true, height: heads === 2 ? 40 : 26, lineHeight: 16, color: look.ink, fontWeight: 600, fontSize: 13, formatter: head },
      label: { fontSize: 13, lineHeight: LINE, overflow: "none", formatter: inside },
      levels: [
        { upperLabel: { show: false }, itemStyle: { borderColor: look.paper, borderWidth: 0, gapWidth: 6 } },
        { itemStyle: { borderColor: look.card, borderWidth: 2, gapWidth: 2 } },
      ],
      data: shown.map((theme) => ({
        name: theme.name,
        theme: theme.name,
        share: theme.share,
        // Drawn where the boxes of its topics would be too small to see.
        itemStyle: { color: look.level[levelOf(theme.share)] },
        said: `${theme.name.slice(0, 80)}\n${theme.videos} talks, ${percent(theme.share)}`,
        children: theme.topics.map((topic) => {
          const level = levelOf(topic.share);
          return {
            ...topic,
            value: topic.videos,
            said: `${topic.name.slice(0, 80)}\n${theme.name.slice(0, 80)}\n${topic.videos} talks, ${percent(topic.share)}`,
            itemStyle: { color: look.level[level] },
            label: { color: level < 5 ? look.onLow : level === 5 ? look.onMiddle : look.onHigh },
          };
        }),
      })),
    }],
  };
};

export const follow = ({ data: box }, data) => {
  if (box?.id) return address(`/topics/${box.id}`, asked());
  return box?.theme ? { set: "theme", to: data.theme ? "" : box.theme } : null;
};
