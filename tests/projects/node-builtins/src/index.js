import { Buffer } from "node:buffer";
import { createHash } from "crypto";
import { EventEmitter } from "events";
import { AsyncLocalStorage } from "node:async_hooks";
import { promisify } from "util";
import path from "path";
import * as legacy from "./legacy.cjs";

const requests = new AsyncLocalStorage();
const bus = new EventEmitter();
let seen = 0;
bus.on("request", () => (seen += 1));

export default {
  fetch(request) {
    return requests.run({ path: new URL(request.url).pathname }, async () => {
      bus.emit("request");
      await promisify(setImmediate)();
      const { path: name } = requests.getStore();
      return Response.json({
        base: path.posix.basename(name),
        digest: createHash("sha256").update(process.env.SALT).digest("hex").slice(0, 8),
        text: Buffer.from("aGk=", "base64").toString(),
        mode: process.env.NODE_ENV,
        legacy: legacy.join("a", "b"),
        seen: seen > 0,
      });
    });
  },
};
