// Miniflare as it ships, with the Worker of this folder: prints its address, ends when its input does.
const fs = require("node:fs");
const path = require("node:path");
const { Miniflare } = require("miniflare");

const { folder, date, state, assets } = JSON.parse(process.argv[2]);
const modules = fs.readdirSync(folder).filter((name) => name.endsWith(".js")).sort((a, b) => (b === "index.js") - (a === "index.js"));
const options = {
  modules: modules.map((name) => ({ type: "ESModule", path: path.join(folder, name) })),
  modulesRoot: folder,
  compatibilityDate: date,
};
const everything = {
  kvNamespaces: { KV: "kv", SEEN: "seen" },
  r2Buckets: { BUCKET: "bucket" },
  d1Databases: { DB: "db" },
  queueProducers: { QUEUE: { queueName: "queue" } },
  queueConsumers: { queue: { maxBatchSize: 10, maxBatchTimeout: 0, maxRetries: 3 } },
  durableObjects: { ROOMS: { className: "Room", useSQLite: true } },
  ratelimits: { LIMIT: { simple: { limit: 2, period: 60 } } },
  secretsStoreSecrets: { SECRET: { store_id: "store", secret_name: "key" }, MISSING: { store_id: "store", secret_name: "none" } },
  analyticsEngineDatasets: { DATASET: { dataset: "points" } },
  versionMetadata: "VERSION",
  serviceBindings: { API: { name: "parity", entrypoint: "Api" } },
  assets: { directory: assets, binding: "ASSETS", routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true }, assetConfig: {} },
};

(async () => {
  const started = new Miniflare({ host: "127.0.0.1", port: 0, defaultPersistRoot: state, workers: [{ name: "parity", ...options, ...everything }] });
  const url = await started.ready;
  await (await started.getSecretsStoreSecretAPI("SECRET"))().create("hidden");
  console.log(url.href);
  process.stdin.resume().on("end", async () => {
    await started.dispose();
    process.exit(0);
  });
})();
