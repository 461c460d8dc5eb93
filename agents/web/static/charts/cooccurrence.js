// Co-occurrence heatmap: number of talks that discuss two topics. A click opens the talks of a pair, or a topic on the diagonal.
import { address, asked } from "./evidence.js";
import { fit } from "./fitting.js";

const MEASURES = {
  videos: { at: 2, said: (value) => `${value}` },
  jaccard: { at: 3, said: (value) => value.toFixed(2).replace(/^0/, "") },
  lift: { at: 4, said: (value) => value.toFixed(value < 9.95 ? 1 : 0) },
};

/** Return the colour level, 0 to 9; for lift on a log scale above 1 (lift below 1 has no colour). */
const darkness = (measure, value, most) => {
  const part = measure === "lift" ? Math.log2(Math.max(1, value)) / Math.log2(Math.max(2, most)) : value / most;
  return Math.max(0, Math.min(9, Math.ceil(10 * part) - 1));
};

export const option = (data, look) => {
  const count = data.topics.length;
  const names = data.topics.map((topic) => topic.name);
  const { at, said } = MEASURES[data.measure];
  const most = Math.max(...data.pairs.map((pair) => pair[at]), 0) || 1;
  const room = look.narrow ? 118 : 190;
  const cell = Math.max(look.narrow ? 24 : 22, Math.min(46, (look.width - room - 4) / count));
  const font = `12px ${look.font}`;
  const cells = data.pairs.flatMap((pair) => {
    const [one, other] = pair;
    const below = data.measure === "lift" && pair[at] < 1;
    const level = darkness(data.measure, pair[at], most);
    const style = {
      value: [one, other, pair[at]],
      itemStyle: below ? { color: look.card, borderColor: look.line } : { color: look.level[level] },
      label: { color: below ? look.quiet : level < 5 ? look.onLow : level === 5 ? look.onMiddle : look.onHigh },
      pair,
    };
    return [style, { ...style, value: [other, one, pair[at]] }];
  });
  const own = data.topics.map((topic, index) => ({
    value: [index, index, topic.videos], topic,
    itemStyle: { color: look.paper, borderColor: look.line }, label: { color: look.quiet, formatter: data.measure === "videos" ? `${topic.videos}` : "" },
  }));
  const axis = { type: "category", data: names, axisTick: { show: false }, axisLine: { show: false }, splitArea: { show: false } };
  const label = { color: look.ink, fontSize: 12, interval: 0, formatter: (name) => fit(name, room - 16, 1, font) };
  return {
    height: room + cell * count + 4,
    width: room + cell * count + 4,
    grid: { left: room, top: room, width: cell * count, height: cell * count },
    xAxis: { ...axis, position: "top", axisLabel: { ...label, rotate: -90, margin: 6 } },
    yAxis: { ...axis, inverse: true, axisLabel: label },
    tooltip: {
      formatter: ({ data: hit }) => {
        if (hit.topic) return `${hit.topic.name.slice(0, 60)}\n${hit.topic.videos} talks`;
        const [one, other, videos, jaccard, lift] = hit.pair;
        return `${names[one].slice(0, 60)}\n${names[other].slice(0, 60)}\n${videos} talks with both\nJaccard ${jaccard.toFixed(3)}, lift ${lift.toFixed(2)}`;
      },
    },
    series: [{
      type: "heatmap", data: [...cells, ...own], itemStyle: { borderColor: look.paper, borderWidth: 1 }, progressive: 0,
      label: { show: true, fontSize: cell < 28 ? 10 : 12, formatter: ({ data: hit }) => said(hit.pair ? hit.pair[at] : hit.topic.videos) },
      emphasis: { itemStyle: { borderColor: look.ink, borderWidth: 2 } },
    }],
  };
};

export const follow = ({ data: hit }, data) => {
  if (hit?.topic) return address(`/topics/${hit.topic.id}`, asked());
  if (!hit?.pair) return null;
  const query = asked();
  query.delete("most");
  query.set("topic_id", data.topics[hit.pair[0]].id);
  query.set("other_id", data.topics[hit.pair[1]].id);
  return `/cooccurrence/videos?${query}`;
};
