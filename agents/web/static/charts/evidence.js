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

/** Return the page's query without what is of this page only: choices of its charts (`months.layout`), and that it is embedded. */
export const asked = () => {
  const query = new URLSearchParams(location.search);
  for (const name of [...query.keys()]) if (name.includes(".") || name === "embed") query.delete(name);
  return query;
};

/** Return an address with a query, if there is one. */
export const address = (path, query) => (query.size ? `${path}?${query}` : path);

/** Return the first and last month of columns from one to the other, within the page's own period. */
export const within = (given, one, other) => {
  const [from, to] = [ends(one)[0], ends(other)[1]];
  const [first, last] = [given.get("first") ?? "", given.get("last") ?? ""];
  // A filter that begins or ends within a column narrows it; a day such as 2025-04-10 is within its month.
  return [first > from ? first : from, last && (last < to || last.startsWith(to)) ? last : to];
};

/** Return the address; without a period, that of the page's own period. */
export const evidence = (key, unit, period) => {
  const given = asked();
  const query = new URLSearchParams();
  const [first, last] = period ? within(given, period, period) : [given.get("first"), given.get("last")];
  for (const [name, value] of [["first", first], ["last", last], ...FILTERS.map((name) => [name, given.get(name)])]) {
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
