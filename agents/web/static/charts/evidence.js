// The address of the talks and quotes behind a point, bar or line of a chart: a theme's or a topic's page, or a search, narrowed to its period.
const FILTERS = ["source", "channel", "show", "speaker", "language", "codebook"];

/** Return the first and last month of a month, quarter or year, such as 2025-04, 2025-Q2 or 2025. */
const ends = (period) => {
  const [year, part] = period.split("-");
  if (!part) return [`${year}-01`, `${year}-12`];
  if (!part.startsWith("Q")) return [period, period];
  const last = 3 * Number(part.slice(1));
  return [last - 2, last].map((month) => `${year}-${String(month).padStart(2, "0")}`);
};

/** Return the address; without a period, that of the page's own period. */
export const evidence = (key, unit, period) => {
  const asked = new URLSearchParams(location.search);
  const query = new URLSearchParams();
  let [first, last] = [asked.get("first") ?? "", asked.get("last") ?? ""];
  if (period) {
    const [from, to] = ends(period);
    // A filter that begins or ends within the period narrows it; a day such as 2025-04-10 is within its month.
    first = first > from ? first : from;
    last = last && (last < to || last.startsWith(to)) ? last : to;
  }
  for (const [name, value] of [["first", first], ["last", last], ...FILTERS.map((name) => [name, asked.get(name)])]) {
    if (value) query.set(name, value);
  }
  if (key === "topic_id") return `/topics/${unit}?${query}`;
  if (key === "words") {
    query.set("q", unit);
    return `/search?${query}`;
  }
  query.set("theme", unit);
  return `/themes?${query}`;
};
