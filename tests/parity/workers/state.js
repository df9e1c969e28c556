// What an object has beside its storage, from within; each case in an object of its own.
import { each } from "./describe.js";

const pair = () => Object.values(new WebSocketPair());

export default {
  "DurableObjectState.id": async (state) => each(() => state.id.toString().length, () => state.id.name, () => state.props, () => typeof state.storage, () => typeof state.container, () => typeof state.facets, () => typeof state.abort),
  "DurableObjectState.blockConcurrencyWhile": async (state) =>
    each(() => state.blockConcurrencyWhile(async () => 5), () => state.blockConcurrencyWhile(), () => state.blockConcurrencyWhile("x"), () => state.waitUntil(Promise.resolve()), () => state.waitUntil(), () => state.waitUntil(5)),
  "DurableObjectState.acceptWebSocket": async (state) => {
    const [, server] = pair();
    return each(
      () => state.acceptWebSocket(server, ["a", "b"]), () => state.getWebSockets().length, () => state.getWebSockets("a").length, () => state.getWebSockets("none").length, () => state.getTags(server), () => state.acceptWebSocket(server), () => state.getTags(pair()[0]), () => state.acceptWebSocket(),
      () => state.acceptWebSocket("x"), () => state.acceptWebSocket(pair()[1], Array.from({ length: 11 }, (_, i) => `t${i}`)), () => state.acceptWebSocket(pair()[1], ["t".repeat(257)]), () => state.acceptWebSocket(pair()[1], ["t", "t"]), () => state.getWebSocketAutoResponseTimestamp(server),
    );
  },
  "DurableObjectState.setWebSocketAutoResponse": async (state) =>
    each(
      () => state.getWebSocketAutoResponse(), () => state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong")), () => state.getWebSocketAutoResponse(), () => state.setWebSocketAutoResponse(), () => state.getWebSocketAutoResponse(), () => state.setWebSocketAutoResponse("x"),
      () => new WebSocketRequestResponsePair("x".repeat(2049), "y"), () => state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("x".repeat(2049), "y")), () => state.getHibernatableWebSocketEventTimeout(), () => state.setHibernatableWebSocketEventTimeout(5000), () => state.getHibernatableWebSocketEventTimeout(),
      () => state.setHibernatableWebSocketEventTimeout(-1), () => state.setHibernatableWebSocketEventTimeout(8 * 24 * 3600 * 1000), () => state.setHibernatableWebSocketEventTimeout("x"),
    ),
};
