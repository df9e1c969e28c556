import { DurableObject, WorkflowEntrypoint } from "cloudflare:workers";
import text from "./note.md";
import { shared } from "@own/shared";

declare const RELEASE: string;

export class Room extends DurableObject {
  async fetch() {
    return new Response("room");
  }
}

export class Lobby extends DurableObject {
  async fetch() {
    return new Response("lobby");
  }
}

export class Ingest extends WorkflowEntrypoint {
  async run() {
    return shared;
  }
}

export default {
  fetch: () => new Response(`fine ${RELEASE} ${text.trim()}`),
  async queue() {},
  async scheduled() {},
  async tail() {},
};
