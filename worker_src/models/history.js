// Histories that grow: what a model has no room for is told without the oldest turns, and the conversation goes on.
import { HttpError } from "../frame/errors.js";
import { TOO_LONG } from "./inference.js";

/**
 * What `ask` gives for as many of the turns, the newest, as the model has room for. Each try leaves out half of them.
 * @template Turn, Answer
 * @param {Turn[]} turns from the oldest
 * @param {(turns: Turn[]) => Promise<Answer>} ask
 */
export async function withRoom(turns, ask) {
  for (let told = turns; ; told = told.slice(Math.ceil(told.length / 2))) {
    try {
      return await ask(told);
    } catch (error) {
      if (!(error instanceof HttpError) || error.code !== TOO_LONG || told.length === 0) throw error;
    }
  }
}
