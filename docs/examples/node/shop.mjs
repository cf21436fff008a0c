// A shop in another language: puts an item in, records an event, has a push decided.
//   npm install && node shop.mjs [path of endpoints.json]
// Without an argument it talks to the fixed ports of `magpie up`.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomUUID } from "node:crypto";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const protos = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "protos");
const files = ["profile", "catalog", "push"].map((name) => `magpie/v1/${name}_service.proto`);
const { magpie } = grpc.loadPackageDefinition(
  protoLoader.loadSync(files, { includeDirs: [protos], keepCase: true, enums: String, longs: Number, defaults: true }),
);
const endpoints = process.argv[2]
  ? JSON.parse(readFileSync(process.argv[2], "utf8"))
  : { profile: "127.0.0.1:7001", candidate: "127.0.0.1:7002", push: "127.0.0.1:7005" };

const client = (Service, address) => new Service(address, grpc.credentials.createInsecure());
const profile = client(magpie.v1.ProfileService, endpoints.profile);
const catalog = client(magpie.v1.CatalogService, endpoints.candidate);
const push = client(magpie.v1.PushService, endpoints.push);

// One call with a deadline; a refusal rejects with the status and its text.
const call = (stub, method, request) =>
  new Promise((resolve, reject) =>
    stub[method](request, { deadline: Date.now() + 10_000 }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    ),
  );

const user = `node-${randomUUID().slice(0, 8)}`;
const now = { seconds: Math.floor(Date.now() / 1000), nanos: 0 };

try {
  const upserted = await call(catalog, "UpsertItems", {
    request_id: randomUUID(),
    items: [
      {
        item_id: "node-scarf",
        text: { title: "Blue wool scarf" },
        locale: "en",
        categories: ["Clothing", "Scarves"],
        price: { currency: "EUR", minor_units: 2990 },
        stock: 12,
        link: "https://shop.example/scarf",
      },
    ],
  });
  console.log("items changed or the same:", upserted.changed_count + upserted.unchanged_count);

  const recorded = await call(profile, "RecordEvents", {
    events: [
      {
        event_id: randomUUID(),
        user_id: user,
        kind: "EVENT_KIND_VIEW_ITEM",
        occur_time: now,
        item_id: "node-scarf",
        attributes: { locale: "en", timezone: "Europe/Berlin" },
      },
    ],
  });
  console.log("events accepted:", recorded.accepted_count);

  await call(profile, "SetConsent", {
    user_id: user,
    request_id: randomUUID(),
    consents: [
      { purpose: "PURPOSE_MARKETING_PUSH", granted: true },
      { purpose: "PURPOSE_PERSONALISATION", granted: true },
    ],
  });
  await call(profile, "RegisterDevice", {
    user_id: user,
    request_id: randomUUID(),
    device: { device_id: "phone", channel: "CHANNEL_CONSOLE", platform: "web" },
  });

  const decided = await call(push, "DecidePushes", {
    targets: [{ user_id: user, item_id: "node-scarf" }],
    policy: { objective: { click: 1, purchase: 10, min_value: -1 }, exploration: 0, no_send_share: 0 },
  });
  const [decision] = decided.decisions;
  console.log("decision:", decision.verdict);
  if (decision.message) console.log(`push: ${decision.message.title} | ${decision.message.body}`);
  for (const said of decision.predicates.filter((predicate) => !predicate.passed))
    console.log(`  ${said.predicate}: ${said.reason}`);
} catch (error) {
  console.error(`${error.code ?? ""} ${error.details ?? error.message}`.trim());
  process.exitCode = 1;
}
