import { exercise } from "./edge.mjs";

export default {
  fetch: async (request) => Response.json(await exercise(await request.json())),
};
