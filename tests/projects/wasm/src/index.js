import add from "./add.wasm";
import table from "./table.bin";

const { exports } = new WebAssembly.Instance(add);

export default {
  fetch: (request) => {
    const [a, b] = new URL(request.url).pathname.slice(1).split("+").map(Number);
    return Response.json({ sum: exports.add(a, b), bytes: [...new Uint8Array(table)] });
  },
};
