export default { fetch: () => new Response("of the sources, which the build replaces") };
