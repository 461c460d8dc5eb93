// Builds agents/web/static/vendor from the packages of package-lock.json: npm ci && npm run build
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const vendor = join(here, "..", "..", "agents", "web", "static", "vendor");
const packages = join(here, "node_modules");
mkdirSync(vendor, { recursive: true });

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

const used = { echarts: "echarts.js", zrender: "echarts.js", tslib: "echarts.js", "htmx.org": "htmx.js" };
const licences = { echarts: ["LICENSE", "NOTICE"], zrender: ["LICENSE"], tslib: ["LICENSE.txt"], "htmx.org": ["LICENSE"] };
const about = Object.entries(used).map(([name, file]) => {
  const { version, license } = JSON.parse(readFileSync(join(packages, name, "package.json")));
  return { name, version, license, file };
});
const text = about.map(({ name, version, license, file }) => {
  const said = licences[name].map((each) => readFileSync(join(packages, name, each), "utf8").trim());
  return [`# ${name} ${version} (${license}), in ${file}`, ...said].join("\n\n");
});
writeFileSync(join(vendor, "LICENSES.txt"), text.join("\n\n\n") + "\n");
const sha256 = (file) => createHash("sha256").update(readFileSync(join(vendor, file))).digest("hex");
const files = Object.fromEntries(["echarts.js", "htmx.js"].map((file) => [file, sha256(file)]));
writeFileSync(join(vendor, "vendor.json"), JSON.stringify({ packages: about, sha256: files }, null, 2) + "\n");
