// Converts MJML to HTML with the reference renderer: a JSON list of sources in, a JSON list of pages out.
const render = require("mjml");

async function main() {
  const sources = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const pages = [];
  for (const source of sources) {
    const { html } = await (render.default || render)(source, { validationLevel: "skip", keepComments: false });
    pages.push(html);
  }
  process.stdout.write(JSON.stringify(pages));
}

main();
