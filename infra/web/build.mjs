// Builds agents/web/static/vendor from the packages of package-lock.json: npm ci && npm run build
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const vendor = join(here, "..", "..", "agents", "web", "static", "vendor");
const packages = join(here, "node_modules");
const sha256 = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
rmSync(join(vendor, "fonts"), { recursive: true, force: true });
mkdirSync(join(vendor, "fonts"), { recursive: true });

await build({
  entryPoints: [join(here, "echarts.mjs")],
  outfile: join(vendor, "echarts.js"),
  bundle: true,
  format: "esm",
  minify: true,
  target: "es2022",
  legalComments: "none",
  banner: { js: "/*! Apache ECharts, Apache-2.0; zrender, BSD-3-Clause; tslib, 0BSD: see LICENSES.txt */" },
});
copyFileSync(join(packages, "htmx.org", "dist", "htmx.min.js"), join(vendor, "htmx.js"));

// `made`: the packages' licence files do not name who made the fonts; the fonts do.
// `size`: Source Sans is drawn smaller than what systems have, so small print would be too small.
const fonts = {
  "@fontsource-variable/source-sans-3": {
    id: "source-sans-3",
    family: "Source Sans 3",
    styles: ["normal"],
    size: "106%",
    made: "© 2023 Adobe (http://www.adobe.com/), with Reserved Font Name ‘Source’",
  },
  "@fontsource-variable/source-serif-4": {
    id: "source-serif-4",
    family: "Source Serif 4",
    styles: ["normal", "italic"],
    size: "100%",
    made: "© 2014 - 2021 Adobe Systems Incorporated (http://www.adobe.com/), with Reserved Font Name ‘Source’.",
  },
};
const faces = Object.entries(fonts).flatMap(([name, { id, family, styles, size }]) => {
  const ranges = Object.entries(JSON.parse(readFileSync(join(packages, name, "unicode.json"))));
  return styles.flatMap((style) => ranges.map(([subset, range]) => {
    const from = join(packages, name, "files", `${id}-${subset}-wght-${style}.woff2`);
    // Browsers keep a font for a year, so another content has another name.
    const file = `fonts/${id}-${subset}-${style}-${sha256(from).slice(0, 10)}.woff2`;
    copyFileSync(from, join(vendor, file));
    return { family, style, size, subset, range: range.replaceAll(",", ", "), file };
  }));
});
const css = faces.map(({ family, style, size, range, file }) => `@font-face {
  font-family: "${family}";
  font-style: ${style};
  font-weight: 200 900;
  font-display: swap;
  size-adjust: ${size};
  src: url("${file}") format("woff2");
  unicode-range: ${range};
}`);
writeFileSync(join(vendor, "fonts.css"), `/* Made by infra/web/build.mjs. */\n\n${css.join("\n\n")}\n`);

const used = {
  ...Object.fromEntries(Object.entries(fonts).map(([name, { id }]) => [name, `fonts/${id}-*.woff2`])),
  echarts: "echarts.js", zrender: "echarts.js", tslib: "echarts.js", "htmx.org": "htmx.js",
};
const licences = { echarts: ["LICENSE", "NOTICE"], tslib: ["LICENSE.txt"] };
const about = Object.entries(used).map(([name, file]) => {
  const { version, license } = JSON.parse(readFileSync(join(packages, name, "package.json")));
  return { name, version, license, file };
});
const text = about.map(({ name, version, license, file }) => {
  const said = (licences[name] ?? ["LICENSE"]).map((each) => readFileSync(join(packages, name, each), "utf8").trim());
  return [`# ${name} ${version} (${license}), in ${file}`, fonts[name]?.made, ...said].filter(Boolean).join("\n\n");
});
writeFileSync(join(vendor, "LICENSES.txt"), text.join("\n\n\n") + "\n");
const files = ["echarts.js", "fonts.css", ...faces.map(({ file }) => file), "htmx.js"].sort();
const first = faces.filter(({ subset, style }) => subset === "latin" && style === "normal").map(({ file }) => file);
const listed = {
  packages: about,
  // What every page needs at once.
  preload: first,
  sha256: Object.fromEntries(files.map((file) => [file, sha256(join(vendor, file))])),
};
writeFileSync(join(vendor, "vendor.json"), JSON.stringify(listed, null, 2) + "\n");
