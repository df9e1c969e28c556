// miniflare as it ships, with the options of the first argument: prints its address, and ends with its standard input.
import { Miniflare } from "miniflare";

const miniflare = new Miniflare(JSON.parse(process.argv[2]));
console.log((await miniflare.ready).href);
process.stdin.on("end", async () => {
  await miniflare.dispose();
  process.exit(0);
});
process.stdin.resume();
