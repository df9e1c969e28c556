// Between a Worker of an older date and the Cache API's service: the address as HTTP can carry it.
export default {
  fetch: (request, env) => env.CACHE.fetch(new URL(request.url).href, request),
};
